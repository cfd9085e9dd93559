"""Who runs the statements: the event loop's thread does, and another one waits for the disk."""

import asyncio
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from attrs import frozen

from qlive_adapters.sqlite.batch import Operation, Outcome, all_failed, run, seal, unavailable
from qlive_adapters.sqlite.opening import MEMORY, claim, open_reader, open_writer
from qlive_core.errors import StoreUnavailable

BATCH_MAX = 64  # some ten microseconds each, on the event loop's thread
PENDING_MAX = 10_000

Value = TypeVar("Value")
CommitObserver = Callable[[int, float], None]
"""Is told, on the event loop's thread, how many operations shared a commit and how many seconds it took."""


@frozen(eq=False)
class _Job:
    operation: Operation
    done: asyncio.Future[Any]
    long: bool


@frozen(eq=False)
class _Batch:
    """Jobs that share a commit. ``outcomes`` is None as long as they have not run."""

    loop: asyncio.AbstractEventLoop
    jobs: list[_Job]
    outcomes: list[Outcome] | None
    started: float

    def with_outcomes(self, outcomes: list[Outcome]) -> "_Batch":
        return _Batch(self.loop, self.jobs, outcomes, self.started)


class Engine:
    """One open database.

    Statements run on the event loop's thread: they touch memory, and handing each over to another thread would
    cost more than running it. What takes time is the commit, which waits for the disk; a file has a thread for
    that. While it waits, further operations queue up, and the next commit takes them all: the busier the
    server, the cheaper a durable write. ``:memory:`` has no disk to wait for and needs no thread.
    """

    def __init__(self, path: str | Path, *, on_commit: CommitObserver | None = None) -> None:
        """Open or create the database. Raises CannotOpen."""
        self._on_commit = on_commit
        self._waiting: deque[_Job] = deque()
        self._commits: SimpleQueue[_Batch | None] = SimpleQueue()
        self._busy = False
        self._pending = 0
        self._closed: asyncio.Future[None] | None = None
        self._claim: int | None = None
        self._thread: threading.Thread | None = None
        if str(path) == MEMORY:
            self._writer = self._reader = open_writer(MEMORY)
        else:
            self._open_file(Path(path))

    def _open_file(self, path: Path) -> None:
        self._claim = claim(path)
        try:
            self._writer = open_writer(str(path))
            self._reader = open_reader(str(path))
        except BaseException:
            os.close(self._claim)
            raise
        # A daemon, so that a process that forgets to close can still end; what was committed is safe anyway.
        self._thread = threading.Thread(target=self._commit_batches, name="sqlite-commit", daemon=True)
        self._thread.start()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as of the last commit. Raises StoreUnavailable."""
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def write(self, operation: Callable[[sqlite3.Connection], Value], *, long: bool = False) -> Value:
        """Run ``operation`` in a transaction and return its value once that is on the disk.

        It may share the transaction with others. If the caller is cancelled, it is carried out all the same.
        A ``long`` one, which may touch many rows, runs in the thread that commits. Raises what the operation
        raises, and StoreUnavailable, at once if too many are waiting already.
        """
        if self._closed is not None or self._pending >= PENDING_MAX:
            raise StoreUnavailable("closed" if self._closed is not None else "too many writes are waiting")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Value] = loop.create_future()
        self._pending += 1
        self._waiting.append(_Job(operation, done, long))
        if self._thread is None:
            self._begin(loop)
        elif not self._busy:
            self._busy = True
            loop.call_soon(self._begin, loop)  # who else writes now shares the commit
        return await done

    async def close(self) -> None:
        """Write what is queued, fold the log into the database file and let go of it."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
            if self._thread is None:
                self._writer.close()
                self._closed.set_result(None)
            elif not self._busy:
                self._commits.put(None)
        await asyncio.shield(self._closed)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run what waits and have it committed."""
        jobs = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
        if not jobs:
            self._busy = False
            if self._closed is not None:
                self._commits.put(None)
            return
        batch = _Batch(loop, jobs, None, time.perf_counter())
        if self._thread is None:
            self._deliver(self._committed(batch))
        elif any(job.long for job in jobs):
            self._commits.put(batch)
        else:
            self._commits.put(self._ran(batch))

    def _ran(self, batch: _Batch) -> _Batch:
        """Return the batch with its outcomes; if the transaction failed, there is nothing left to commit."""
        try:
            outcomes = run(self._writer, [job.operation for job in batch.jobs])
        except sqlite3.Error as error:
            outcomes = all_failed(batch.jobs, error)
        return batch.with_outcomes(outcomes)

    def _committed(self, batch: _Batch) -> _Batch:
        """Return the batch with the outcomes that its callers may hear."""
        if batch.outcomes is None:
            batch = self._ran(batch)
        if not self._writer.in_transaction:
            return batch
        try:
            seal(self._writer)
        except sqlite3.Error as error:
            return batch.with_outcomes(all_failed(batch.jobs, error))
        return batch

    def _commit_batches(self) -> None:
        while (batch := self._commits.get()) is not None:
            _call_in(batch.loop, self._answer, self._committed(batch))
        with suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()
        if self._closed is not None:
            _call_in(self._closed.get_loop(), self._let_go)

    def _answer(self, batch: _Batch) -> None:
        self._deliver(batch)
        self._begin(batch.loop)

    def _deliver(self, batch: _Batch) -> None:
        self._pending -= len(batch.jobs)
        for job, outcome in zip(batch.jobs, batch.outcomes or (), strict=True):
            if job.done.done():
                continue
            if outcome.error is None:
                job.done.set_result(outcome.value)
            else:
                job.done.set_exception(outcome.error)
        if self._on_commit is not None:
            self._on_commit(len(batch.jobs), time.perf_counter() - batch.started)

    def _let_go(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._reader.close()
        if self._claim is not None:
            os.close(self._claim)
        if self._closed is not None:
            self._closed.set_result(None)


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: Any) -> None:
    # A loop that is closed has nobody left who waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *arguments)
