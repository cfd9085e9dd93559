"""Whether the open files are still those that the path names."""

import os
from pathlib import Path

_LOCK = ".lock"
_LOG = "-wal"
_INDEX = "-shm"
_Identity = tuple[int, int]


class Files:
    """The files of an open database. A deleted file can be written to, but nobody will ever read that."""

    def __init__(self, path: Path) -> None:
        """To be made when the database has just been opened and claimed."""
        self._path = path.resolve()
        self._open = {suffix: _identity(self._file(suffix)) for suffix in ("", _LOCK)}

    def trouble(self) -> str:
        """Return what is wrong, or "". Looks at the disk; to be called after something has been written."""
        for suffix in ("", _LOCK, _LOG, _INDEX):
            file = self._file(suffix)
            try:
                there = _identity(file)
            except OSError as error:
                return f"{file}: {os.strerror(error.errno or 0)}"
            # SQLite makes the log with the first write, and keeps it until the database is closed.
            if self._open.setdefault(suffix, there) != there:
                return f"{file} was replaced by another file"
        return ""

    def _file(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)


def _identity(file: Path) -> _Identity:
    stat = file.stat()
    return stat.st_dev, stat.st_ino
