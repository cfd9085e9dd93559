"""The record of what a fake was called for."""

import asyncio
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase

from attrs import frozen

from qlive_app.fakes.serving.faults import Fault
from qlive_app.fakes.serving.wire import Answer, Request

KEPT = 1000


@frozen(kw_only=True)
class Call:
    """One call: on which listener, what was asked, and what came of it.

    ``answer`` is what the fake had to say, None if the call took no effect; with a ``fault`` the caller may
    have seen something else. ``took_s`` ends when the answer is written.
    """

    at: float
    listener: int
    request: Request
    answer: Answer | None
    fault: Fault | None
    took_s: float

    @property
    def outcome(self) -> str:
        """What the caller saw: a status, or the name of the fault."""
        if self.fault is None or (self.fault.kind == "late" and self.answer):
            return str(self.answer.status) if self.answer else "?"
        return str(self.fault.status) if self.fault.kind == "answer" else self.fault.kind


class Calls:
    """The last thousand calls. ``watch`` is told each one."""

    def __init__(self) -> None:
        self._kept: deque[Call] = deque(maxlen=KEPT)
        self._news = asyncio.Event()
        self.watch: Callable[[Call], None] = lambda _call: None

    def add(self, call: Call) -> None:
        """Record a call."""
        self._kept.append(call)
        self.watch(call)
        self._news.set()

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()

    def to(self, path: str = "*", method: str | None = None) -> list[Call]:
        """Return the calls to a path, given as a pattern with ``*``, oldest first."""
        return [
            each
            for each in self._kept
            if fnmatchcase(each.request.path, path) and method in (None, each.request.method)
        ]

    async def until(self, path: str, count: int = 1, *, timeout_s: float = 5.0) -> list[Call]:
        """Wait until there were so many calls to a path, and return them. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while len(found := self.to(path)) < count:
                self._news.clear()
                await self._news.wait()
        return found
