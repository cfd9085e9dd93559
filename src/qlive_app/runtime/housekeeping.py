"""The slow round: sweep often, tidy seldom, push metrics if wanted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import httpx
import structlog

from qlive_adapters.local import BEAT_S, SystemClock
from qlive_app.config import Prometheus
from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_core.effects import Effect
from qlive_core.errors import StoreUnavailable, Unavailable
from qlive_core.usecases.census import Census

SWEEP_INTERVAL_S = 5.0
_PING_INTERVAL_S = 1.0
_PING_WITHIN_S = 5.0
_TIDY_EVERY = 120
_LOOKS = 2


class Reach(Protocol):
    """Knows how users are reached by this process."""

    def is_connected(self, user_id: str, connection_id: str) -> bool:
        """Tell whether that connection of the user is there and counts."""
        ...

    def is_reached_over_im(self, user_id: str) -> bool:
        """Tell whether pushes to the user go over IM, as long as he has no connection."""
        ...


async def keep_time(clock: SystemClock) -> None:
    """Let the clock know that the process is running, until cancelled."""
    while True:
        clock.beat()
        await asyncio.sleep(BEAT_S)


async def sweep_for_ever(services: Services, people: Reach, run: Callable[[Iterable[Effect]], None]) -> None:
    """Look around every few seconds until cancelled; what fails is logged and tried again next time."""
    log = structlog.get_logger("qlive.sweep")
    suspects: frozenset[tuple[str, str]] = frozenset()
    rounds = 0
    while True:
        await asyncio.sleep(SWEEP_INTERVAL_S)
        rounds += 1
        try:
            orphans = await services.attendance.orphans(people.is_connected)
            for user_id, connection_id in orphans & suspects:
                run((await services.attendance.drop(user_id, connection_id)).effects)
            suspects = orphans
            run(await services.attendance.unreached_over_im(people.is_reached_over_im))
            run(await services.sweep.look_around(2 * SWEEP_INTERVAL_S))
            if rounds % _TIDY_EVERY == 0:
                log.debug("tidied", removed=await services.sweep.tidy())
        except Unavailable as error:
            log.warning("sweep put off", error=str(error))
        except Exception:
            log.exception("sweep failed")


async def watch_store(
    ping: Callable[[], Awaitable[None]],
    reload: Callable[[], Awaitable[None]],
    report: Callable[[str, str], None],
) -> None:
    """Ask the store every second whether it is there until cancelled, and report it.

    When it is back, ``reload`` finds out which of the writes that failed took place after all; and once more
    at the next ping, for a store that merely hung may still have been at work on some of them.
    """
    log = structlog.get_logger("qlive.store")
    healthy = True
    looks = 0
    while True:
        await asyncio.sleep(_PING_INTERVAL_S)
        try:
            async with asyncio.timeout(_PING_WITHIN_S):
                await ping()
            if looks:
                await reload()
                looks -= 1
        except (StoreUnavailable, TimeoutError) as error:
            report("store", "does not answer")
            if healthy:
                log.warning("store lost", error=str(error))
            healthy, looks = False, _LOOKS
        except Exception:
            report("store", "cannot be watched")
            log.exception("store watch failed")
            healthy, looks = False, _LOOKS
        else:
            report("store", "")
            if not healthy:
                log.warning("store is back")
            healthy = True


async def push_for_ever(conf: Prometheus, metrics: Metrics, census: Census) -> None:
    """Push all metrics to the gateway at the configured interval until cancelled."""
    log = structlog.get_logger("qlive.metrics")
    url = f"{conf.push_url}/metrics/job/{conf.push_job}"
    async with httpx.AsyncClient(timeout=10.0) as client:
        while True:
            try:
                metrics.show(await census.taken())
                answer = await client.put(
                    url, content=metrics.render(), headers={"Content-Type": metrics.content_type}
                )
                answer.raise_for_status()
            except httpx.HTTPError as error:
                log.warning("metrics not pushed", url=url, error=repr(error))
            await asyncio.sleep(conf.push_interval_s)
