"""Reading what a request says in its body."""

from typing import TypeVar

from litestar.types import Receive

from qlive_core.errors import BadRequest
from qlive_core.signalling.lenient_json import MalformedJson, WrongType, decode, decode_body

MAX_BYTES = 65_536
"""No app sends a tenth of it, and reading more would hold everybody else up."""

Body = TypeVar("Body")


async def read_body(receive: Receive, body_class: type[Body]) -> Body:
    """Read the body as JSON, whatever type the request declares.

    Raises BadRequest if it is not an object (nor null), or has a field of another type, or is longer than
    MAX_BYTES, or never came in full.
    """
    try:
        return decode(body_class, decode_body(await read_bytes(receive)))
    except (MalformedJson, WrongType):
        raise _unreadable() from None


async def read_bytes(receive: Receive, max_bytes: int = MAX_BYTES) -> bytes:
    """Read the body as it is. Raises BadRequest if it is longer than ``max_bytes``, or never came in full."""
    received = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _unreadable()  # the caller has gone; nobody will hear this
        received += message["body"]
        if len(received) > max_bytes:
            raise _unreadable()
        if not message["more_body"]:
            return bytes(received)


def _unreadable() -> BadRequest:
    return BadRequest("invalid args in request body")
