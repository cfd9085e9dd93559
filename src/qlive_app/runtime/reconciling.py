"""The slowest round: compare qlive with its clouds, a bounded part at a time, and heal what stays different."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import partial

import structlog
from attrs import define, field

from qlive_app.config import Reconcile
from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import Effect
from qlive_core.errors import ProviderUnavailable, Unavailable
from qlive_core.usecases.reconciler import Drift, Reconciler

_AT_ONCE = 8


@define
class Rotation:
    """Goes around, so that each is looked at in its turn; suspects are looked at in every round."""

    last: str = ""

    def next(self, keys: Sequence[str], count: int, suspects: Collection[str]) -> list[str]:
        """Return ``count`` of the keys, which are sorted, behind the last ones, and those suspects among the keys."""
        behind = [key for key in keys if key > self.last]
        turn = (behind + [key for key in keys if key <= self.last])[:count]
        self.last = turn[-1] if turn else ""
        return sorted({*turn, *(set(keys) & set(suspects))})


@define(eq=False)
class Reconciling:
    """Rounds until cancelled. A cloud that does not answer is asked again in the next one."""

    reconciler: Reconciler
    conf: Reconcile
    metrics: Metrics
    _suspects: frozenset[Drift] = field(default=frozenset(), init=False)
    _rooms: Rotation = field(factory=Rotation, init=False)
    _users: Rotation = field(factory=Rotation, init=False)
    _log: structlog.stdlib.BoundLogger = field(
        factory=lambda: structlog.get_logger("qlive.reconcile"), init=False
    )

    async def run(self, run: Callable[[Iterable[Effect]], None]) -> None:
        """Make a round every ``interval_s`` seconds."""
        while True:
            await asyncio.sleep(self.conf.interval_s)
            try:
                await self.round(run)
            except Unavailable as error:
                self._log.warning("reconciling put off", error=str(error))
            except Exception:  # noqa: BLE001 - whatever it is, it is not the last round
                self._log.exception("reconciling failed")

    async def round(self, run: Callable[[Iterable[Effect]], None]) -> None:
        """Look at the next part; heal what was different in the last look too."""
        found = frozenset({*await self._look_at_rooms(), *await self._look_at_users()})
        for drift in found - self._suspects:
            self.metrics.count_drift(drift.kind.value, "found")
        for drift in found & self._suspects:
            await self._heal(drift, run)
        self._suspects = found

    async def _look_at_rooms(self) -> list[Drift]:
        rooms = {room.id: room for room in await self.reconciler.rooms.all()}
        suspects = {drift.room_id for drift in self._suspects}
        turn = [rooms[key] for key in self._rooms.next(sorted(rooms), self.conf.rooms_per_round, suspects)]
        look = self.reconciler.look_at_room
        return await self._all_of(
            [*(partial(look, room) for room in turn), partial(self.reconciler.look_at_chats, turn)]
        )

    async def _look_at_users(self) -> list[Drift]:
        suspects = {drift.user_id for drift in self._suspects}
        turn = self._users.next(await self.reconciler.doubtful(), self.conf.users_per_round, suspects)
        return await self._all_of([partial(self.reconciler.look_at_user, user_id) for user_id in turn])

    async def _all_of(self, looks: Sequence[Callable[[], Awaitable[frozenset[Drift]]]]) -> list[Drift]:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def look(at: Callable[[], Awaitable[frozenset[Drift]]]) -> frozenset[Drift]:
            async with turns:
                try:
                    return await at()
                except ProviderUnavailable:
                    return frozenset()  # counted and logged where the cloud was called

        return [drift for found in await asyncio.gather(*map(look, looks)) for drift in found]

    async def _heal(self, drift: Drift, run: Callable[[Iterable[Effect]], None]) -> None:
        try:
            outcome = await self.reconciler.heal(drift)
        except ProviderUnavailable:
            self.metrics.count_drift(drift.kind.value, "failed")
            return
        run(outcome.effects)
        if outcome.reply:
            self.metrics.count_drift(drift.kind.value, "healed")
            self._log.warning(
                "drift healed", kind=drift.kind.value, room_id=drift.room_id, user_id=drift.user_id
            )
