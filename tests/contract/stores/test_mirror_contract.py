"""A mirror in front of a set of stores keeps the contract as they do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .contract import StoresContract
from .kinds import Ground
from .mirrored_ground import MirroredGround
from .sqlite_ground import SqliteGround


class TestMirror(StoresContract):
    """With space for everything."""

    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[Ground]:
        """A mirror of a new file."""
        ground = MirroredGround(SqliteGround(tmp_path / "qlive.db"), capacity=1000)
        yield ground
        await ground.close()


class TestNarrowMirror(StoresContract):
    """With so little space that accounts and sessions come and go."""

    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[Ground]:
        """A narrow mirror of a new file."""
        ground = MirroredGround(SqliteGround(tmp_path / "qlive.db"), capacity=2)
        yield ground
        await ground.close()
