"""Copies of a database, made while it is used, and put in its place while it is not."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from qlive_adapters.sqlite.opening import CannotOpen, claim
from qlive_adapters.sqlite.schema import APPLICATION_ID, VERSION

Tell = Callable[[int, int], None]
"""Is told how many pages are copied, and of how many."""

_PAGES_AT_ONCE = 2000
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 72
_ID_AT = 68
_COMPANIONS = ("-wal", "-shm", ".lock")


def back_up(path: Path, target: Path, tell: Tell) -> None:
    """Copy the database at ``path``, as it is at this moment, into one file that only its owner may read.

    A backup that is there already is replaced once the new one is whole. Raises CannotOpen with a text for the
    operator.
    """
    _must_exist(path)
    own = (path, *(_beside(path, suffix) for suffix in _COMPANIONS))
    if target.resolve() in [file.resolve() for file in own]:
        raise CannotOpen(f"cannot back up to {target}: it is the database itself")
    if target.exists() and not _is_ours(target):
        raise CannotOpen(f"cannot back up to {target}: that is no backup of qlive; name another file")
    with _reasons(f"cannot back up {path} to {target}"), _new_file(target) as copy:
        _copy(path, copy, tell, mode="rw")
        copy.replace(target)
        _sync_folder(target)


def restore(path: Path, source: Path, tell: Tell) -> Path | None:
    """Put the backup in the place of the database at ``path``; return where the old one is kept, if there was one.

    The backup is checked before, and the old database is there under one name or the other at every moment. Raises
    FileInUse while a server uses it, and CannotOpen, both with a text for the operator.
    """
    _must_exist(source)
    if path.exists() and path.samefile(source):
        raise CannotOpen(f"cannot restore {source}: it is the database itself")
    was_there = path.exists()
    held = claim(path)
    try:
        with _reasons(f"cannot restore {source} to {path}"), _new_file(path.resolve()) as copy:
            _copy(source, copy, tell, mode="ro")
            return _put_in_place(path.resolve(), copy, was_there=was_there)
    finally:
        # Claiming makes the file; what is left of that is no database.
        if not was_there and path.exists() and not path.stat().st_size:
            path.unlink()
        held.release()


def _put_in_place(path: Path, copy: Path, *, was_there: bool) -> Path | None:
    aside = None
    if was_there:
        _fold_log(path)
        aside = _unused(path.with_name(f"{path.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}"))
        try:
            aside.hardlink_to(path)
        except OSError:
            path.rename(aside)  # a file system without links
    log = _beside(path, "-wal")
    # With another database's log beside it, the new one would be corrupted as soon as it is opened.
    if log.exists() and aside is not None:
        log.rename(_beside(aside, "-wal"))
    for suffix in ("-wal", "-shm", "-journal"):
        _beside(path, suffix).unlink(missing_ok=True)
    copy.replace(path)
    _sync_folder(path)
    return aside


def _fold_log(path: Path) -> None:
    """Bring what a crash left in the log into the old database, if that can be read at all."""
    with suppress(sqlite3.Error), closing(_connected(path, "rw")) as old:
        old.execute("PRAGMA journal_mode = DELETE").fetchone()


def _copy(source: Path, target: Path, tell: Tell, *, mode: str) -> None:
    with closing(_connected(source, mode)) as old, closing(sqlite3.connect(target)) as new:
        # One snapshot: without it, every write of the server would make the copy begin anew.
        old.execute("BEGIN")
        if old.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise CannotOpen(f"{source} is no database of qlive")
        old.backup(
            new, pages=_PAGES_AT_ONCE, progress=lambda _, left, total: tell(total - left, total), sleep=0.01
        )
        old.execute("ROLLBACK")
        # One file, with no log beside it.
        new.execute("PRAGMA journal_mode = DELETE").fetchone()
        faults = new.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if faults != "ok":
            raise CannotOpen(f"{source} is damaged: {faults}".replace("\n", " "))
        version = new.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise CannotOpen(
                f"{source} has schema version {version}; this qlive knows versions up to {VERSION}"
            )
    _sync(target)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=5.0
    )


@contextmanager
def _new_file(beside: Path) -> Iterator[Path]:
    """Give a new file in the same folder that only its owner may read; it is gone if it has not been moved."""
    descriptor, name = tempfile.mkstemp(prefix=f".{beside.name}.", suffix=".part", dir=beside.parent)
    os.close(descriptor)
    file = Path(name)
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
        _beside(file, "-journal").unlink(missing_ok=True)


@contextmanager
def _reasons(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CannotOpen(f"{what}: {error}") from error
    except OSError as error:
        raise CannotOpen(f"{what}: {os.strerror(error.errno or 0)}") from error


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise CannotOpen(f"{path} is no file" if path.exists() else f"{path} does not exist")


def _is_ours(path: Path) -> bool:
    """Tell by its header whether the file is a backup."""
    if not path.is_file():
        return False
    with _reasons(f"cannot read {path}"), path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    return header.startswith(_MAGIC) and int.from_bytes(header[_ID_AT:_HEADER_BYTES]) == APPLICATION_ID


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _unused(path: Path) -> Path:
    names = (path if not number else _beside(path, f"-{number}") for number in range(1000))
    return next(name for name in names if not name.exists())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    _sync(path.resolve().parent)
