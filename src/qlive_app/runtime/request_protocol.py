"""HTTP/1.1 for clients that may be slow, endless or not speaking HTTP at all.

uvicorn's parser bounds neither the head of a request nor the time that a request takes to arrive.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX_BYTES = 65_536
REQUEST_WITHIN_S = 30.0


class RequestProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds. ``refusal`` makes the whole answer to what is no HTTP request."""

    refusal: ClassVar[Callable[[], bytes]]
    _late: asyncio.TimerHandle | None = None
    _head_bytes = 0
    """Bytes received since the last request was whole; counted only until the head of this one is."""
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_MAX_BYTES and not self.transport.is_closing():
                self.send_400_response("head too long")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._relax()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self.logger.debug("not a request: %s", msg)
        self._relax()
        self.transport.write(type(self).refusal())
        self.transport.close()

    def _expect(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(REQUEST_WITHIN_S, self.transport.abort)

    def _relax(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def refusing(make: Callable[[], tuple[str, bytes, dict[str, str]]]) -> type[RequestProtocol]:
    """Return a protocol that answers what is no request with the content type, body and headers of ``make``."""

    def refusal() -> bytes:
        content_type, body, headers = make()
        lines = [
            "HTTP/1.1 400 Bad Request",
            f"content-type: {content_type}",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
            "connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    return type("RefusingProtocol", (RequestProtocol,), {"refusal": staticmethod(refusal)})
