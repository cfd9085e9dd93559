"""MongoDB under the contract."""

from qlive_adapters.mirror.wrapped import Stores
from qlive_adapters.mongo.store import MongoStores

from .mongod import Mongod

DATABASE = "qlive_test"


def wipe(server: Mongod) -> None:
    """Remove all documents. The indexes stay: to create them anew would take longer than most tests."""
    with server.direct() as client:
        database = client[DATABASE]
        for name in database.list_collection_names():
            database[name].delete_many({})


class MongoGround:
    """A database that is empty at first."""

    def __init__(self, server: Mongod) -> None:
        self._server = server
        self._mongo = MongoStores(server.uri, DATABASE)

    @property
    def stores(self) -> Stores:
        """The stores that are open now."""
        return self._mongo

    async def open(self) -> None:
        """Start empty."""
        wipe(self._server)
        await self._mongo.open()

    async def reopen(self) -> None:
        """Disconnect and connect again."""
        await self._mongo.close()
        self._mongo = MongoStores(self._server.uri, DATABASE)
        await self._mongo.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._mongo.close()
