"""A standalone MongoDB server keeps the contract."""

from collections.abc import AsyncIterator

import pytest

from .contract import StoresContract
from .kinds import Ground
from .mongo_ground import MongoGround
from .mongod import Mongod


class TestMongo(StoresContract):
    """On a server of its own."""

    @pytest.fixture
    async def ground(self, standalone: Mongod) -> AsyncIterator[Ground]:
        """An empty database."""
        ground = MongoGround(standalone)
        await ground.open()
        yield ground
        await ground.close()
