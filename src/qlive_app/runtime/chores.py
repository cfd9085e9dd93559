"""What clouds are to do after a commit: chat rooms and composed streams, in the background.

Nobody waits for a chore, and a cloud in trouble only delays it. Chores of one room or PK are done one after the
other. Of those that are lost, by a crash or because the cloud was away for too long, missing chat rooms are made by
the reconciler and composing is begun again by the next start; what should have ended ends at the vendor's, when nobody
is left in it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from attrs import define, field

from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import CloseChat, Compose, OpenChat, StopComposing
from qlive_core.errors import ProviderUnavailable
from qlive_core.ports.clouds import ChatRooms, StreamJobs
from qlive_core.usecases.composition import jobs_of

Chore = OpenChat | CloseChat | Compose | StopComposing

_SUBJECTS_MAX = 10_000
_AT_ONCE = 16
_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
_FAREWELL_S = 1.0


def _subject(chore: Chore) -> str:
    return chore.room_id if isinstance(chore, OpenChat | CloseChat) else chore.pk.id


@define(eq=False)
class CloudChores:
    """Does chores for those clouds that are there; without one its chores are nobody's."""

    chats: ChatRooms | None
    streams: StreamJobs | None
    metrics: Metrics
    waits_s: tuple[float, ...] = _WAITS_S
    """How long to wait before each further try."""
    _waiting: dict[str, deque[Chore]] = field(factory=dict, init=False)
    _tasks: set["asyncio.Task[None]"] = field(factory=set, init=False)
    _turns: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False)
    _log: Any = field(factory=lambda: structlog.get_logger("qlive.chores"), init=False)

    def put(self, chore: Chore) -> None:
        """Have it done soon. Never waits."""
        if (self.chats if isinstance(chore, OpenChat | CloseChat) else self.streams) is None:
            return
        subject = _subject(chore)
        waiting = self._waiting.get(subject)
        if waiting is not None:
            waiting.append(chore)
        elif len(self._waiting) < _SUBJECTS_MAX:
            self._waiting[subject] = deque((chore,))
            task = asyncio.get_running_loop().create_task(self._see_to(subject))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._count(chore, "dropped")

    async def close(self) -> None:
        """Give what is under way a moment, then let go."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_FAREWELL_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _see_to(self, subject: str) -> None:
        waiting = self._waiting[subject]
        try:
            while waiting:
                chore = waiting.popleft()
                self._count(chore, await self._fate(chore, waiting))
        finally:
            del self._waiting[subject]

    async def _fate(self, chore: Chore, waiting: deque[Chore]) -> str:
        for wait_s in (*self.waits_s, None):
            if waiting:
                return "superseded"  # what begins is over already
            try:
                async with self._turns:
                    await self._do(chore)
            except ProviderUnavailable:
                if wait_s is None:
                    break
                await asyncio.sleep(wait_s)
            except Exception:  # noqa: BLE001 - a chore is one of many, and nobody waits for it
                self._log.exception("chore failed", chore=type(chore).__name__, subject=_subject(chore))
                return "failed"
            else:
                return "done"
        self._log.warning("chore given up", chore=type(chore).__name__, subject=_subject(chore))
        return "given up"

    async def _do(self, chore: Chore) -> None:
        match chore:
            case OpenChat(room_id, name) if self.chats:
                await self.chats.open(room_id, name)
            case CloseChat(room_id) if self.chats:
                await self.chats.close(room_id)
            case Compose(pk) if self.streams:
                await _each(self.streams.start, jobs_of(pk))
            case StopComposing(pk) if self.streams:
                await _each(self.streams.stop, jobs_of(pk))

    def _count(self, chore: Chore, fate: str) -> None:
        self.metrics.count_chore(type(chore).__name__, fate)


async def _each(do: Callable[[Any], Awaitable[None]], jobs: tuple[Any, ...]) -> None:
    for job in jobs:
        await do(job)
