"""Who runs the statements: the event loop's thread does, and another one waits for the disk."""

import asyncio
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

from qlive_adapters.sqlite.batch import (
    Operation,
    Outcome,
    all_failed,
    is_locked,
    roll_back,
    run,
    seal,
    unavailable,
)
from qlive_adapters.sqlite.files import Files
from qlive_adapters.sqlite.opening import MEMORY, Claim, claim, open_reader, open_writer
from qlive_core.errors import StoreUnavailable

BATCH_MAX = 64  # some ten microseconds each, on the event loop's thread
PENDING_MAX = 10_000
ANSWER_WITHIN_S = 3.0
"""Who writes hears within this time that the store does not answer, give or take a look of the watch."""
PROBE_WITHIN_S = 2.0
_LOOK_EVERY_S = 0.25
_LOCK_WITHIN_S = 2.5
_LOCK_PAUSE_S = 0.02
_CLOSE_WITHIN_S = 5.0

Value = TypeVar("Value")
CommitObserver = Callable[[int, float], None]
"""Is told, on the event loop's thread, how many operations shared a commit and how many seconds it took."""


@frozen(eq=False)
class _Job:
    operation: Operation
    done: asyncio.Future[Any]
    long: bool
    deadline: float


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

    Nothing on the event loop's thread waits for a lock: where another program holds it, the batch is run in the
    thread. A disk that does not answer holds up that thread alone; callers are told in time.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        on_commit: CommitObserver | None = None,
        commit: Callable[[sqlite3.Connection], None] = seal,
        wait_s: float = 0.0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open or create the database. Raises CannotOpen.

        ``commit`` ends a transaction and may take long. ``wait_s`` and ``tell`` are those of ``claim``.
        """
        self._on_commit = on_commit
        self._seal = commit
        self._waiting: deque[_Job] = deque()
        self._commits: SimpleQueue[_Batch | None] = SimpleQueue()
        self._busy = False
        self._pending = 0
        self._under_way: _Batch | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._files: Files | None = None
        self._unsafe = ""
        self._closed: asyncio.Future[None] | None = None
        self._claim: Claim | None = None
        self._thread: threading.Thread | None = None
        if str(path) == MEMORY:
            self._writer = self._reader = open_writer(MEMORY)
        else:
            self._open_file(Path(path), wait_s, tell)

    def _open_file(self, path: Path, wait_s: float, tell: Callable[[str], None]) -> None:
        self._claim = claim(path, wait_s=wait_s, tell=tell)
        try:
            self._writer = open_writer(str(path))
            self._reader = open_reader(str(path))
            self._files = Files(path)
        except BaseException:
            self._claim.release()
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
        raises, and StoreUnavailable: when the time is over, and at once if too many are waiting already or the
        store is known not to answer. What has not begun by then never will.
        """
        if self._unsafe:
            raise StoreUnavailable(self._unsafe)
        return await self._queue(operation, long=long, within_s=ANSWER_WITHIN_S)

    async def probe(self) -> None:
        """Write something, in the thread that commits, see that it is in the files that the path names, and read.

        Raises StoreUnavailable. If these are other files, nothing is written any more until they are the right
        ones again: whatever was acknowledged would be gone with the process.
        """
        await self._queue(_probe, long=True, within_s=PROBE_WITHIN_S)
        if self._files is not None:
            # After the write: what is deleted meanwhile is seen by the next probe.
            self._unsafe = await self._queue(
                lambda _: self._trouble_with_files(), long=True, within_s=PROBE_WITHIN_S
            )
        if self._unsafe:
            raise StoreUnavailable(self._unsafe)
        self.read("SELECT count(*) FROM sqlite_master")

    def _trouble_with_files(self) -> str:
        return self._files.trouble() if self._files is not None else ""

    async def _queue(
        self, operation: Callable[[sqlite3.Connection], Value], *, long: bool, within_s: float
    ) -> Value:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._closed is not None or self._pending >= PENDING_MAX:
            raise StoreUnavailable("closed" if self._closed is not None else "too many writes are waiting")
        if self._hangs(now):
            raise StoreUnavailable("the disk does not answer")
        done: asyncio.Future[Value] = loop.create_future()
        self._pending += 1
        self._waiting.append(_Job(operation, done, long, now + within_s))
        if self._thread is None:
            self._begin(loop)
        elif not self._busy:
            self._busy = True
            loop.call_soon(self._begin, loop)  # who else writes now shares the commit
        if self._watch is None and self._thread is not None:
            self._watch = loop.call_later(_LOOK_EVERY_S, self._look_at_the_time, loop)
        return await done

    def _hangs(self, now: float) -> bool:
        """Tell whether what is under way should have been done long ago."""
        batch = self._under_way
        return batch is not None and now > max(job.deadline for job in batch.jobs)

    def _look_at_the_time(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those whose time is over, while there is anybody; what has not begun is not begun any more."""
        self._watch = None
        now = loop.time()
        under_way = self._under_way.jobs if self._under_way is not None else []
        late = [job for job in self._waiting if job.deadline <= now]
        if late:
            self._waiting = deque(job for job in self._waiting if job.deadline > now)
            self._pending -= len(late)
        for job in (*late, *(job for job in under_way if job.deadline <= now)):
            if not job.done.done():
                job.done.set_exception(StoreUnavailable("the disk does not answer"))
        if self._busy:
            self._watch = loop.call_later(_LOOK_EVERY_S, self._look_at_the_time, loop)

    async def close(self) -> None:
        """Write what is queued, fold the log into the database file and let go of it.

        A disk that does not answer is not waited for: it keeps its files open until the process ends.
        """
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
            if self._thread is None:
                self._writer.close()
                self._closed.set_result(None)
            elif not self._busy:
                self._commits.put(None)
        # Its own future is not cancelled by the time that is over.
        await asyncio.wait([self._closed], timeout=_CLOSE_WITHIN_S)

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
            return
        self._under_way = batch
        self._commits.put(batch if any(job.long for job in jobs) else self._ran_at_once(batch))

    def _ran_at_once(self, batch: _Batch) -> _Batch:
        """Return the batch with its outcomes, or as it is if somebody else has the lock."""
        try:
            return batch.with_outcomes(run(self._writer, [job.operation for job in batch.jobs]))
        except sqlite3.Error as error:
            # If the transaction failed, there is nothing left to commit.
            return batch if is_locked(error) else batch.with_outcomes(all_failed(batch.jobs, error))

    def _ran(self, batch: _Batch) -> _Batch:
        """Return the batch with its outcomes; who has the lock is given some time, so not for the event loop."""
        give_up_at = time.monotonic() + _LOCK_WITHIN_S
        while True:
            try:
                return batch.with_outcomes(run(self._writer, [job.operation for job in batch.jobs]))
            except sqlite3.Error as error:
                if not is_locked(error) or time.monotonic() > give_up_at:
                    return batch.with_outcomes(all_failed(batch.jobs, error))
            time.sleep(_LOCK_PAUSE_S)

    def _committed(self, batch: _Batch) -> _Batch:
        """Return the batch with the outcomes that its callers may hear."""
        if batch.outcomes is None:
            batch = self._ran(batch)
        if not self._writer.in_transaction:
            return batch
        try:
            self._seal(self._writer)
        except sqlite3.Error as error:
            return batch.with_outcomes(all_failed(batch.jobs, error))
        return batch

    def _commit_batches(self) -> None:
        while (batch := self._commits.get()) is not None:
            try:
                committed = self._committed(batch)
            except BaseException as error:  # noqa: BLE001 - this thread must go on, and nobody may be left waiting
                roll_back(self._writer)
                committed = batch.with_outcomes(all_failed(batch.jobs, error))
            _call_in(batch.loop, self._answer, committed)
        with suppress(sqlite3.Error):
            self._writer.execute(f"PRAGMA busy_timeout = {round(_LOCK_WITHIN_S * 1000)}")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()
        if self._closed is not None:
            _call_in(self._closed.get_loop(), self._let_go)

    def _answer(self, batch: _Batch) -> None:
        self._under_way = None
        try:
            self._deliver(batch)
        finally:
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
            self._claim.release()
        if self._closed is not None:
            self._closed.set_result(None)


def _probe(connection: sqlite3.Connection) -> None:
    # Writes the first page as it is: that goes the whole way to the disk, and needs no table.
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version}")


def _call_in(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: Any) -> None:
    # A loop that is closed has nobody left who waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *arguments)
