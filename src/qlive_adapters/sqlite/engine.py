"""Who runs the statements: one thread writes, the event loop's thread reads."""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from attrs import frozen

from qlive_adapters.sqlite.batch import Operation, Outcome, commit, unavailable
from qlive_adapters.sqlite.opening import MEMORY, claim, open_reader, open_writer
from qlive_core.errors import StoreUnavailable

BATCH_MAX = 256
PENDING_MAX = 10_000

Value = TypeVar("Value")
CommitObserver = Callable[[int, float], None]
"""Is told, on the event loop's thread, how many operations shared a commit and how many seconds it took."""


@frozen(eq=False)
class _Job:
    operation: Operation
    done: asyncio.Future[Any]


class Engine:
    """One open database.

    A file has a thread of its own for writing. While that thread waits for the disk, further operations queue
    up, and the next commit takes them all: the busier the server, the cheaper a durable write. ``:memory:``
    has no disk to wait for, so there the same operations run at once, in the caller's thread.
    """

    def __init__(self, path: str | Path, *, on_commit: CommitObserver | None = None) -> None:
        """Open or create the database. Raises CannotOpen."""
        self._on_commit = on_commit
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
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
        self._thread = threading.Thread(target=self._write_batches, name="sqlite-writer", daemon=True)
        self._thread.start()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as of the last commit. Raises StoreUnavailable."""
        try:
            return self._reader.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    async def write(self, operation: Callable[[sqlite3.Connection], Value]) -> Value:
        """Run ``operation`` in a transaction and return its value once that is on the disk.

        It may share the transaction with others. If the caller is cancelled, it is carried out all the same.
        Raises what the operation raises, and StoreUnavailable, at once if too many are waiting already.
        """
        if self._closed is not None or self._pending >= PENDING_MAX:
            raise StoreUnavailable("closed" if self._closed is not None else "too many writes are waiting")
        done: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._pending += 1
        job = _Job(operation, done)
        if self._thread is None:
            self._deliver(*self._commit([job]))
        else:
            self._jobs.put(job)
        return await done

    async def close(self) -> None:
        """Write what is queued, fold the log into the database file and let go of it."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
            if self._thread is None:
                self._writer.close()
                self._closed.set_result(None)
            else:
                self._jobs.put(None)
        await asyncio.shield(self._closed)

    def _write_batches(self) -> None:
        while batch := self._next_batch():
            _call_in(batch[0].done.get_loop(), self._deliver, *self._commit(batch))
        with suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()
        if self._closed is not None:
            _call_in(self._closed.get_loop(), self._let_go)

    def _next_batch(self) -> list[_Job]:
        """Return the jobs that wait, at least one; or none if there will be no more."""
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) == BATCH_MAX:
                return batch
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return batch
        if batch:
            # The mark of the end is the last in the queue, so it can wait there for the next call.
            self._jobs.put(None)
        return batch

    def _commit(self, batch: list[_Job]) -> tuple[list[_Job], list[Outcome], float]:
        started = time.perf_counter()
        outcomes = commit(self._writer, [job.operation for job in batch])
        return batch, outcomes, time.perf_counter() - started

    def _deliver(self, batch: list[_Job], outcomes: list[Outcome], seconds: float) -> None:
        self._pending -= len(batch)
        for job, outcome in zip(batch, outcomes, strict=True):
            if job.done.done():
                continue
            if outcome.error is None:
                job.done.set_result(outcome.value)
            else:
                job.done.set_exception(outcome.error)
        if self._on_commit is not None:
            self._on_commit(len(batch), seconds)

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
