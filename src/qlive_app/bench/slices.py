"""A slice: some seconds of closed-loop load, in which every lane starts anew as soon as it is done."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import attrs

from qlive_app.bench.errors import MeasurementError

# Longer than any deadline of the signalling, so that a stuck server is told from a slow one.
PATIENCE_S = 20.0


@attrs.frozen
class Work:
    """What a slice got done: operations, seconds, and the latencies in seconds of each named step."""

    operations: int
    elapsed_s: float
    latencies_s: dict[str, list[float]]


class Slice:
    """Counts operations until the time is up, then lets each lane finish the one that it is in."""

    def __init__(self, lanes: int, seconds: float) -> None:
        self.operations = 0
        self.began = perf_counter()
        self._until = self.began + seconds
        self._seconds = seconds
        self._lanes = lanes
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wants_more(self, now: float) -> bool:
        """Count one operation that ended ``now``; whether its lane shall start another."""
        self.operations += 1
        if now < self._until:
            return True
        self._lanes -= 1
        if not self._lanes and not self._over.done():
            self._over.set_result(None)
        return False

    def fail(self, reason: str) -> None:
        """Give the slice up: what was measured so far means nothing."""
        if not self._over.done():
            self._over.set_exception(MeasurementError(reason))

    async def finish(self, latencies_s: dict[str, list[float]]) -> Work:
        """Wait for the last lane. MeasurementError if a lane failed or never ended its operation."""
        try:
            await asyncio.wait_for(self._over, self._seconds + PATIENCE_S)
        except TimeoutError as exc:
            raise MeasurementError(f"{self._lanes} lanes got no answer within {PATIENCE_S:.0f} s") from exc
        return Work(self.operations, perf_counter() - self.began, latencies_s)


@contextmanager
def no_collector_pauses() -> Iterator[None]:
    """Keep the load generator's garbage collector from showing up as the server's p99."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
