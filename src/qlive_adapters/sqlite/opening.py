"""Opening the file: one process at a time, of a known version, or a refusal that says why."""

import fcntl
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from attrs import frozen

from qlive_adapters.claims import InUse
from qlive_adapters.sqlite.schema import APPLICATION_ID, SCRIPTS, VERSION
from qlive_core.errors import StoreUnavailable

MEMORY = ":memory:"
_READER_WAITS_MS = 20

_LOOK_EVERY_S = 0.1


class CannotOpen(StoreUnavailable):
    """The file cannot serve as the store. The text names it and says why; it is meant for the operator."""

    code = "store.cannot_open"


class FileInUse(InUse, CannotOpen):
    """Another process uses the file."""

    code = InUse.code


@frozen
class Claim:
    """What makes this process the only one that uses a file, until it is released or the process ends."""

    descriptors: tuple[int, ...]

    def release(self) -> None:
        """Let go of the file. SQLite must have closed it before."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def claim(path: Path, *, wait_s: float = 0.0, tell: Callable[[str], None] = lambda _: None) -> Claim:
    """Make this process the only one that uses ``path``.

    SQLite itself would let two servers write by turns, each with a cache that knows nothing of the other. The
    claim is a lock on the database file itself, so that it does not matter by which link or path one comes, and
    one on a file beside it, which stays when the database file is replaced. The kernel drops both with the process,
    however that ends; so a lock file that lies about means nothing.

    Waits ``wait_s`` seconds for a process that has it, having said so to ``tell``. Raises FileInUse and CannotOpen.
    """
    give_up_at = time.monotonic() + wait_s
    told = False
    while True:
        try:
            return _claimed(path)
        except FileInUse as error:
            if time.monotonic() >= give_up_at:
                raise
            if not told:
                tell(f"{error}; waiting for it to end")
                told = True
            time.sleep(_LOOK_EVERY_S)
        except OSError as error:
            raise CannotOpen(f"cannot open {path}: {error.strerror}") from error


def _claimed(path: Path) -> Claim:
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    held: list[int] = []
    try:
        # Phone numbers are nobody else's business; SQLite gives its other files the same permissions.
        for name in (f"{real}.lock", str(real)):
            held.append(os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            # Elsewhere a lock of this kind would keep SQLite's own ones out.
            if name != str(real) or sys.platform == "linux":
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        Claim(tuple(held)).release()
        if isinstance(error, BlockingIOError):
            raise FileInUse(f"{path} is in use by another qlive process") from error
        raise
    return Claim(tuple(held))


def open_writer(path: str) -> sqlite3.Connection:
    """Return the connection that writes, with all tables in place. Raises CannotOpen."""
    connection = _connect(path)
    try:
        if path == MEMORY:
            connection.deserialize(_empty_database())
        _log_ahead(connection, path)
        _bring_up_to_date(connection, path)
        # Its statements run on the event loop's thread: they neither wait for a lock nor write to the disk.
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA cache_spill = OFF")
    except sqlite3.Error as error:
        connection.close()
        raise CannotOpen(f"cannot open {path}: {error}") from error
    except CannotOpen:
        connection.close()
        raise
    return connection


def open_reader(path: str) -> sqlite3.Connection:
    """Return a connection that can only read."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    # Readers wait for nobody but who restores the log; that is soon done, or the event loop goes on without.
    connection.execute(f"PRAGMA busy_timeout = {_READER_WAITS_MS}")
    # Opens the log now, rather than one that somebody has put in its place by the time of the first query.
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _connect(path: str) -> sqlite3.Connection:
    # Statements and transactions are ours to begin and end; the engine hands the writer to its thread.
    try:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise CannotOpen(f"cannot open {path}: {error}") from error


@cache
def _empty_database() -> bytes:
    """Return a database that has all tables. Copying it takes a tenth of the time of making them."""
    with closing(_connect(MEMORY)) as connection:
        _bring_up_to_date(connection, MEMORY)
        return connection.serialize()


def _pragma(connection: sqlite3.Connection, text: str) -> int | str:
    value: int | str = connection.execute(f"PRAGMA {text}").fetchone()[0]
    return value


def _log_ahead(connection: sqlite3.Connection, path: str) -> None:
    if _pragma(connection, "journal_mode = WAL") not in ("wal", "memory"):
        raise CannotOpen(f"cannot open {path}: its file system does not support a write-ahead log")
    connection.execute("PRAGMA synchronous = FULL")


def _bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    version = int(_pragma(connection, "user_version"))
    has_tables = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    if has_tables and _pragma(connection, "application_id") != APPLICATION_ID:
        raise CannotOpen(f"{path} is the database of another program")
    if version > VERSION:
        raise CannotOpen(f"{path} has schema version {version}; this qlive knows versions up to {VERSION}")
    for number, script in enumerate(SCRIPTS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN; {script} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )
