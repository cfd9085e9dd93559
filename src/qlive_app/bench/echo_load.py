"""Closed-loop WebSocket load: connections that each wait for the echo of one text before sending the next."""

import asyncio
from time import perf_counter

from qlive_app.bench.frames import TEXT, client_frame
from qlive_app.bench.slices import Slice, Work
from qlive_app.bench.websocket import WebSocket, open_websocket

CONNECTIONS = 50
_TEXT = b"x" * 64


class _Lane:
    _frame = client_frame(TEXT, _TEXT)

    def __init__(self, socket: WebSocket, run: Slice, latencies: list[float]) -> None:
        self._socket = socket
        self._run = run
        self._latencies = latencies
        self._sent = 0.0
        socket.on_text = self._echoed
        socket.report_loss(run.fail)

    def start(self) -> None:
        self._sent = perf_counter()
        self._socket.send(self._frame)

    def _echoed(self, text: bytes) -> None:
        now = perf_counter()
        if text != _TEXT:
            self._run.fail(f"not an echo: {text[:200]!r}")
            return
        self._latencies.append(now - self._sent)
        if self._run.wants_more(now):
            self.start()


async def echo(host: str, port: int, path: str, seconds: float) -> Work:
    """Keep one 64-byte text outstanding on each connection; they are opened before the clock starts."""
    sockets = await asyncio.gather(*(open_websocket(host, port, path) for _ in range(CONNECTIONS)))
    latencies: list[float] = []
    run = Slice(len(sockets), seconds)
    try:
        for socket in sockets:
            _Lane(socket, run, latencies).start()
        return await run.finish({"echo": latencies})
    finally:
        for socket in sockets:
            socket.close()
