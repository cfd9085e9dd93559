"""In-process timers for facts that end. The facts keep their deadlines; this only makes sure to look in time."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable

import structlog

from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import Arm, DeadlineKind, Disarm, Effect, Outcome
from qlive_core.errors import QliveError
from qlive_core.ports.world import Clock

_LONGEST_SLEEP_S = 1.0  # the clock may stand still meanwhile, or go on from a later time at the start
_AT_ONCE = 64
_RETRY_S = 1.0

Expire = Callable[[str], Awaitable[Outcome[bool]]]


class Deadlines:
    """Calls ``expire`` of a kind for each armed key when its time has come.

    Expiring looks at the fact and does nothing if it has changed; what is disarmed is not even looked at. A call
    that the store fails is made again a little later.
    """

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._heap: list[tuple[float, str, str]] = []
        self._armed: set[tuple[float, str, str]] = set()
        self._sooner = asyncio.Event()
        self._log = structlog.get_logger("qlive.deadlines")

    def arm(self, effect: Arm) -> None:
        """Look at the fact at that time. Arming the same deadline again changes nothing."""
        entry = (effect.at, effect.kind.value, effect.key)
        if entry in self._armed:
            return
        self._armed.add(entry)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._sooner.set()
        self._metrics.deadlines_armed.set(len(self._armed))

    def disarm(self, effect: Disarm) -> None:
        """Do not look. The entry stays in the heap until it comes up, and is passed over there."""
        arm = effect.arm
        self._armed.discard((arm.at, arm.kind.value, arm.key))

    async def run(
        self, expire: dict[DeadlineKind, Expire], effects: Callable[[Iterable[Effect]], None]
    ) -> None:
        """Act on deadlines until cancelled."""
        while True:
            due = self._take_due()
            if not due:
                await self._sleep()
                continue
            for start in range(0, len(due), _AT_ONCE):
                chunk = due[start : start + _AT_ONCE]
                await asyncio.gather(*(self._act(expire, effects, arm) for arm in chunk))

    def _take_due(self) -> list[Arm]:
        now = self._clock.now()
        due = []
        while (soonest := self._soonest()) is not None and soonest[0] <= now:
            self._armed.remove(heapq.heappop(self._heap))
            due.append(Arm(DeadlineKind(soonest[1]), soonest[2], soonest[0]))
        self._metrics.deadlines_armed.set(len(self._armed))
        return due

    def _soonest(self) -> tuple[float, str, str] | None:
        while self._heap and self._heap[0] not in self._armed:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    async def _sleep(self) -> None:
        self._sooner.clear()
        wait_s = _LONGEST_SLEEP_S
        soonest = self._soonest()
        if soonest is not None:
            wait_s = min(wait_s, max(0.0, soonest[0] - self._clock.now()))
        try:
            async with asyncio.timeout(wait_s):
                await self._sooner.wait()
        except TimeoutError:
            return

    async def _act(
        self, expire: dict[DeadlineKind, Expire], effects: Callable[[Iterable[Effect]], None], arm: Arm
    ) -> None:
        try:
            outcome = await expire[arm.kind](arm.key)
        except Exception as error:  # noqa: BLE001 - whatever failed, the deadline must not be lost
            expected = isinstance(error, QliveError)
            self._log.error(
                "deadline failed, will be tried again",
                kind=arm.kind.value,
                detail=str(error),
                exc_info=None if expected else error,
            )
            self.arm(Arm(arm.kind, arm.key, self._clock.now() + (_RETRY_S if expected else 10 * _RETRY_S)))
            return
        effects(outcome.effects)
        if outcome.reply:
            self._metrics.deadline_lag.labels(arm.kind.value).observe(max(0.0, self._clock.now() - arm.at))
