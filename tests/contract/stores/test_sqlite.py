"""What only the embedded store promises: its file, its thread and its commits."""

import asyncio
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from qlive_adapters.sqlite import engine as engine_module
from qlive_adapters.sqlite.batch import Operation
from qlive_adapters.sqlite.engine import Engine
from qlive_adapters.sqlite.opening import CannotOpen
from qlive_adapters.sqlite.schema import APPLICATION_ID, SCRIPTS
from qlive_adapters.sqlite.store import SqliteStores
from qlive_core.errors import StoreUnavailable
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import Outbox
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room, RoomType

from .facts_contract import outcomes
from .kinds import a_room

FEEDBACK = Feedback("user", "text", "", 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder that does not exist yet."""
    return tmp_path / "deep" / "down" / "qlive.db"


@pytest.fixture
async def engine(path: Path) -> AsyncIterator[Engine]:
    """An engine on a file."""
    engine = Engine(path)
    yield engine
    await engine.close()


def test_survives_kill(path: Path) -> None:
    """Everything that was acknowledged before a kill -9 is there afterwards."""
    child = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("acknowledging_child.py"), path],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(300)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    acknowledged = [tuple(map(int, line.split())) for line in lines if line.endswith("\n")]
    assert len(acknowledged) >= 300

    async def look() -> None:
        stores = SqliteStores(path)
        mails = [(mail.feedback, mail.due_at) for mail in await stores.feedback.mails_due(1e9, limit=10**6)]
        for n, number in acknowledged:
            feedback = await stores.feedback.get(number)
            assert feedback is not None
            assert feedback.sender == f"user{n}"
            assert (feedback, float(n)) in mails
            assert await stores.rooms.get(f"room{n}") == a_room(n, created_at=float(n))
        await stores.close()

    asyncio.run(look())


async def test_commits_are_shared(path: Path) -> None:
    """Writes that wait at the same time share commits, and the observer hears of each commit once."""
    heard: list[tuple[int, float]] = []
    stores = SqliteStores(path, on_commit=lambda operations, seconds: heard.append((operations, seconds)))
    await asyncio.gather(*(stores.rooms.add(a_room(n), limit=0) for n in range(500)))
    await stores.close()
    assert sum(operations for operations, _ in heard) == 500
    assert len(heard) <= 50
    assert max(operations for operations, _ in heard) <= engine_module.BATCH_MAX
    assert all(seconds > 0 for _, seconds in heard)


async def test_second_server_is_refused(path: Path) -> None:
    """A file that is in use cannot be opened again until it is closed; the error names it."""
    stores = SqliteStores(path)
    with pytest.raises(CannotOpen, match=f"{path} is in use"):
        SqliteStores(path)
    await stores.close()
    again = SqliteStores(path)
    await again.close()


async def test_first_version_is_brought_up_to_date(path: Path) -> None:
    """A file of the first release keeps its feedback, which nobody mails, and numbers on."""
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.executescript(SCRIPTS[0])
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO feedback VALUES (7, 'user', 'text', '', 1.0)")
    connection.commit()
    connection.close()
    stores = SqliteStores(path)
    assert await stores.feedback.get(7) == FEEDBACK
    assert await stores.feedback.outbox() == Outbox(0, None)
    assert await stores.feedback.add(FEEDBACK, mail_at=2.0) == 8
    assert [mail.number for mail in await stores.feedback.mails_due(2.0, limit=9)] == [8]
    await stores.close()


async def test_newer_file_is_refused(path: Path) -> None:
    """A file that a newer qlive has written is left alone."""
    await SqliteStores(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for _ in range(2):
        with pytest.raises(CannotOpen, match=f"{path} has schema version 99"):
            SqliteStores(path)


async def test_a_file_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    """Whoever is in a room stays there, since the time at which he took his place; nobody sits or is locked out."""
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.executescript(SCRIPTS[0])
    connection.execute("INSERT INTO place VALUES ('ann', 'room', 'hosting', 1700000000250000)")
    connection.execute("INSERT INTO room VALUES ('room', 'Ann''s', 'voice', 'ann', 1.5, 3)")
    connection.execute("INSERT INTO presence VALUES ('ann', 'connection', 'node', NULL, 7)")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    stores = SqliteStores(path)
    place = Place("ann", "room", PlaceKind.HOSTING, since=1700000000.25, rev=1700000000250000)
    assert await stores.places.get("ann") == place
    assert await stores.rooms.get("room") == Room("room", "Ann's", RoomType.VOICE, "ann", 1.5, rev=3)
    assert await stores.presences.get("ann") == Presence("ann", "connection", "node", None, rev=7)
    await stores.close()


def test_other_file_is_refused(tmp_path: Path) -> None:
    """A file that is no database is left as it is, and the error names it."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to have a header" * 10)
    before = path.read_bytes()
    with pytest.raises(CannotOpen, match=str(path)):
        SqliteStores(path)
    assert path.read_bytes() == before


def test_other_database_is_refused(tmp_path: Path) -> None:
    """Another program's database gets no tables of ours."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(CannotOpen, match="another program"):
        SqliteStores(path)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A path below a file is refused with the path and the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(CannotOpen, match=r"qlive\.db: (Not a directory|File exists)"):
        SqliteStores(tmp_path / "file" / "qlive.db")


async def test_nobody_else_may_read(path: Path) -> None:
    """Phone numbers lie in files that only their owner can read."""
    stores = SqliteStores(path)
    await stores.rooms.add(a_room(1), limit=0)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await stores.close()
    assert modes == {0o600}


async def test_close_waits(path: Path) -> None:
    """Closing writes what is queued, answers who waits and leaves one file with everything in it."""
    stores = SqliteStores(path)
    writes = [asyncio.ensure_future(stores.feedback.add(FEEDBACK)) for _ in range(600)]
    await asyncio.sleep(0)
    await stores.close()
    assert sorted(write.result() for write in writes) == list(range(1, 601))
    assert {file.name for file in path.parent.iterdir()} == {"qlive.db", "qlive.db.lock"}


async def test_after_closing(path: Path) -> None:
    """A closed store refuses to read and to write, and closing it again does nothing."""
    for stores in (SqliteStores(path), SqliteStores(":memory:")):
        await asyncio.gather(stores.close(), stores.close())
        await stores.close()
        with pytest.raises(StoreUnavailable):
            await stores.feedback.add(FEEDBACK)
        with pytest.raises(StoreUnavailable):
            await stores.feedback.get(1)


async def test_cancelled_write_lands(path: Path) -> None:
    """A write whose caller is cancelled takes place, and disturbs nobody."""
    stores = SqliteStores(path)
    writes = [asyncio.ensure_future(stores.rooms.add(a_room(n), limit=0)) for n in range(20)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, type(None)] * 10
    assert await stores.rooms.count() == 20
    await stores.close()


async def test_overload_is_refused_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many writes waiting, the next one is refused, and later ones are taken again."""
    monkeypatch.setattr(engine_module, "PENDING_MAX", 3)
    results = await outcomes(*(engine.write(lambda _: "written") for _ in range(5)))
    assert results[:3] == ["written"] * 3
    assert [type(result) for result in results[3:]] == [StoreUnavailable] * 2
    assert await engine.write(lambda _: "written") == "written"


async def in_one_commit(engine: Engine, *operations: Operation) -> list[Any]:
    """Hold the commits up until all operations are queued, so that they share a commit."""
    loop, begun, gate = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold_up(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        gate.wait()

    held_up = asyncio.ensure_future(engine.write(hold_up, long=True))
    await begun.wait()
    waiting = [asyncio.ensure_future(engine.write(operation)) for operation in operations]
    await asyncio.sleep(0)
    gate.set()
    await held_up
    await asyncio.wait(waiting)
    return [task.exception() or task.result() for task in waiting]


def occupy(connection: sqlite3.Connection) -> int:
    """Write a row."""
    return connection.execute(
        "INSERT INTO place (user_id, room_id, kind, rev) VALUES (hex(randomblob(6)), 'room', 'watching', 1)"
    ).rowcount


async def test_failed_commit(engine: Engine) -> None:
    """If the transaction fails, all who share it hear so, nothing of it is kept, and the next one works."""
    results = await in_one_commit(engine, occupy, lambda connection: connection.execute("ROLLBACK"), occupy)
    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert engine.read("SELECT count(*) FROM place") == [(0,)]
    assert await in_one_commit(engine, occupy, occupy) == [1, 1]
    assert engine.read("SELECT count(*) FROM place") == [(2,)]


async def test_full_disk(path: Path) -> None:
    """While the disk is full writes are refused and reads go on; with space again, writes go on too."""
    stores = SqliteStores(path)
    await stores.rooms.add(a_room(1), limit=0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = path.with_name(f"{path.name}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        results = await outcomes(*(stores.rooms.add(a_room(n), limit=0) for n in range(2, 6)))
        seen = await stores.rooms.get("room1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [type(result) for result in results] == [StoreUnavailable] * 4
    assert seen == a_room(1)
    await stores.rooms.add(a_room(2), limit=0)
    assert {room.id for room in await stores.rooms.all()} == {"room1", "room2"}
    await stores.close()


async def test_faulty_operation(engine: Engine) -> None:
    """An operation with an error of its own does not disturb those that share its commit."""
    results = await in_one_commit(
        engine, occupy, lambda connection: connection.execute("SELECT nonsense"), lambda _: 1 // 0, occupy
    )
    assert [type(result) for result in results] == [int, StoreUnavailable, ZeroDivisionError, int]
    assert engine.read("SELECT count(*) FROM place") == [(2,)]
