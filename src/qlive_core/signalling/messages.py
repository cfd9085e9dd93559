"""The messages of signalling: one class each, with its keys in the order in which they go over the wire.

A message travels as one text, ``type={json}``; see ``codec``. A class made by ``message`` is all that a new
message takes: the codec, the connection protocol and the AsyncAPI document find it by its ``TYPE``.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Self, TypeAlias, TypeVar, dataclass_transform

import attrs

from qlive_core.signalling.codes import SignalCode
from qlive_core.signalling.lenient_json import BOOLEAN, INTEGER, STRING, Shape, wire, wired

__all__ = [
    "FLAG",
    "AnswerPk",
    "AnswerPkRes",
    "Auth",
    "AuthRes",
    "Disconnect",
    "EndPk",
    "EndPkRes",
    "Heartbeat",
    "Kind",
    "Message",
    "OnPkAnswer",
    "OnPkEnd",
    "OnPkOffer",
    "OnPkTimeout",
    "OnRoomClose",
    "Ping",
    "Pong",
    "Push",
    "Reply",
    "Request",
    "RpcId",
    "SignalCode",
    "StartPk",
    "StartPkRes",
    "message",
    "message_types",
]

RpcId: TypeAlias = str | int | float | None
"""What a client marks a request with; None if it sent none."""


class Kind(Enum):
    """Who sends a message, and what for."""

    REQUEST = "request"
    """Client to server; answered by exactly one reply unless its ``REPLY`` is None."""
    REPLY = "reply"
    """Server to the client that asked."""
    PUSH = "push"
    """Server to a client that did not ask."""
    HEARTBEAT = "heartbeat"
    """Either way, to show that one is there; the body means nothing."""


# --- what the kinds have in common --------------------------------------------------------------------------------


def _read_rpc_id(value: object) -> str | int | float:
    # iOS voice rooms send a number; true and false are not numbers.
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise TypeError


def _write_rpc_id(value: str | float) -> str:
    if isinstance(value, str):
        return STRING.write(value)
    return INTEGER.write(value) if isinstance(value, int) else float.__repr__(value)


_RPC_ID = Shape(
    read=_read_rpc_id, write=_write_rpc_id, zero=None, schema=MappingProxyType({"type": ["string", "number"]})
)


def _read_flag(value: object) -> bool:
    # On 32-bit iOS a BOOL is a char and goes out as 1 or 0.
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise TypeError


FLAG = Shape(
    read=_read_flag, write=BOOLEAN.write, zero=False, schema=MappingProxyType({"enum": [False, True, 0, 1]})
)
_CODE = attrs.evolve(
    INTEGER, schema=MappingProxyType({"type": "integer", "enum": [code.value for code in SignalCode]})
)

_RPC_ID_DOC = "Mark of the caller's choice; the reply carries it back as it came."
_ECHO_DOC = "The rpcID of the request; absent if it had none, an empty one, or one that could not be read."
_CODE_DOC = "0 for success, else what went wrong."
_ERROR_DOC = 'The text that belongs to the code, "" for 0.'
_TOKEN_EXAMPLE = "test-ak:3q2-7w==:e30="  # noqa: S105 - shown in the documents, opens nothing


class Message:
    """Anything that goes over a signalling connection."""

    TYPE: ClassVar[str]
    KIND: ClassVar[Kind]

    __slots__ = ()


@wired
class Reply(Message):
    """The answer to one request."""

    KIND = Kind.REPLY

    rpc_id: RpcId = wire("rpcID", default=None, omit_empty=True, shape=_RPC_ID, example="7", doc=_ECHO_DOC)
    code: int = wire("code", shape=_CODE, example=0, doc=_CODE_DOC)
    error: str = wire("error", example="", doc=_ERROR_DOC)

    @classmethod
    def answer(cls, code: SignalCode, rpc_id: RpcId) -> Self:
        """A reply that says no more than ``code``."""
        return cls(rpc_id=rpc_id, code=code, error=code.text)


@wired
class Request(Message):
    """Something a client wants done."""

    KIND = Kind.REQUEST
    REPLY: ClassVar[type[Reply] | None] = None

    rpc_id: RpcId = wire("rpcID", default=None, omit_empty=True, shape=_RPC_ID, example="7", doc=_RPC_ID_DOC)


class Push(Message):
    """Something a client is told."""

    KIND = Kind.PUSH

    __slots__ = ()


class Heartbeat(Message):
    """A sign of life."""

    KIND = Kind.HEARTBEAT

    __slots__ = ()


M = TypeVar("M", bound=Message)
_TYPES: dict[str, type[Message]] = {}


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(wire,))
def message(cls: type[M]) -> type[M]:
    """Make a message class of ``cls`` and let codec and documents know it. Raises ``ValueError`` for a taken TYPE."""
    if cls.TYPE in _TYPES:
        raise ValueError(f"two messages of type {cls.TYPE}")
    made = wired(cls)
    _TYPES[made.TYPE] = made
    return made


def message_types() -> Mapping[str, type[Message]]:
    """Every message class by its ``TYPE``, in the order of their definition; a live view."""
    return MappingProxyType(_TYPES)


# --- the session --------------------------------------------------------------------------------------------------


@message
class AuthRes(Reply):
    """Whether the token was taken. The first message of the server on a connection that is authorised."""

    TYPE = "auth-res"

    pong_timeout: int | None = wire(
        "pongTimeout",
        default=None,
        omit_empty=True,
        example=20,
        doc="On success: whole seconds of silence after which the server gives a connection up; at least 1.",
    )


@message
class Auth(Request):
    """Say who one is, with the token of the HTTP login. Nothing else is looked at before this succeeded."""

    TYPE = "auth"
    REPLY = AuthRes

    token: str = wire("token", example="<token of the login>", doc="The token that the HTTP login returned.")


@message
class Ping(Heartbeat):
    """Are you there? To be answered by `pong={}`. The server asks every few seconds; a client may ask too."""

    TYPE = "ping"


@message
class Pong(Heartbeat):
    """Yes, I am."""

    TYPE = "pong"


@message
class Disconnect(Request):
    """Leave for good: the sender's room closes, or the sender leaves the room. Closed with 1000, no reply."""

    TYPE = "disconnect"


# --- PK -----------------------------------------------------------------------------------------------------------


@message
class StartPkRes(Reply):
    """Whether the offer of a PK was made."""

    TYPE = "start-pk-res"


@message
class StartPk(Request):
    """Offer a PK to the host of another room."""

    TYPE = "start-pk"
    REPLY = StartPkRes

    pk_room_id: str = wire("pkRoomID", example="z97so92w0cnhkyz9", doc="The other host's room.")


@message
class AnswerPkRes(Reply):
    """Whether the answer to the offer counted."""

    TYPE = "answer-pk-res"

    # The key order, and the capital R, are the original's.
    req_room_id: str = wire(
        "ReqRoomID",
        default="",
        also="reqRoomID",
        example="1a05xoejmvt8fj5i",
        doc='The proposer\'s room; "" on errors. Written under both spellings.',
    )
    rpc_id: RpcId = wire("rpcID", default=None, omit_empty=True, shape=_RPC_ID, example="7", doc=_ECHO_DOC)
    code: int = wire("code", shape=_CODE, example=0, doc=_CODE_DOC)
    error: str = wire("error", example="", doc=_ERROR_DOC)
    relay_rtc_room: str = wire(
        "relayRtcRoom",
        default="",
        omit_empty=True,
        example="1a05xoejmvt8fj5i",
        doc="After an accept: the RTC room of the proposer, to relay one's own stream to.",
    )
    relay_rtc_room_token: str = wire(
        "relayRtcRoomToken",
        default="",
        omit_empty=True,
        example=_TOKEN_EXAMPLE,
        doc="After an accept: the token for that RTC room.",
    )


@message
class AnswerPk(Request):
    """Accept or reject the live offer that was made to the sender's room."""

    TYPE = "answer-pk"
    REPLY = AnswerPkRes

    req_room_id: str = wire(
        "reqRoomID",
        old_name="pkRoomID",
        example="1a05xoejmvt8fj5i",
        doc="The proposer's room. First-generation apps call it pkRoomID.",
    )
    accept: bool = wire("accept", shape=FLAG, example=True, doc="Absent means false.")


@message
class EndPkRes(Reply):
    """Whether the PK was ended."""

    TYPE = "end-pk-res"


@message
class EndPk(Request):
    """End the PK that the sender is in."""

    TYPE = "end-pk"
    REPLY = EndPkRes

    pk_room_id: str = wire("pkRoomID", example="z97so92w0cnhkyz9", doc="Either of the two rooms.")


@message
class OnPkOffer(Push):
    """Another host offers a PK."""

    TYPE = "on-pk-offer"

    user_id: str = wire("userID", example="qbytwdj3w6u2", doc="The proposer.")
    nickname: str = wire("nickname", example="用户_0640", doc="The proposer's nickname.")
    room_id: str = wire(
        "roomID", example="1a05xoejmvt8fj5i", doc="The proposer's room, to be named in the answer."
    )
    room_name: str = wire("roomName", example="evening songs", doc="The name of the proposer's room.")


@message
class OnPkAnswer(Push):
    """The other host answered the offer."""

    TYPE = "on-pk-answer"

    req_room_id: str = wire("reqRoomID", example="1a05xoejmvt8fj5i", doc="The proposer's room.")
    accepted: bool = wire("accepted", example=True, doc="Whether the PK begins.")
    # Apps of the third generation act on these fields by their presence: a reject has none of them. Which pair an
    # app uses depends on its generation, so an accept has both.
    rtc_room: str = wire(
        "rtcRoom",
        default="",
        omit_empty=True,
        example="z97so92w0cnhkyz9",
        doc="On accept: the answerer's RTC room, for apps that move into it.",
    )
    rtc_room_token: str = wire(
        "rtcRoomToken", default="", omit_empty=True, example=_TOKEN_EXAMPLE, doc="The token for it."
    )
    relay_rtc_room: str = wire(
        "relayRtcRoom",
        default="",
        omit_empty=True,
        example="z97so92w0cnhkyz9",
        doc="On accept: the answerer's RTC room, for apps that relay their stream to it.",
    )
    relay_rtc_room_token: str = wire(
        "relayRtcRoomToken", default="", omit_empty=True, example=_TOKEN_EXAMPLE, doc="The token for it."
    )


@message
class OnPkEnd(Push):
    """The other host ended the PK, or its room closed."""

    TYPE = "on-pk-end"

    pk_room_id: str = wire(
        "pkRoomID", example="z97so92w0cnhkyz9", doc="The room that end-pk named, or the room that closed."
    )


@message
class OnPkTimeout(Push):
    """The offer lapsed without an answer; both sides are told, each about the other."""

    TYPE = "on-pk-timeout"

    pk_anchor_id: str = wire("pkAnchorID", example="0dr3qesdi6cu", doc="The other host.")
    pk_room_id: str = wire("pkRoomID", example="iw9vstkbl998vmu0", doc="The other host's room.")


@message
class OnRoomClose(Push):
    """The room that one is in has closed."""

    TYPE = "on-room-close"

    room_id: str = wire("roomID", example="1a05xoejmvt8fj5i", doc="The room that closed.")
