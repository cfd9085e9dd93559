"""What the session needs of the socket and ASGI does not show: ping frames, and what the peer has not acknowledged."""

import fcntl
import struct
import termios
from asyncio import BaseTransport, Transport
from collections.abc import Callable, Generator
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import Protocol
from websockets.server import ServerProtocol

from qlive_app.runtime.request_protocol import Upgraded

_CLOSE_TIMEOUT_S = 1.0
_UNREAD_MAX_BYTES = 262_144
_PIECE_BYTES = 4096


class Wire:
    """The socket under one WebSocket connection; found in ``scope["state"]["wire"]``."""

    __slots__ = ("_protocol", "cut_off", "on_frame", "on_shutdown", "was_reset")

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol
        self.on_frame: Callable[[], None] | None = None
        """Called for each ping or pong frame of the client."""
        self.on_shutdown: Callable[[], None] | None = None
        """Called when the server shuts down; it ends the connection."""
        self.cut_off = False
        """Whether the connection is lost with bytes under way that the peer's host has not confirmed."""
        self.was_reset = False
        """Whether the peer ended it by a reset, as it does when it has not read all that it had received."""

    def unacknowledged_bytes(self) -> int:
        """Return how many bytes the peer's host has not confirmed; 0 where the system cannot tell."""
        transport = self._protocol.transport
        waiting: int = transport.get_write_buffer_size()
        sock = transport.get_extra_info("socket")
        try:
            answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        except (OSError, ValueError):
            return waiting
        in_kernel: int = struct.unpack("i", answer)[0]
        return waiting + in_kernel

    def is_ending(self) -> bool:
        """Tell whether the connection is over or about to be; what is written then is lost without a word."""
        return self._protocol.transport.is_closing()

    def write(self, text: str) -> bool:
        """Write a text frame if the socket takes it now; return whether it did.

        The same as ASGI's send, without a task and the layers in between, which cost more than the writing.
        """
        protocol = self._protocol
        if not protocol.writable.is_set() or protocol.close_sent or protocol.transport.is_closing():
            return False
        try:
            protocol.conn.send_text(text.encode())
        except InvalidState:
            return False
        protocol.transport.write(b"".join(protocol.conn.data_to_send()))
        return True

    def refused(self) -> None:
        """Note that the handshake was answered with an HTTP response; uvicorn would report a missing answer."""
        self._protocol.handshake_complete = True
        self.end_soon()

    def abort(self) -> None:
        """Drop the connection without another word, for a client that reads nothing."""
        self._protocol.transport.abort()

    def end(self) -> None:
        """End the TCP connection behind what is written, without a close frame."""
        self._protocol.transport.close()

    def end_soon(self) -> None:
        """Drop the connection if it has not ended by itself when the time for a closing handshake is over.

        Closing alone waits until all is written, which never happens if the client does not read.
        """
        self._protocol.loop.call_later(_CLOSE_TIMEOUT_S, self.abort)


class _Frames(ServerProtocol):
    """The server's side of WebSocket from the first frame on: the handshake was parsed as the request that it is."""

    def parse(self) -> Generator[None]:
        return Protocol.parse(self)


class SignalProtocol(WebSocketsSansIOProtocol, Upgraded):
    """uvicorn's protocol, with the socket made known to the application.

    iOS shows life with WebSocket ping frames alone, so these must be seen. A close frame is followed by the end of
    the TCP connection after a second at most: Android's client does not answer close frames. And how a connection
    ends when the server shuts down is up to the session.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = _CLOSE_TIMEOUT_S
        self.conn = _Frames(max_size=self.config.ws_max_size, logger=self.logger)
        self._received = b""
        self._wire = Wire(self)
        self._serving = False

    def connection_made(self, transport: BaseTransport) -> None:
        # The HTTP protocol that saw the handshake has nothing more to do, but holds its parser, and that it.
        handshake = cast("Transport", transport).get_protocol()
        if isinstance(handshake, HttpToolsProtocol):
            handshake.parser = None  # type: ignore[assignment]  # as uvicorn does when a connection is lost
        super().connection_made(transport)

    def upgraded(self, target: str, headers: list[tuple[bytes, bytes]], early: bytes) -> None:
        """Answer the handshake; ``early`` are bytes of frames that came behind it without waiting for that."""
        self._received = early
        known = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        self.handle_connect(Request(target, known))

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        self._serving = self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
        if not self._serving:
            self._wire.end_soon()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        self._parse()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self._received and message["type"] == "websocket.accept":
            self._parse()

    async def receive(self) -> Any:
        message = await super().receive()
        if self._received and self.queue.empty():
            self._parse()
        return message

    def _parse(self) -> None:
        """Look at a little of what came; the rest is for when the messages in it are handled, or others were."""
        if not self._may_parse():
            self._hold()
            return
        piece, self._received = self._received[:_PIECE_BYTES], self._received[_PIECE_BYTES:]
        super().data_received(piece)
        if self._received:
            self._hold()
            if self._may_parse():
                self.loop.call_soon(self._parse)
        elif self.read_paused and self._may_parse():
            self.read_paused = False
            self.transport.resume_reading()

    def _may_parse(self) -> bool:
        # After our close frame nothing is queued any more, and the client's own is waited for.
        return self.close_sent or (self.handshake_complete and self.queue.empty())

    def _hold(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    async def run_asgi(self) -> None:
        self.scope["state"]["wire"] = self._wire
        try:
            await super().run_asgi()
        finally:
            self.scope["state"].clear()
            self._serving = False
            self._let_go()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wire.cut_off = self._wire.unacknowledged_bytes() > 0
        self._wire.was_reset = isinstance(exc, ConnectionError)
        super().connection_lost(exc)
        self._let_go()

    def _let_go(self) -> None:
        """Undo what refers to itself, once all is over: 25 KiB a connection that wait for the collector."""
        if self.disconnected and not self._serving:
            del self._wire
            self.conn.parser.close()

    def handle_ping(self) -> None:
        super().handle_ping()
        # A ping is answered at once and by no queue; who reads no answers must not have us keep them all.
        if self.transport.get_write_buffer_size() > _UNREAD_MAX_BYTES:
            self._wire.abort()
        self._frame_came()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._frame_came()

    def handle_cont(self, event: Frame) -> None:
        # Fragments without content do not count towards the size limit; kept, they would pile up.
        if event.data or event.fin:
            super().handle_cont(event)

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._wire.end_soon()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._wire.end_soon()

    def shutdown(self) -> None:
        if self._wire.on_shutdown is not None:
            self._wire.on_shutdown()
        else:
            super().shutdown()
        self._wire.end_soon()

    def _frame_came(self) -> None:
        if self._wire.on_frame is not None:
            self._wire.on_frame()
