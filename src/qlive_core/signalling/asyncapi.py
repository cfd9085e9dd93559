"""The AsyncAPI 3.0 document of the signalling endpoint, made from the message classes.

AsyncAPI knows no ``type=`` in front of a JSON payload, so every payload schema describes what follows the first
``=`` of the frame, and each message carries the whole frame of its example as ``x-frame``.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from qlive_core.signalling.codes import CloseCode, SignalCode
from qlive_core.signalling.lenient_json import WireField, encode_object, wire_fields
from qlive_core.signalling.messages import Kind, Message, Reply, Request, message_types

__all__ = ["asyncapi_document"]

_CHANNEL = "#/channels/signalling"
_DESCRIPTION = """\
A message is one WebSocket text frame `type=body`, split at the first `=`; the body is a JSON object.

1. Send `auth` within the time limit. Until it succeeded, everything else is ignored. `auth-res` is the first
   message that the server sends on success, followed by `ping`.
2. Answer every `ping={}` by `pong={}`. Any frame counts as a sign of life; after too long a silence the server
   closes the connection.
3. Requests are handled and answered in order, each by exactly one reply. The `rpcID` of a request may be a string,
   a number or absent and comes back as it was. Pushes may come at any time.
4. After a broken connection connect again and send `auth`: within the grace time everything is as it was, and the
   pushes that were missed follow `auth-res`.
5. `disconnect` leaves for good.
6. To a client that has announced nothing, an end after which it should connect again (1012, 4003, or an
   authentication that was late) is the mere end of the TCP connection, without a close frame.
7. What the first apps could not show is sent only to apps that have said, by `announce`, that they can.

Ignore types and keys that you do not know: there will be new ones.
"""
# Which side does what, from the server's point of view.
_ACTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.REQUEST: ("receive",),
    Kind.PUSH: ("send",),
    Kind.HEARTBEAT: ("send", "receive"),
    Kind.REPLY: (),  # described with its request
}


def asyncapi_document(*, version: str, url: str) -> dict[str, object]:
    """The document for the endpoint at ``url`` (``ws://`` or ``wss://``), ready to be written as JSON.

    Raises ``ValueError`` if ``url`` is not a WebSocket URL.
    """
    where = urlsplit(url)
    if where.scheme not in {"ws", "wss"} or not where.netloc:
        raise ValueError(f"not a WebSocket URL: {url}")
    classes = list(message_types().values())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "qlive signalling",
            "version": version,
            "description": _DESCRIPTION,
            "x-close-codes": {str(code.value): code.reason for code in CloseCode},
            "x-signal-codes": {str(code.value): code.text for code in SignalCode},
        },
        "defaultContentType": "application/json",
        "servers": {"signalling": {"host": where.netloc, "protocol": where.scheme}},
        "channels": {
            "signalling": {
                "address": where.path or "/",
                "title": "Signalling",
                "servers": [{"$ref": "#/servers/signalling"}],
                "messages": {
                    cls.__name__: {"$ref": f"#/components/messages/{cls.__name__}"} for cls in classes
                },
            }
        },
        "operations": {
            f"{action}{cls.__name__}": _operation(action, cls)
            for cls in classes
            for action in _ACTIONS[cls.KIND]
        },
        "components": {"messages": {cls.__name__: _message(cls) for cls in classes}},
    }


def _operation(action: str, cls: type[Message]) -> dict[str, object]:
    operation: dict[str, object] = {
        "action": action,
        "channel": {"$ref": _CHANNEL},
        "summary": _summary(cls),
        "messages": [_reference(cls)],
    }
    reply = _reply_of(cls)
    if reply is not None:
        operation["reply"] = {"channel": {"$ref": _CHANNEL}, "messages": [_reference(reply)]}
    return operation


def _reply_of(cls: type[Message]) -> type[Reply] | None:
    return cls.REPLY if issubclass(cls, Request) else None


def _reference(cls: type[Message]) -> dict[str, object]:
    return {"$ref": f"{_CHANNEL}/messages/{cls.__name__}"}


def _message(cls: type[Message]) -> dict[str, object]:
    example = _example(cls)
    return {
        "name": cls.TYPE,
        "title": cls.TYPE,
        "summary": _summary(cls),
        "tags": [{"name": cls.KIND.value}],
        "contentType": "application/json",
        "payload": _payload(cls),
        "examples": [{"name": cls.TYPE, "payload": example}],
        "x-frame": f"{cls.TYPE}={encode_object(example)}",
    }


def _summary(cls: type[Message]) -> str:
    return cls.__doc__ or cls.TYPE


def _payload(cls: type[Message]) -> dict[str, object]:
    fields = wire_fields(cls)
    return {
        "type": "object",
        "properties": {name: _property(field) for name, field in _keys(fields)},
        "required": [name for name, field in _keys(fields) if field.required or not field.omit_empty],
    }


def _property(field: WireField) -> dict[str, object]:
    return {**field.schema, "description": field.doc}


def _example(cls: type[Message]) -> dict[str, object]:
    return {name: field.example for name, field in _keys(wire_fields(cls))}


def _keys(fields: tuple[WireField, ...]) -> list[tuple[str, WireField]]:
    """Every key that is written, in order, second names last."""
    return [(field.name, field) for field in fields] + [(field.also, field) for field in fields if field.also]
