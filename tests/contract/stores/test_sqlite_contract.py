"""SQLite keeps the contract, on a file and in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .contract import StoresContract
from .kinds import Ground
from .sqlite_ground import MemoryGround, SqliteGround


class TestSqliteFile(StoresContract):
    """On a file."""

    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[Ground]:
        """A new file."""
        ground = SqliteGround(tmp_path / "qlive.db")
        yield ground
        await ground.close()


class TestSqliteMemory(StoresContract):
    """In memory."""

    @pytest.fixture
    async def ground(self) -> AsyncIterator[Ground]:
        """New memory."""
        ground = MemoryGround()
        yield ground
        await ground.close()
