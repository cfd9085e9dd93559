"""The way to the server: so many at a time, each within a bounded time, and errors that the ports know."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import pymongo
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from qlive_adapters.patience import patience
from qlive_core.errors import StoreUnavailable

Result = TypeVar("Result")
CommitObserver = Callable[[int, float], None]
"""Is told how many operations shared a commit and how many seconds it took."""

_TEXT_MAX = 300
# The driver takes 0 for no bound at all.
_LEAST_S = 0.001


def unavailable(error: Exception) -> StoreUnavailable:
    """Return the error as the ports know it; the driver's own text may describe a whole cluster."""
    failure = StoreUnavailable(f"{type(error).__name__}: {error}"[:_TEXT_MAX])
    failure.__cause__ = error
    return failure


@contextmanager
def translated() -> Iterator[None]:
    """Let no error of the driver out: whatever it is, the store could not answer."""
    try:
        yield
    except (PyMongoError, ValidationError) as error:
        raise unavailable(error) from error


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Tell the driver to give up at ``deadline``, by the loop's clock."""
    left_s = deadline - asyncio.get_running_loop().time()
    with pymongo.timeout(max(left_s, _LEAST_S)):
        yield


class Gate:
    """Lets ``in_flight`` calls through at a time: one process cannot use more, they would only queue up.

    A caller gets his answer within ``timeout_s`` seconds, or longer during a start (see ``patience.py``), including his wait for a turn. The driver is given
    what is left of them and stops by itself; when a caller is cancelled, it is not interrupted.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        in_flight: int,
        on_commit: CommitObserver | None = None,
        entitled: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``entitled`` is awaited before anything is sent; it raises StoreUnavailable if nothing may be."""
        self._timeout_s = timeout_s
        self._entitled = entitled
        self._turns = asyncio.Semaphore(in_flight)
        self._on_commit = on_commit
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waits: set[asyncio.Timeout] = set()
        self._closed = False
        self._is_shut = False

    @asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Give up what runs inside when the time is over. Raises StoreUnavailable, then and once closed."""
        if self._closed or self._is_shut:
            raise StoreUnavailable("closed" if self._closed else "the server does not answer")
        timeout_s = self._timeout_s * patience()
        wait = asyncio.timeout(timeout_s)
        try:
            async with wait:
                self._waits.add(wait)
                try:
                    yield
                finally:
                    self._waits.discard(wait)
        except TimeoutError as error:
            raise StoreUnavailable(f"no answer within {timeout_s:g} seconds") from error

    def shut(self) -> None:
        """Note that the server does not answer: who comes is told at once, and so is who is waiting."""
        self._is_shut = True
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(asyncio.get_running_loop().time())

    def reopen(self) -> None:
        """Note that the server answers again."""
        self._is_shut = False

    def deadline(self) -> float:
        """Return until when, by the loop's clock, what is asked for now has to be answered."""
        return asyncio.get_running_loop().time() + self._timeout_s * patience()

    async def entitle(self) -> None:
        """Return if something may be sent now. Raises StoreUnavailable if not."""
        if self._entitled is not None:
            await self._entitled()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and keep it. Raises StoreUnavailable for what goes wrong in it."""
        async with self._turns:
            with translated():
                yield

    async def call(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do ``work`` when it has its turn. Raises StoreUnavailable."""
        deadline = self.deadline()
        async with self.bounded():
            await self._turns.acquire()
            task = asyncio.ensure_future(self._in_turn(work, deadline))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
            return await asyncio.shield(task)

    async def _in_turn(self, work: Callable[[], Awaitable[Result]], deadline: float) -> Result:
        try:
            await self.entitle()
            with translated(), until(deadline):
                return await work()
        finally:
            self._turns.release()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it

    async def commit(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """As ``call``, for one write."""
        started = asyncio.get_running_loop().time()
        result = await self.call(work)
        self.committed(1, asyncio.get_running_loop().time() - started)
        return result

    def committed(self, operations: int, seconds: float) -> None:
        """Tell the observer of a commit."""
        if self._on_commit is not None:
            self._on_commit(operations, seconds)

    async def close(self) -> None:
        """Let nobody in any more and wait for those who are."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks)
