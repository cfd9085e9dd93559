"""An event loop whose time passes at once: whoever sleeps is woken as soon as nobody has anything else to do."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Impatient(selectors.SelectSelector):
    """Never waits: it reports for how long the loop wanted to."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for somebody else"
            self.slept += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Counts the time that it would have slept."""

    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        """Return the time slept so far."""
        return self._impatient.slept


class LoopClock:
    """The time of the running loop, counted from a time like today's."""

    def now(self) -> float:
        """Return Unix seconds."""
        return 1_700_000_000.0 + asyncio.get_running_loop().time()

    def wall(self) -> float:
        return self.now()


def in_no_time(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine in a loop of that kind."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
