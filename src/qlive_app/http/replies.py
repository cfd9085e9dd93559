"""What is sent back: ready bytes with ready headers."""

from litestar.types import Receive, Scope, Send

from qlive_core.signalling.lenient_json import encode_fields

_PIECE_BYTES = 65_536

JSON = "application/json; charset=utf-8"


class Reply:
    """One answer, an ASGI application in itself; it keeps no state and may be sent any number of times."""

    __slots__ = ("_headers", "body", "status")

    def __init__(
        self, body: bytes, status: int = 200, content_type: str = JSON, *, location: str = ""
    ) -> None:
        self.body = body
        self.status = status
        self._headers = (
            (b"content-type", content_type.encode("latin-1")),
            (b"content-length", str(len(body)).encode("ascii")),
            *([(b"location", location.encode("latin-1"))] if location else ()),
        )

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        # The headers are a new list each time: who passes the answer on may add some.
        await send({"type": "http.response.start", "status": self.status, "headers": list(self._headers)})
        # A long body in pieces, the next when the last is taken: or a slow reader would have a copy of all of it.
        body, at = self.body, 0
        while len(body) - at > _PIECE_BYTES:
            await send(
                {"type": "http.response.body", "body": body[at : at + _PIECE_BYTES], "more_body": True}
            )
            at += _PIECE_BYTES
        await send({"type": "http.response.body", "body": body[at:] if at else body, "more_body": False})


def json_reply(answer: object, status: int = 200) -> Reply:
    """Return an instance of a `wired` class as an answer."""
    return Reply(encode_fields(answer).encode(), status)


DONE = Reply(b'""')
"""Success, and nothing to say: apps expect an empty JSON text, not an empty body."""
