"""What the stores have in common: one collection of facts, each with a key and a revision.

Every write of a fact is one update that fails, on the server, unless the stored revision is the one that it
was decided on::

    filter  {_id: key}
    update  if the stored revision is the one in hand then the new content else (what cannot be computed)
    upsert  true

* ``add`` goes by no revision, which is what a missing document has: the upsert inserts.
* ``replace`` goes by the revision in hand and stores the next one. If the fact is gone, the upsert starts from
  an empty document, which has no revision, so it fails too and brings nothing back.
* ``remove`` likewise, and leaves a tombstone: a document with nothing but its key and the date, which the
  server's TTL monitor buries within a minute or two. Whoever reads looks past it, and an ``add`` may
  take its key, as it has no revision.

Thus a lost guard is an error with an index, which an unordered batch tells for each of its updates, so that many
writes can share a commit. A plain guarded update or a deletion that matches nothing would be silent there.

A process that has the database for itself names in each write the time, by the server's clock, until when that is
so (see ``lease.py``). Later the write fails likewise, and another process may have the database.

Reads are local ("majority" would be a moment behind): who has lost a race must see what he lost to.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import bson
from attrs import evolve, frozen
from beanie import Document
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.gate import translated
from qlive_adapters.mongo.lane import WriteError
from qlive_adapters.mongo.walk import PAGE, known, pages
from qlive_core.errors import Duplicate, Stale, StoreUnavailable

DUPLICATE_KEY = 11000
CONVERSION_FAILURE = 241

Row = Mapping[str, Any]

_MOVED_ON = "not that revision of "
_TOO_LATE = "the lease has run out for "

LIVE: Row = {"removed": None}
"""What matches all documents that are no tombstones."""


def is_too_late(error: WriteError) -> bool:
    """Tell whether a write failed because the lease that it counts on had run out by the server's clock."""
    return error["code"] == CONVERSION_FAILURE and _TOO_LATE in str(error.get("errmsg", ""))


class Revised(Protocol):
    """A fact."""

    @property
    def rev(self) -> int:
        """Return its revision."""
        ...


Fact = TypeVar("Fact", bound=Revised)


@frozen
class Shape(Generic[Fact]):
    """How a fact lies in its collection.

    ``key`` names the field of the fact that is its identity; ``uniques`` says, for each stored field with a
    unique index, what the ports call it. Fields of the document that are in ``apart`` are no part of the fact
    and are left alone when it is replaced. ``revision`` is the stored revision, as an expression.
    """

    fact: type[Fact]
    document: type[Document]
    key: str
    encode: Callable[[Fact], Document]
    decode: Callable[[Any], Fact]
    uniques: Mapping[str, str] = {}
    apart: frozenset[str] = frozenset()
    revision: Any = "$rev"

    def key_of(self, fact: Fact) -> str:
        """Return the fact's identity."""
        key: str = getattr(fact, self.key)
        return key

    def row(self, fact: Fact, **apart: Any) -> dict[str, Any]:
        """Return what is stored for the fact."""
        row: dict[str, Any] = self.encode(fact).model_dump(by_alias=True)
        return row | apart

    def of_row(self, row: Row) -> Fact:
        """Return the fact that is stored like this."""
        return self.decode(self.document.model_validate(row))

    def addition(self, fact: Fact, until: datetime | None, **apart: Any) -> UpdateOne:
        """Return the update that stores the fact if nothing is stored under its key, before ``until``."""
        row = {"$literal": self.row(fact, **apart)}
        return self._update(fact, {"$replaceWith": self._if(None, until, row)})

    def replacement(self, fact: Fact, until: datetime | None) -> UpdateOne:
        """Return the update that stores the fact in place of its own revision, before ``until``."""
        row = self.row(fact)
        # A text may begin with "$", which in an expression would name a field.
        fields = {name: {"$literal": row[name]} for name in row.keys() - self.apart - {"_id", "rev"}}
        return self._update(fact, {"$set": {**fields, "rev": self._if(fact.rev, until, fact.rev + 1)}})

    def removal(self, fact: Fact, until: datetime | None) -> UpdateOne:
        """Return the update that puts a tombstone in place of the fact's own revision, before ``until``."""
        tombstone = {"_id": "$_id", "removed": "$$NOW"}
        return self._update(fact, {"$replaceWith": self._if(fact.rev, until, tombstone)})

    def _if(self, rev: int | None, until: datetime | None, value: Any) -> Any:
        """Return the expression whose value can be computed only in time, and if that revision is stored, None for none."""
        stored = {"$ifNull": [self.revision, None]}
        in_time = [] if until is None else [{"$lt": ["$$NOW", until]}]
        why: Any = _MOVED_ON
        if until is not None:
            why = {"$cond": [*in_time, _MOVED_ON, _TOO_LATE]}
        impossible = {"$toInt": {"$concat": [why, "$_id"]}}
        return {"$cond": [{"$and": [*in_time, {"$eq": [stored, rev]}]}, value, impossible]}

    def _update(self, fact: Fact, stage: Row) -> UpdateOne:
        # What cannot be encoded is this caller's error, not that of his batch; so it is encoded here.
        key = RawBSONDocument(bson.encode({"_id": self.key_of(fact)}))
        return UpdateOne(key, [RawBSONDocument(bson.encode(stage))], upsert=True)

    def refusal(self, error: WriteError, fact: Fact) -> Exception:
        """Return the error of a write as the ports know it."""
        if is_too_late(error):
            return StoreUnavailable(_TOO_LATE + self.key_of(fact))
        if error["code"] == CONVERSION_FAILURE:
            return Stale(self.fact.__name__, self.key_of(fact))
        if error["code"] == DUPLICATE_KEY:
            field = next(iter(error["keyPattern"]))
            return Duplicate(self.fact.__name__, self.key if field == "_id" else self.uniques[field])
        return StoreUnavailable(str(error.get("errmsg", error)))


class MongoFacts(Generic[Fact]):
    """A store of the facts of one collection. Subclasses name the shape and add the queries of their port."""

    shape: ClassVar[Shape[Any]]

    def __init__(self, database: Database) -> None:
        self._gate = database.gate
        self._database = database
        self._collection = database.collection(self.shape.document)
        self._lane = database.lane(self._collection)

    async def get(self, key: str) -> Fact | None:
        """As FactStore.get."""
        return await self._first({"_id": key})

    async def replace(self, fact: Fact) -> Fact:
        """As FactStore.replace."""
        await self._write(lambda until: self.shape.replacement(fact, until), fact)
        replaced: Fact = evolve(fact, rev=fact.rev + 1)  # type: ignore[misc]  # every fact is an attrs class
        return replaced

    async def remove(self, fact: Fact) -> None:
        """As FactStore.remove."""
        await self._write(lambda until: self.shape.removal(fact, until), fact)

    async def _add(self, fact: Fact, **apart: Any) -> None:
        try:
            await self._write(lambda until: self.shape.addition(fact, until, **apart), fact)
        except Stale as taken:
            raise Duplicate(self.shape.fact.__name__, self.shape.key) from taken

    async def _write(self, update: Callable[[datetime | None], UpdateOne], fact: Fact) -> None:
        error = await self._lane.write(update(self._database.until))
        if error is not None and is_too_late(error):
            # The server's clock may have been set forward: then the lease is still ours and can be renewed.
            await self._database.renew()
            error = await self._lane.write(update(self._database.until))
        if error is not None:
            raise self.shape.refusal(error, fact)

    async def _first(self, condition: Row) -> Fact | None:
        row = await self._gate.call(lambda: self._collection.find_one(condition))
        return None if row is None or "removed" in row else self._facts([row])[0]

    async def _select(self, condition: Row, **options: Any) -> list[Fact]:
        found = {**condition, **LIVE}
        return self._facts(await self._gate.call(lambda: self._collection.find(found, **options).to_list()))

    async def _all(self) -> list[Fact]:
        """Return all facts, in the order of their keys, a page at a time."""
        facts: list[Fact] = []
        async for page in pages(self._gate, self._collection):
            facts += self._facts([row for row in page if "removed" not in row])
        return facts

    async def _by_keys(self, keys: Sequence[str]) -> list[Fact]:
        return await self._select({"_id": {"$in": keys}}) if keys else []

    async def _aggregate(self, *stages: Row) -> list[dict[str, Any]]:
        async def work() -> list[dict[str, Any]]:
            cursor = await self._collection.aggregate([{"$match": LIVE}, *stages])
            return await cursor.to_list()

        return await self._gate.call(work)

    def _in_time(self, condition: Row) -> Row:
        """Return a condition that nothing meets any more once the lease has run out."""
        until = self._database.until
        return condition if until is None else {**condition, "$expr": {"$lt": ["$$NOW", until]}}

    async def _delete_where(self, condition: Row) -> int:
        """Remove what meets the condition, which has an index, a page at a time; return how much that was."""
        removed = 0
        while keys := await known(self._gate, self._collection, condition, limit=PAGE):
            chosen = self._in_time({**condition, "_id": {"$in": list(keys)}})
            result = await self._gate.commit(partial(self._collection.delete_many, chosen))
            removed += result.deleted_count
            if len(keys) < PAGE or not result.deleted_count:
                break
        return removed

    def _facts(self, rows: Sequence[Row]) -> list[Fact]:
        with translated():
            return [self.shape.of_row(row) for row in rows]


class MongoFactStore(MongoFacts[Fact]):
    """A store to which a fact is added under no other condition than that it is unique."""

    async def add(self, fact: Fact) -> None:
        """As FactStore.add."""
        await self._add(fact)
