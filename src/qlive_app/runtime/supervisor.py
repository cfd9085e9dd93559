"""Keeps the background jobs of the process alive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from attrs import define, field, frozen

from qlive_app.runtime.metrics import Metrics

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_STEADY_AFTER_S = 5.0


@frozen
class Job:
    """What is to run as long as the process does: ``run`` never returns, and may be called again if it does.

    Without an ``essential`` job the process cannot keep its promises; without another it is merely degraded.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    essential: bool = True


@define(eq=False)
class Supervisor:
    """Begins every job again that ends, ever later if it goes on ending, and tells of it.

    ``report`` takes what is wrong with an essential job, ``report_trouble`` what is wrong with another; "" as soon as
    it has run for ``steady_after_s`` seconds.
    """

    report: Callable[[str, str], None]
    report_trouble: Callable[[str, str], None]
    metrics: Metrics
    first_pause_s: float = _FIRST_PAUSE_S
    steady_after_s: float = _STEADY_AFTER_S
    _log: Any = field(factory=lambda: structlog.get_logger("qlive.jobs"), init=False)

    @asynccontextmanager
    async def running(self, jobs: Iterable[Job]) -> "AsyncIterator[Sequence[asyncio.Task[None]]]":
        """Run the jobs. The tasks that look after them are given; if one of these ends, there is no help any more."""
        keepers = [asyncio.create_task(self._keep(job), name=f"keeper of {job.name}") for job in jobs]
        try:
            yield keepers
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def _keep(self, job: Job) -> None:
        pause_s = self.first_pause_s
        while True:
            # A task of its own: whoever cancels the job by mistake does not cancel what looks after it.
            life = asyncio.create_task(_live(job), name=job.name)
            try:
                done, _ = await asyncio.wait([life], timeout=self.steady_after_s)
                if not done:
                    self._tell(job, "")
                    pause_s = self.first_pause_s
                    await asyncio.wait([life])
            finally:
                life.cancel()
                await asyncio.wait([life])  # it may have something to finish
            self._mourn(job, life, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _mourn(self, job: Job, life: "asyncio.Task[None]", pause_s: float) -> None:
        error = asyncio.CancelledError("cancelled") if life.cancelled() else life.exception()
        self.metrics.job_failures.labels(job.name).inc()
        self._tell(job, "failed and is begun again")
        self._log.error(
            "background job ended, will be begun again", job=job.name, again_in_s=pause_s, exc_info=error
        )

    def _tell(self, job: Job, what: str) -> None:
        (self.report if job.essential else self.report_trouble)(f"job {job.name}", what)


async def _live(job: Job) -> None:
    await job.run()
    raise RuntimeError("the job returned")
