"""Frames and messages: ``type={json}`` to message classes and back, for the server and for its clients.

Decoding never raises: a text from outside always gives either a message or one of the result classes below.
"""

from typing import TypeAlias, cast

import attrs

from qlive_core.signalling.codes import SignalCode
from qlive_core.signalling.lenient_json import (
    MalformedJson,
    WrongType,
    decode,
    decode_object,
    encode_fields,
    wire_fields,
)
from qlive_core.signalling.messages import (
    Heartbeat,
    Message,
    Push,
    Reply,
    Request,
    RpcId,
    message_types,
)

__all__ = [
    "BadMessage",
    "BadRequest",
    "NotAFrame",
    "RequestResult",
    "ServerResult",
    "Unframed",
    "Unknown",
    "decode_request",
    "decode_request_body",
    "decode_server",
    "encode",
    "request_class",
    "split_frame",
]


class NotAFrame(ValueError):
    """A text without ``=``; over WebSocket a reason to close with 1007."""


@attrs.frozen
class Unframed:
    """The text was not a frame at all."""


@attrs.frozen
class Unknown:
    """A frame of a type that this side does not know; to be ignored."""

    type: str


@attrs.frozen
class BadRequest:
    """A known request with an unusable body; ``reply`` is to be sent, or nothing if it is None."""

    type: str
    reply: Reply | None


@attrs.frozen
class BadMessage:
    """A known message from the server with an unusable body."""

    type: str


RequestResult: TypeAlias = Request | Heartbeat | Unknown | BadRequest
ServerResult: TypeAlias = Reply | Push | Heartbeat | Unknown | BadMessage | Unframed


def split_frame(text: str) -> tuple[str, str]:
    """Type and body of a frame, split at the first ``=``. Raises ``NotAFrame``."""
    type_, separator, body = text.partition("=")
    if not separator:
        raise NotAFrame
    return type_, body


def encode(message: Message) -> str:
    """The frame of a message."""
    return f"{message.TYPE}={encode_fields(message)}"


def request_class(type_: str) -> type[Request | Heartbeat] | None:
    """The class of what a client may send under this type; None if there is none."""
    cls = message_types().get(type_)
    return cls if cls is not None and issubclass(cls, Request | Heartbeat) else None


def decode_request(text: str) -> RequestResult | Unframed:
    """What a client sent."""
    try:
        return decode_request_body(*split_frame(text))
    except NotAFrame:
        return Unframed()


def decode_request_body(type_: str, body: str) -> RequestResult:
    """What a client sent, from a frame that is split already."""
    cls = request_class(type_)
    if cls is None:
        return Unknown(type_)
    if issubclass(cls, Heartbeat):
        return cls()
    try:
        obj = decode_object(body, trailing=False)
    except MalformedJson:
        return _bad_request(cls, None)
    try:
        return decode(cls, obj)
    except WrongType:
        return _bad_request(cls, _rpc_id(cls, obj))


def decode_server(text: str) -> ServerResult:
    """What a server sent, for clients."""
    try:
        type_, body = split_frame(text)
    except NotAFrame:
        return Unframed()
    cls = message_types().get(type_)
    if cls is None or not issubclass(cls, Reply | Push | Heartbeat):
        return Unknown(type_)
    if issubclass(cls, Heartbeat):
        return cls()
    try:
        return decode(cls, decode_object(body, trailing=False))
    except (MalformedJson, WrongType):
        return BadMessage(type_)


def _bad_request(cls: type[Request], rpc_id: RpcId) -> BadRequest:
    reply = cls.REPLY.answer(SignalCode.UNKNOWN_MESSAGE, rpc_id) if cls.REPLY else None
    return BadRequest(cls.TYPE, reply)


def _rpc_id(cls: type[Request], obj: dict[str, object]) -> RpcId:
    """The rpcID of a request that is bad elsewhere; None if the rpcID is what is bad."""
    field = next(field for field in wire_fields(cls) if field.attribute == "rpc_id")
    try:
        return cast("RpcId", field.read_from(obj))
    except WrongType:
        return None
