"""A keep-alive HTTP/1.1 client connection that sends prepared bytes and counts the bytes that come back."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

from qlive_app.bench.errors import MeasurementError

_LENGTH = b"content-length:"


def request_bytes(method: str, path: str, *, token: str | None = None, body: object = None) -> bytes:
    """A whole request, ready to be sent any number of times."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class HttpConnection(asyncio.Protocol):
    """Calls ``on_reply`` with status and body. One request may be outstanding at a time."""

    def __init__(self) -> None:
        self.on_reply: Callable[[int, bytes], None] = lambda _status, _body: None
        self.on_lost: Callable[[str], None] = lambda _reason: None
        self._transport: asyncio.Transport
        self._received = b""
        self._body_at = 0
        self._end = 0
        self._leaving = False

    def send(self, request: bytes) -> None:
        """Send one request made by ``request_bytes``."""
        self._transport.write(request)

    def close(self) -> None:
        self._leaving = True
        self._transport.close()

    async def call(self, request: bytes) -> Any:
        """The JSON body of the answer; MeasurementError unless its status is 200."""
        reply: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def lost(reason: str) -> None:
            if not reply.done():
                reply.set_exception(MeasurementError(reason))

        self.on_reply = lambda status, body: reply.set_result((status, body))
        self.on_lost = lost
        self.send(request)
        status, body = await reply
        if status != 200:
            line = request.split(b"\r\n", 1)[0].decode()
            raise MeasurementError(f"{line}: {status} {body.decode(errors='replace')}")
        return json.loads(body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        if not self._end and not self._read_head(received):
            return
        if len(received) < self._end:
            return
        body_at, self._body_at, self._end, self._received = self._body_at, 0, 0, b""
        self.on_reply(int(received[9:12]), received[body_at:])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._leaving:
            self.on_lost(f"the server closed an HTTP connection ({exc or 'end of stream'})")

    def _read_head(self, received: bytes) -> bool:
        """Whether the head is complete; if so, where the body begins and the answer ends is known."""
        blank = received.find(b"\r\n\r\n")
        if blank < 0:
            return False
        head = received[:blank].lower()
        at = head.find(_LENGTH)
        if at < 0:
            self.on_lost("the server sent an answer without Content-Length")
            return False
        self._body_at = blank + 4
        self._end = self._body_at + int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        return True


async def open_http(host: str, port: int) -> HttpConnection:
    _, connection = await asyncio.get_running_loop().create_connection(HttpConnection, host, port)
    return connection
