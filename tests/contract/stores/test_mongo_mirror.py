"""A mirror in front of MongoDB keeps the contract as it does in front of SQLite."""

from collections.abc import AsyncIterator

import pytest

from .contract import StoresContract
from .kinds import Ground
from .mirrored_ground import MirroredGround
from .mongo_ground import MongoGround
from .mongod import Mongod


class TestMongoMirror(StoresContract):
    """With so little space that accounts and sessions come and go."""

    @pytest.fixture
    async def ground(self, standalone: Mongod) -> AsyncIterator[Ground]:
        """A narrow mirror of an empty database."""
        database = MongoGround(standalone)
        await database.open()
        ground = MirroredGround(database, capacity=2)
        yield ground
        await ground.close()
