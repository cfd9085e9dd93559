"""SQLite under the contract."""

from pathlib import Path

from qlive_adapters.mirror.wrapped import Stores
from qlive_adapters.sqlite.store import SqliteStores


class SqliteGround:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sqlite = SqliteStores(path)

    @property
    def stores(self) -> Stores:
        """The stores that are open now."""
        return self._sqlite

    async def reopen(self) -> None:
        """Close the file and open it again."""
        await self._sqlite.close()
        self._sqlite = SqliteStores(self._path)

    async def close(self) -> None:
        """Close the file."""
        await self._sqlite.close()


class MemoryGround:
    """A database in memory: as long as it is open it is all there is, so reopening leaves it alone."""

    def __init__(self) -> None:
        self.stores = SqliteStores(":memory:")

    async def reopen(self) -> None:
        """Nothing outlives the memory."""

    async def close(self) -> None:
        """Let go of the memory."""
        await self.stores.close()
