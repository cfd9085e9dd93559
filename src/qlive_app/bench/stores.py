"""The stores that qlive is measured on, each fresh and gone afterwards."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from qlive_app.bench.children import Child
from qlive_app.bench.mongod import Mongo, throw_away_database

SQLITE = "sqlite"
MONGO = "mongo"
CHOICES = {SQLITE: (SQLITE,), MONGO: (MONGO,), "both": (SQLITE, MONGO)}

# It would win over the configuration that the bench writes, and name a database that is none of its business.
_URI_VARIABLE = "QLIVE_MONGO_URI"


@attrs.frozen
class FreshStore:
    """The sections of a configuration that choose the store, and the server that has it, if one is known."""

    sections: Mapping[str, object]
    server: Child | None


def sqlite_sections(directory: Path) -> dict[str, object]:
    """The embedded store, in this directory."""
    return {"store": {"provider": SQLITE, "path": str(directory / "qlive.db")}}


def mongo_sections(uri: str, database: str) -> dict[str, object]:
    """A database of a MongoDB."""
    return {"store": {"provider": MONGO}, "mongo": {"uri": uri, "database": database}}


@asynccontextmanager
async def fresh_store(kind: str, directory: Path, server: Mongo | None) -> AsyncIterator[FreshStore]:
    """An empty store: of SQLite in ``directory``, or a database of ``server``, which MongoDB needs."""
    if kind == SQLITE or server is None:
        yield FreshStore(sqlite_sections(directory), None)
        return
    os.environ.pop(_URI_VARIABLE, None)
    async with throw_away_database(server) as name:
        yield FreshStore(mongo_sections(server.uri, name), server.child)
