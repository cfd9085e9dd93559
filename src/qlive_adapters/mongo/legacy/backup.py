"""No document is changed or removed before there is a copy of it.

The server itself makes the copies, a batch with one command, so the documents never travel.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from qlive_adapters.mongo.legacy.connection import LegacyDatabase

BACKUP = "qlive_migration_backup"
BATCH = 5000


class Hand(Protocol):
    """Who makes the changes. ``why`` is a word under which the copies can be found."""

    async def move(self, collection: str, ids: Sequence[Any], why: str, *, kept: Sequence[str] = ()) -> None:
        """Move these documents to the backup. ``kept`` names, for each, what was kept in its place."""
        ...

    async def change(
        self,
        collection: str,
        where: Mapping[str, Any],
        why: str,
        update: Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> None:
        """Copy the documents that match, then update them by a pipeline.

        The update must leave documents that do not match any more.
        """
        ...


class NoHand:
    """Changes nothing: for a dry run."""

    async def move(self, collection: str, ids: Sequence[Any], why: str, *, kept: Sequence[str] = ()) -> None:
        """As Hand.move, but leaves the documents where they are."""

    async def change(
        self,
        collection: str,
        where: Mapping[str, Any],
        why: str,
        update: Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> None:
        """As Hand.change, but leaves the documents as they are."""


class CopyingHand:
    """Makes the changes of one run."""

    def __init__(self, database: LegacyDatabase, run: int) -> None:
        self._database = database
        self._run = run

    async def move(self, collection: str, ids: Sequence[Any], why: str, *, kept: Sequence[str] = ()) -> None:
        """As Hand.move."""
        if not ids:
            return
        where = {"_id": {"$in": ids}}
        more: dict[str, Any] = {}
        if kept:
            place = {"$indexOfArray": [{"$literal": ids}, "$_id"]}
            more["kept"] = {"$arrayElemAt": [{"$literal": kept}, place]}
        await self._copy(collection, where, why, more)
        await self._database[collection].delete_many(where)

    async def change(
        self,
        collection: str,
        where: Mapping[str, Any],
        why: str,
        update: Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> None:
        """As Hand.change."""
        await self._copy(collection, where, why, {})
        await self._database[collection].update_many(where, update, upsert=upsert)

    async def _copy(
        self, collection: str, where: Mapping[str, Any], why: str, more: Mapping[str, Any]
    ) -> None:
        """Copy what matches. What this run has changed or moved matches no more, so no copy is spoilt."""
        key = {"run": self._run, "collection": collection, "id": "$_id"}
        about = {"run": self._run, "collection": collection, "why": why, "copied_at": "$$NOW"}
        copies = {"$replaceWith": {"_id": key, **about, **more, "document": "$$ROOT"}}
        keep = {"$merge": {"into": BACKUP, "on": "_id", "whenMatched": "replace"}}
        await self._database[collection].aggregate([{"$match": where}, copies, keep])
