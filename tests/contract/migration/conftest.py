"""A server, and a database on it that the original has left."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from pymongo.database import Database

from contract.stores.mongod import Mongod, running
from qlive_adapters.mongo.legacy import LegacyDatabase, connected
from qlive_adapters.mongo.store import MongoStores

from .legacy import NAME


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server of its own."""
    with running(tmp_path_factory.mktemp("migrate")) as server:
        yield server


@pytest.fixture
def left(server: Mongod) -> Iterator[Database[Any]]:
    """What the original left; empty at first."""
    with server.direct() as client:
        client.drop_database(NAME)
        yield client.get_database(NAME, codec_options=CodecOptions(tz_aware=True))


@pytest.fixture
async def database(server: Mongod, left: Database[Any]) -> AsyncIterator[LegacyDatabase]:
    """The same database, as a migration sees it."""
    assert left.name == NAME
    async with connected(server.uri, NAME) as database:
        yield database


@pytest.fixture
async def stores(server: Mongod, left: Database[Any]) -> AsyncIterator[MongoStores]:
    """The stores over it, not open yet."""
    assert left.name == NAME
    stores = MongoStores(server.uri, NAME)
    yield stores
    await stores.close()
