"""What the stores have in common: one collection of facts, each with a key and a revision.

A fact is replaced by an update that fails, on the server, unless the stored revision is the one in hand::

    filter  {_id: key}
    update  rev := if rev = n then n + 1 else (an expression that cannot be computed)
    upsert  true

If the stored revision is another one, the expression fails. If the fact is gone, the upsert starts from an
empty document, which has no revision, and fails likewise; so nothing that was removed ever comes back. Thus a
lost guard is an error with an index, which an unordered batch tells for each of its updates; a plain guarded
update that matches nothing would be silent there.

Reads are local ("majority" would be a moment behind): who has lost a race must see what he lost to.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import bson
from attrs import evolve, frozen
from beanie import Document
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateOne

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.gate import translated
from qlive_adapters.mongo.lane import Lane, WriteError
from qlive_core.errors import Duplicate, Stale, StoreUnavailable

DUPLICATE_KEY = 11000
CONVERSION_FAILURE = 241

Row = Mapping[str, Any]


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

    def update(self, fact: Fact) -> UpdateOne:
        """Return the update that stores the fact in place of its own revision, or else fails."""
        row = self.row(fact)
        key = row.pop("_id")
        moved_on = {"$toInt": {"$concat": ["not that revision of ", "$_id"]}}
        guarded = {"$cond": [{"$eq": [self.revision, fact.rev]}, fact.rev + 1, moved_on]}
        # A text may begin with "$", which in an expression would name a field. What cannot be encoded is this
        # caller's error, not that of his batch; so all is encoded here.
        fields = {name: {"$literal": value} for name, value in row.items() if name not in self.apart}
        pipeline = [RawBSONDocument(bson.encode({"$set": fields | {"rev": guarded}}))]
        return UpdateOne(RawBSONDocument(bson.encode({"_id": key})), pipeline, upsert=True)

    def guard(self, fact: Fact) -> dict[str, Any]:
        """Return what finds the fact if it is stored in its own revision; the original stored none: 0."""
        return {"_id": self.key_of(fact), "rev": fact.rev or {"$in": [0, None]}}

    def refusal(self, error: WriteError, fact: Fact) -> Exception:
        """Return the error of a write as the ports know it."""
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
        self._collection = database.collection(self.shape.document)
        self._inserts: Lane = database.lane(self._collection)
        self._updates: Lane = database.lane(self._collection)

    async def get(self, key: str) -> Fact | None:
        """As FactStore.get."""
        return await self._first({"_id": key})

    async def replace(self, fact: Fact) -> Fact:
        """As FactStore.replace."""
        error = await self._updates.write(self.shape.update(fact))
        if error is not None:
            raise self.shape.refusal(error, fact)
        replaced: Fact = evolve(fact, rev=fact.rev + 1)  # type: ignore[misc]  # every fact is an attrs class
        return replaced

    async def remove(self, fact: Fact) -> None:
        """As FactStore.remove."""
        result = await self._gate.commit(lambda: self._collection.delete_one(self.shape.guard(fact)))
        if result.deleted_count == 0:
            raise Stale(self.shape.fact.__name__, self.shape.key_of(fact))

    async def _insert(self, fact: Fact, **apart: Any) -> None:
        # Encoded here for the reason that ``update`` gives.
        row = RawBSONDocument(bson.encode(self.shape.row(fact, **apart)))
        error = await self._inserts.write(InsertOne(row))
        if error is not None:
            raise self.shape.refusal(error, fact)

    async def _first(self, condition: Row) -> Fact | None:
        row = await self._gate.call(lambda: self._collection.find_one(condition))
        return None if row is None else self._facts([row])[0]

    async def _select(self, condition: Row, **options: Any) -> list[Fact]:
        return self._facts(
            await self._gate.call(lambda: self._collection.find(condition, **options).to_list())
        )

    async def _aggregate(self, *stages: Row) -> list[dict[str, Any]]:
        async def work() -> list[dict[str, Any]]:
            cursor = await self._collection.aggregate(list(stages))
            return await cursor.to_list()

        return await self._gate.call(work)

    async def _delete_where(self, condition: Row) -> int:
        result = await self._gate.commit(lambda: self._collection.delete_many(condition))
        return result.deleted_count

    def _facts(self, rows: Sequence[Row]) -> list[Fact]:
        with translated():
            return [self.shape.of_row(row) for row in rows]


class MongoFactStore(MongoFacts[Fact]):
    """A store to which a fact is added under no other condition than that it is unique."""

    async def add(self, fact: Fact) -> None:
        """As FactStore.add."""
        await self._insert(fact)
