"""``qlive backup`` and ``qlive restore``: under load, after kill -9, and with whatever else may be in the way."""

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from contract import stores
from qlive_adapters.sqlite.schema import VERSION

from .command import Ended, qlive
from .server import RunningServer

NOT_CONFIGURED, FAILED = 2, 3
CHILD = Path(stores.__path__[0], "acknowledging_child.py")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The store that the configuration names."""
    return tmp_path / "data" / "qlive.db"


@pytest.fixture
def conf(tmp_path: Path, database: Path) -> Path:
    """A configuration; it lies where nobody looks without being told."""
    path = tmp_path / "prod.conf"
    path.write_text(json.dumps({"store": {"path": str(database)}}))
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "copy.db"


@contextmanager
def writing(database: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that writes as fast as it can, until it is killed with SIGKILL."""
    command: list[str | Path] = [sys.executable, CHILD, database]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        assert child.stdout is not None
        child.stdout.read()
        child.stdout.close()
        child.wait()


def acknowledged(child: "subprocess.Popen[str]", number: int) -> set[str]:
    """Read that many acknowledgements; return the rooms that are in the store."""
    assert child.stdout is not None
    return {f"room{child.stdout.readline().split()[0]}" for _ in range(number)}


def rooms_in(file: Path) -> set[str]:
    """Return the rooms in a database that has nothing wrong with it."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in connection.execute("SELECT id FROM room")}


def with_rooms(database: Path, number: int) -> set[str]:
    """Leave a database behind as kill -9 leaves it, log and all."""
    with writing(database) as child:
        rooms = acknowledged(child, number)
    assert database.with_name("qlive.db-wal").stat().st_size
    return rooms


def succeeded(ended: Ended) -> Ended:
    """Check that it did, without a word on stderr."""
    assert (ended.code, ended.err) == (0, [])
    return ended


def gave_up(ended: Ended, *words: str, code: int = FAILED) -> None:
    """Check that it said why in one line."""
    assert (ended.code, ended.out, len(ended.err)) == (code, [], 1), ended
    assert all(word in ended.err[0] for word in words), ended.err


def leftovers(folder: Path) -> list[str]:
    """Return what should have been tidied up."""
    return [file.name for file in folder.iterdir() if ".part" in file.name]


def test_under_load(conf: Path, database: Path, copy: Path) -> None:
    """A backup holds what was acknowledged before, is whole, one private file, and may be made again."""
    with writing(database) as child:
        before: set[str] = set()
        for _ in range(2):
            before |= acknowledged(child, 200)
            reading = subprocess.Popen(["cat"], stdin=child.stdout, stdout=subprocess.DEVNULL)
            succeeded(qlive("-f", conf, "backup", copy))
            reading.kill()
            reading.wait()
            assert before <= rooms_in(copy)
            assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert {file.name for file in copy.parent.iterdir() if "copy" in file.name} == {"copy.db"}
    assert not leftovers(copy.parent)


def test_after_a_kill_and_back(conf: Path, database: Path, copy: Path) -> None:
    """What lies in the log is in the backup; a restore over a leftover log is whole, and the old one is kept."""
    old = with_rooms(database, 300)
    succeeded(qlive("backup", "-f", conf, copy))
    kept = rooms_in(copy)
    assert old <= kept
    newer = with_rooms_again(database)
    ended = succeeded(qlive("-f", conf, "restore", copy))
    assert rooms_in(database) == kept
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    aside = Path(ended.out[-1].rpartition(" ")[2])
    assert aside.parent == database.parent
    assert newer <= rooms_in(aside)
    assert not leftovers(database.parent)


def with_rooms_again(database: Path) -> set[str]:
    """Write to the database behind a log that nobody has folded in, and leave that behind."""
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO room (id, name, type, creator, created_at, rev) VALUES ('new', 'n', 'pk', 'u', 1, 1)"
    )
    connection.commit()
    log = database.with_name("qlive.db-wal").read_bytes()
    main = database.read_bytes()
    connection.close()
    database.write_bytes(main)
    database.with_name("qlive.db-wal").write_bytes(log)
    return {"new"}


def test_a_server_with_its_own_backup(tmp_path: Path, copy: Path) -> None:
    """A running server is backed up and not restored; stopped, it is, and serves again."""
    server = RunningServer(tmp_path)
    server.start()
    try:
        succeeded(qlive("-f", server.config, "backup", copy))
        gave_up(qlive("-f", server.config, "restore", copy), "qlive.db is in use", "store.path")
        assert server.terminate() == 0
        succeeded(qlive("-f", server.config, "restore", copy))
        server.start()
    finally:
        server.stop()


def test_a_restore_where_there_was_nothing(conf: Path, database: Path, copy: Path) -> None:
    """A new machine gets the database; nothing is kept aside."""
    with_rooms(database, 20)
    succeeded(qlive("-f", conf, "backup", copy))
    for file in database.parent.iterdir():
        file.unlink()
    database.parent.rmdir()
    assert len(succeeded(qlive("-f", conf, "restore", copy)).out) == 1
    assert rooms_in(database) == rooms_in(copy)


@pytest.mark.parametrize("bad", ["missing", "text", "empty", "damaged", "foreign", "newer", "folder"])
def test_a_bad_backup_changes_nothing(conf: Path, database: Path, copy: Path, bad: str) -> None:
    """What is no good backup is refused in one line, and the database stays as it is."""
    rooms = with_rooms(database, 50)
    succeeded(qlive("-f", conf, "backup", copy))
    whole = copy.read_bytes()
    copy.unlink()
    if bad == "text":
        copy.write_text("not a database" * 100)
    elif bad == "empty":
        copy.touch()
    elif bad == "damaged":
        copy.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    elif bad == "folder":
        copy.mkdir()
    elif bad in ("foreign", "newer"):
        copy.write_bytes(whole)
        pragma = "application_id = 7" if bad == "foreign" else f"user_version = {VERSION + 1}"
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(f"PRAGMA {pragma}")
    gave_up(qlive("-f", conf, "restore", copy), str(copy))
    assert rooms <= rooms_in(database)
    assert not [file.name for file in database.parent.iterdir() if "before" in file.name]
    assert not leftovers(database.parent)


def test_what_is_not_written_over(conf: Path, database: Path, tmp_path: Path) -> None:
    """A backup replaces nothing but a backup: not the database, its log, nor the configuration."""
    with_rooms(database, 20)
    log = database.with_name("qlive.db-wal")
    for target in (database, log, database.with_name("qlive.db.lock"), conf, tmp_path):
        gave_up(qlive("-f", conf, "backup", target), str(target))
    gave_up(qlive("-f", conf, "backup", tmp_path / "nowhere" / "copy.db"), "No such file")
    gave_up(qlive("-f", conf, "restore", database), "the database itself")
    assert json.loads(conf.read_text())


def test_no_store_to_back_up(conf: Path, copy: Path, tmp_path: Path) -> None:
    """A database that is not there, one in memory and MongoDB are named, each with what can be done."""
    gave_up(qlive("-f", conf, "backup", copy), "does not exist")
    conf.write_text(json.dumps({"store": {"path": ":memory:"}}))
    gave_up(qlive("-f", conf, "backup", copy), "in memory", code=NOT_CONFIGURED)
    conf.write_text(json.dumps({"store": {"provider": "mongo"}, "mongo": {"uri": "mongodb://127.0.0.1:1"}}))
    gave_up(qlive("-f", conf, "backup", copy), "mongodump", code=NOT_CONFIGURED)
    gave_up(qlive("-f", conf, "restore", copy), "mongorestore", code=NOT_CONFIGURED)
    assert not copy.exists()
