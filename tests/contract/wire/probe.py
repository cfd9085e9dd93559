"""A monitoring system: asks all the time whether the server lives and whether it is ready."""

import asyncio
import time
from types import TracebackType
from typing import Self

import httpx

from .stage import Stage

_EVERY_S = 0.05


class Probe:
    """Runs as long as its context. A /healthz that is not answered with 200 at once fails the test."""

    def __init__(self, stage: Stage) -> None:
        self._api = stage.api()
        self._seen = asyncio.Condition()
        self._ready = True
        self.problems: list[str] = []
        self.changed_at = time.monotonic()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._ask())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        [ended] = await asyncio.gather(self._task, return_exceptions=True)
        if error is None:
            assert isinstance(ended, asyncio.CancelledError), ended

    async def until(self, *, ready: bool, within_s: float) -> float:
        """Wait until the server is ready, or not ready; return since when it has been so."""
        async with asyncio.timeout(within_s), self._seen:
            await self._seen.wait_for(lambda: self._ready is ready or self._task.done())
        return self.changed_at

    async def _ask(self) -> None:
        while True:
            health = await self._api.get("/healthz")
            assert (health.status_code, health.json()) == (200, {"status": "ok"})
            await self._note(await self._api.get("/readyz"))
            await asyncio.sleep(_EVERY_S)

    async def _note(self, answer: httpx.Response) -> None:
        assert answer.status_code in (200, 503)
        async with self._seen:
            if answer.is_success is not self._ready:
                self._ready, self.changed_at = answer.is_success, time.monotonic()
            self.problems = answer.json()["problems"]
            self._seen.notify_all()
