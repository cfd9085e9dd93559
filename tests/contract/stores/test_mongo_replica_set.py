"""A MongoDB replica set keeps the contract."""

from collections.abc import AsyncIterator

import pytest

from .contract import StoresContract
from .kinds import Ground
from .mongo_ground import MongoGround
from .mongod import Mongod


class TestMongoReplicaSet(StoresContract):
    """On a set with a single member."""

    @pytest.fixture
    async def ground(self, replica_set: Mongod) -> AsyncIterator[Ground]:
        """An empty database."""
        ground = MongoGround(replica_set)
        await ground.open()
        yield ground
        await ground.close()
