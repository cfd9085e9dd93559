"""Trouble of every sort with a store: readiness tells of it, callers hear in time, and the event loop goes on."""

import asyncio
import resource
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from qlive_adapters.mongo.store import MongoStores
from qlive_adapters.sqlite.batch import seal
from qlive_adapters.sqlite.store import SqliteStores
from qlive_app.readiness import Health
from qlive_app.runtime.housekeeping import watch_store
from qlive_core.errors import StoreUnavailable

from .kinds import a_room
from .mongod import Mongod, running

# Promised is half of it or less; a busy machine may take the rest.
TOLD_WITHIN_S = 10.0
ANSWERED_WITHIN_S = 8.0
LOOP_STOPS_FOR_S = 1.0
BACK_WITHIN_S = 30.0

Trouble = Callable[[Path], Any]


class SlowDisk:
    """Commits, unless it hangs."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit when the disk answers."""
        self.answers.wait()
        seal(connection)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@contextmanager
def full(path: Path) -> Iterator[None]:
    """No file may grow any more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = path.with_name(f"{path.name}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def moved(suffix: str, *, replaced: bool) -> Trouble:
    """Return a trouble: somebody moves or deletes a file, and may put another one in its place."""

    @contextmanager
    def trouble(path: Path) -> Iterator[None]:
        file = path.with_name(path.name + suffix)
        aside = path.with_name("aside")
        file.rename(aside)
        if replaced:
            file.write_bytes(aside.read_bytes())
        yield
        aside.rename(file)

    return trouble


TROUBLES: dict[str, Trouble] = {
    "locked by another program": locked,
    "disk full": full,
    **{
        f"{suffix or 'database'} {'replaced' if replaced else 'deleted'}": moved(suffix, replaced=replaced)
        for suffix in ("", "-wal", "-shm", ".lock")
        for replaced in (False, True)
    },
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database file."""
    return tmp_path / "qlive.db"


@pytest.fixture
def health() -> Health:
    """What readiness goes by."""
    health = Health()
    health.report("server", "")
    return health


async def _nothing() -> None:
    """There is nothing to reload."""


@asynccontextmanager
async def watched(stores: Any, health: Health) -> AsyncIterator[None]:
    """Watch the store as the server does."""
    watch = asyncio.create_task(watch_store(stores.ping, _nothing, health.report))
    yield
    watch.cancel()


@asynccontextmanager
async def the_loop_goes_on() -> AsyncIterator[None]:
    """Check that the event loop never stops meanwhile."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)

    ticking = asyncio.create_task(tick())
    yield
    ticking.cancel()
    assert longest < LOOP_STOPS_FOR_S


async def until(condition: Callable[[], bool], within_s: float) -> None:
    """Wait for the condition."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - it is the server's own state, which tells nobody when it changes
            await asyncio.sleep(0.01)


async def is_refused_in_time(stores: Any, number: int) -> None:
    """Check that whoever writes hears of the trouble."""
    async with asyncio.timeout(ANSWERED_WITHIN_S):
        with pytest.raises(StoreUnavailable):
            await stores.rooms.add(a_room(number), limit=0)


async def is_told_and_over(stores: Any, health: Health, begin: Callable[[], Any]) -> None:
    """Check all that is promised, from the beginning of the trouble to its end."""
    await stores.rooms.add(a_room(1), limit=0)
    async with watched(stores, health):
        await asyncio.sleep(1.2)  # the watch has looked once
        assert not health.problems()
        with begin():
            async with the_loop_goes_on():
                await until(lambda: bool(health.problems()), TOLD_WITHIN_S)
                await asyncio.gather(*(is_refused_in_time(stores, number) for number in range(2, 5)))
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    with suppress(StoreUnavailable):
                        assert await stores.rooms.get("room1") == a_room(1)
                assert health.problems()
        await until(lambda: not health.problems(), BACK_WITHIN_S)
        await stores.rooms.add(a_room(9), limit=0)
    assert await stores.rooms.get("room9") == a_room(9)


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
async def test_trouble_with_the_file(path: Path, health: Health, trouble: Trouble) -> None:
    """Whatever others do to the files, while the server runs."""
    stores = SqliteStores(path)
    await is_told_and_over(stores, health, lambda: trouble(path))
    await stores.close()


async def test_a_disk_that_hangs(path: Path, health: Health) -> None:
    """A commit that does not come back is noticed; the one who waits for it hears so, and it lands afterwards."""
    disk = SlowDisk()
    stores = SqliteStores(path, commit=disk.commit)

    @contextmanager
    def hanging() -> Iterator[None]:
        disk.answers.clear()
        yield
        disk.answers.set()

    await is_told_and_over(stores, health, hanging)
    await stores.close()


async def test_closing_does_not_wait_for_a_disk_that_hangs(path: Path) -> None:
    """The process can end."""
    disk = SlowDisk()
    stores = SqliteStores(path, commit=disk.commit)
    disk.answers.clear()
    await is_refused_in_time(stores, 1)
    async with asyncio.timeout(20):
        await stores.close()
    disk.answers.set()


async def test_the_lock_is_waited_for(path: Path) -> None:
    """A program that holds the lock for a moment disturbs nobody."""
    stores = SqliteStores(path)
    with locked(path):
        writing = asyncio.create_task(stores.rooms.add(a_room(1), limit=0))
        await asyncio.sleep(0.2)
    await writing
    assert await stores.rooms.get("room1") == a_room(1)
    await stores.close()


async def test_an_error_in_the_thread_that_commits(path: Path) -> None:
    """Whatever is raised there, its callers hear of it, nothing of theirs is kept, and the thread goes on."""
    errors: list[BaseException] = [MemoryError("no memory"), SystemExit(3), RuntimeError("a bug")]

    def commit(connection: sqlite3.Connection) -> None:
        if errors:
            raise errors.pop()
        seal(connection)

    stores = SqliteStores(path, commit=commit)
    for number in (1, 2, 3):
        await is_refused_in_time(stores, number)
    await stores.rooms.add(a_room(4), limit=0)
    assert [room.id for room in await stores.rooms.all()] == ["room4"]
    await stores.close()


@pytest.mark.parametrize("way", ["paused", "killed"])
async def test_trouble_with_mongod(tmp_path: Path, health: Health, way: str) -> None:
    """A server that hangs, and one that is gone."""
    with running(tmp_path / "mongod") as mongod:
        stores = MongoStores(mongod.uri, "trouble")
        await stores.open()

        @contextmanager
        def trouble() -> Iterator[None]:
            (Mongod.pause if way == "paused" else Mongod.kill)(mongod)
            yield
            (Mongod.go_on if way == "paused" else Mongod.start)(mongod)

        await is_told_and_over(stores, health, trouble)
        await stores.close()
