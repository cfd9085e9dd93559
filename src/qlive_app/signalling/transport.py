"""What the session needs of the socket and ASGI does not show: ping frames, and what the peer has not acknowledged."""

import fcntl
import struct
import termios
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

_CLOSE_TIMEOUT_S = 1.0


class Wire:
    """The socket under one WebSocket connection; found in ``scope["state"]["wire"]``."""

    __slots__ = ("_protocol", "on_frame")

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol
        self.on_frame: Callable[[], None] | None = None
        """Called for each ping or pong frame of the client."""

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

    def refused(self) -> None:
        """Note that the handshake was answered with an HTTP response; uvicorn would report a missing answer."""
        self._protocol.handshake_complete = True

    def abort(self) -> None:
        """Drop the connection without another word, for a client that reads nothing."""
        self._protocol.transport.abort()


class SignalProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, with the socket made known to the application.

    iOS shows life with WebSocket ping frames alone, so these must be seen. And a close frame is followed by
    the end of the TCP connection after a second at most: Android's client does not answer close frames.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = _CLOSE_TIMEOUT_S
        self._wire = Wire(self)

    async def run_asgi(self) -> None:
        self.scope["state"]["wire"] = self._wire
        await super().run_asgi()

    def handle_ping(self) -> None:
        super().handle_ping()
        self._frame_came()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._frame_came()

    def _frame_came(self) -> None:
        if self._wire.on_frame is not None:
            self._wire.on_frame()
