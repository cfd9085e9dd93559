"""A WebSocket client connection without a library between the socket and the callback."""

import asyncio
from collections.abc import Callable
from typing import cast

from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.frames import CLOSE, PING, PONG, TEXT, FrameReader, client_frame

# The key proves nothing here: the bench trusts the server that it has started.
_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class WebSocket(asyncio.Protocol):
    """Calls ``on_text`` with the payload of each text message."""

    def __init__(self, upgrade: bytes) -> None:
        self.on_text: Callable[[bytes], None] = lambda _text: None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._upgrade = upgrade
        self._reader = FrameReader()
        self._transport: asyncio.Transport
        self._head = b""
        self._leaving = False
        self._on_lost: Callable[[str], None] = lambda _reason: None
        self._lost = ""

    def send(self, frame: bytes) -> None:
        """Send one frame made by ``client_frame``."""
        self._transport.write(frame)

    def report_loss(self, to: Callable[[str], None]) -> None:
        """Call ``to`` with the reason when the server hangs up, or at once if it has."""
        self._on_lost = to
        if self._lost:
            to(self._lost)

    def close(self) -> None:
        """Say goodbye and drop the connection, if it is still there."""
        if self._lost:
            return
        self._leaving = True
        self._transport.write(client_frame(CLOSE, b"\x03\xe8"))
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._upgrade)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            data = self._shake_hands(data)
        for opcode, payload in self._reader.feed(data):
            if opcode == TEXT:
                self.on_text(payload)
            elif opcode == PING:
                self.send(client_frame(PONG, payload))

    def connection_lost(self, exc: Exception | None) -> None:
        reason = f"the server closed a WebSocket ({exc or 'end of stream'})"
        if not self.opened.done():
            self.opened.set_exception(MeasurementError(reason))
        if not self._leaving:
            self._lost = reason
            self._on_lost(reason)

    def _shake_hands(self, data: bytes) -> bytes:
        """The bytes that follow the answer to the upgrade, which are frames already."""
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return b""
        if head.startswith(b"HTTP/1.1 101"):
            self.opened.set_result(None)
        else:
            status = head.split(b"\r\n")[0].decode("latin-1")
            self.opened.set_exception(MeasurementError(f"no WebSocket here: {status}"))
        return rest


async def open_websocket(host: str, port: int, path: str) -> WebSocket:
    """Connect and shake hands; MeasurementError if the server refuses."""
    upgrade = _UPGRADE.format(path=path, host=host, port=port).encode()
    _, socket = await asyncio.get_running_loop().create_connection(lambda: WebSocket(upgrade), host, port)
    await socket.opened
    return socket
