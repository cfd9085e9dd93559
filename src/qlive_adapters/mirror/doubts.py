"""Writes of which nobody knows whether they took place, and may still take place."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from attrs import define

LANDS_WITHIN_S: Final = 60.0
"""A write may lie in a socket, in a queue or in front of a disk, while others pass it. After so long, counted
from the last failure of any kind, it has come to nothing."""
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 2.0
_AT_ONCE = 16

Look = Callable[[], Awaitable[bool]]
"""Looks at the store, corrects the mirror and tells whether the write is decided. Raises StoreUnavailable."""


@define(eq=False)
class _Doubt:
    look: Look
    until: float


class Doubts:
    """Looks after each doubtful write again and again, ever less often, until it is known what became of it."""

    def __init__(self) -> None:
        self._open: dict[Hashable, _Doubt] = {}
        self._looker: asyncio.Task[None] | None = None
        self._pause_s = _FIRST_PAUSE_S

    def __contains__(self, subject: Hashable) -> bool:
        return subject in self._open

    def begin(self, subject: Hashable, look: Look) -> None:
        """Begin to look after what was written to ``subject``. Never waits."""
        # The newest write was decided on what the mirror last knew, so it speaks for those before it.
        self._open[subject] = _Doubt(look, self._time_is_up())
        self._pause_s = _FIRST_PAUSE_S
        if self._looker is None or self._looker.done():
            self._looker = asyncio.get_running_loop().create_task(self._look_until_all_is_known())

    async def _look_until_all_is_known(self) -> None:
        while self._open:
            subjects = list(self._open)
            for start in range(0, len(subjects), _AT_ONCE):
                await asyncio.gather(*(self._look(subject) for subject in subjects[start : start + _AT_ONCE]))
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    async def _look(self, subject: Hashable) -> None:
        doubt = self._open[subject]
        try:
            known = await doubt.look()
        except Exception:  # noqa: BLE001 - whatever it is, the other doubts are looked after
            doubt.until = self._time_is_up()
            return
        now = asyncio.get_running_loop().time()
        # While this one was looked at, another write may have become doubtful.
        if (known or now > doubt.until) and self._open.get(subject) is doubt:
            del self._open[subject]

    @staticmethod
    def _time_is_up() -> float:
        return asyncio.get_running_loop().time() + LANDS_WITHIN_S
