"""Closed-loop HTTP load: a number of keep-alive connections that each repeat one GET."""

import asyncio
from time import perf_counter

from qlive_app.bench.http_client import HttpConnection, open_http
from qlive_app.bench.slices import Slice, Work

CONNECTIONS = 64


class _Lane:
    def __init__(
        self, connection: HttpConnection, request: bytes, run: Slice, latencies: list[float]
    ) -> None:
        self._connection = connection
        self._request = request
        self._run = run
        self._latencies = latencies
        self._sent = 0.0
        connection.on_reply = self._replied
        connection.on_lost = run.fail

    def start(self) -> None:
        self._sent = perf_counter()
        self._connection.send(self._request)

    def _replied(self, status: int, body: bytes) -> None:
        now = perf_counter()
        if status != 200:
            self._run.fail(f"HTTP {status}: {body[:200]!r}")
            return
        self._latencies.append(now - self._sent)
        if self._run.wants_more(now):
            self.start()


async def repeat_request(host: str, port: int, request: bytes, seconds: float) -> Work:
    """Send ``request`` over and over on each of the connections, which are opened before the clock starts."""
    connections = await asyncio.gather(*(open_http(host, port) for _ in range(CONNECTIONS)))
    latencies: list[float] = []
    run = Slice(len(connections), seconds)
    try:
        for connection in connections:
            _Lane(connection, request, run, latencies).start()
        return await run.finish({"request": latencies})
    finally:
        for connection in connections:
            connection.close()
