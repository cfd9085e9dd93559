"""Live PKs in MongoDB."""

from collections.abc import Sequence

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.documents import PkDocument, RoomDocument
from qlive_adapters.mongo.facts import MongoFacts, Shape
from qlive_adapters.mongo.walk import Walk, known
from qlive_core.errors import Duplicate
from qlive_core.model.pk import Pk, PkState, Side


def _encode(pk: Pk) -> PkDocument:
    return PkDocument(
        id=pk.id,
        state=pk.state.value,
        proposer_user=pk.proposer.user_id,
        target_user=pk.target.user_id,
        rooms=(pk.proposer.room_id, pk.target.room_id),
        offer_expires_at=pk.offer_expires_at,
        rev=pk.rev,
    )


def _decode(stored: PkDocument) -> Pk:
    proposer_room, target_room = stored.rooms
    return Pk(
        stored.id,
        PkState(stored.state),
        Side(stored.proposer_user, proposer_room),
        Side(stored.target_user, target_room),
        stored.offer_expires_at,
        stored.rev,
    )


class MongoPks(MongoFacts[Pk]):
    """Implements PkStore."""

    shape = Shape(Pk, PkDocument, "id", _encode, _decode, uniques={"rooms": "room_id"})

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rooms = database.collection(RoomDocument)
        self._walk = Walk(self._gate, self._collection, ["rooms"])

    async def add(self, pk: Pk) -> None:
        """As PkStore.add."""
        # The unique index compares documents with one another, not the two sides of one.
        if pk.proposer.room_id == pk.target.room_id:
            raise Duplicate("Pk", "room_id")
        await self._add(pk)

    async def of_room(self, room_id: str) -> Pk | None:
        """As PkStore.of_room."""
        return await self._first({"rooms": room_id})

    async def all(self) -> Sequence[Pk]:
        """As PkStore.all."""
        return await self._all()

    async def due(self, before: float) -> Sequence[Pk]:
        """As PkStore.due."""
        return await self._select({"state": PkState.OFFERED.value, "offer_expires_at": {"$lt": before}})

    async def roomless(self) -> Sequence[Pk]:
        """As PkStore.roomless."""
        found: list[Pk] = []
        async for page in self._walk.round():
            named = {room for row in page for room in row["rooms"]}
            gone = named - await known(self._gate, self._rooms, {"_id": {"$in": list(named)}})
            found += await self._by_keys([row["_id"] for row in page if gone.intersection(row["rooms"])])
        return found
