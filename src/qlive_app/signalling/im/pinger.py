"""Asking over IM who is still there: once per interval, many users in a call, and never all calls at once."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import Effect
from qlive_core.errors import ProviderUnavailable
from qlive_core.ports.clouds import ImSignals
from qlive_core.ports.world import Clock
from qlive_core.signalling import Ping, encode
from qlive_core.usecases.attendance import Attendance

USERS_PER_CALL = 200
CALLS_AT_ONCE = 8

_PING = encode(Ping())


class ImPinger:
    """Pings those who are reached over IM only. What the cloud did not take counts as not asked."""

    def __init__(
        self,
        attendance: Attendance,
        signals: ImSignals,
        clock: Clock,
        metrics: Metrics,
        *,
        interval_s: float,
    ) -> None:
        self._attendance = attendance
        self._signals = signals
        self._clock = clock
        self._metrics = metrics
        self._interval_s = interval_s
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        self._log = structlog.get_logger("qlive.im")

    async def run(
        self, reachable: Callable[[], list[str]], effects: Callable[[Iterable[Effect]], None]
    ) -> None:
        """Ping for ever. ``reachable`` tells who is to be asked, in an order that hardly changes.

        The users of a round are spread over the interval, so that each has his place in it. A round whose calls
        take longer than that is followed at once by the next.
        """
        loop = asyncio.get_running_loop()
        # Calls of an earlier run may have ended before they began, and kept their slots.
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        async with asyncio.TaskGroup() as calls:
            while True:
                began = loop.time()
                user_ids = reachable()
                self._metrics.im_reachable.set(len(user_ids))
                batches = [user_ids[n : n + USERS_PER_CALL] for n in range(0, len(user_ids), USERS_PER_CALL)]
                for number, batch in enumerate(batches):
                    due = began + self._interval_s * number / len(batches)
                    await asyncio.sleep(due - loop.time())
                    await self._slots.acquire()
                    calls.create_task(self._ping(batch, due, effects))
                await asyncio.sleep(began + self._interval_s - loop.time())

    async def _ping(
        self, user_ids: list[str], due: float, effects: Callable[[Iterable[Effect]], None]
    ) -> None:
        try:
            silent = await self._attendance.to_ping_over_im(user_ids)
            effects(silent.effects)
            since = self._clock.now()
            if silent.reply:
                await self._signals.send(silent.reply, _PING)
                self._attendance.pinged_over_im(silent.reply, since)
        except ProviderUnavailable:
            return  # who watches the cloud says so
        except Exception:  # noqa: BLE001 - the next round has to come
            self._log.exception("im ping failed")
        else:
            self._metrics.im_ping_lag.observe(asyncio.get_running_loop().time() - due)
        finally:
            self._slots.release()
