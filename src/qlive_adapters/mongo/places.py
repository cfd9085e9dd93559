"""Places in MongoDB."""

from collections.abc import Mapping, Sequence

from pymongo import ASCENDING

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.documents import PlaceDocument, PresenceDocument, RoomDocument
from qlive_adapters.mongo.facts import MongoFactStore, Shape
from qlive_adapters.mongo.walk import Walk, known
from qlive_core.model.place import AUDIENCE, Place, PlaceKind

_IN_AUDIENCE = {"$in": [kind.value for kind in AUDIENCE]}


def _encode(place: Place) -> PlaceDocument:
    return PlaceDocument(
        id=place.user_id,
        room_id=place.room_id,
        kind=place.kind.value,
        since=place.since,
        seat=place.seat,
        seat_until=place.seat_until,
        muted=place.muted,
        rev=place.rev,
    )


def _decode(stored: PlaceDocument) -> Place:
    return Place(
        stored.id,
        stored.room_id,
        PlaceKind(stored.kind),
        # The first revision is the time, in microseconds, at which the place was taken; see ``first_revision``.
        stored.rev / 1_000_000 if stored.since is None else stored.since,
        stored.seat,
        stored.seat_until,
        stored.muted,
        stored.rev,
    )


class MongoPlaces(MongoFactStore[Place]):
    """Implements PlaceStore."""

    shape = Shape(Place, PlaceDocument, "user_id", _encode, _decode, uniques={"seat": "seat"})

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rooms = database.collection(RoomDocument)
        self._presences = database.collection(PresenceDocument)
        self._to_rooms = Walk(self._gate, self._collection, ["room_id"])
        self._to_people = Walk(self._gate, self._collection, ["kind"])

    async def all(self) -> Sequence[Place]:
        """As PlaceStore.all."""
        return await self._all()

    async def in_room(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.in_room."""
        return await self._select({"room_id": room_id})

    async def audience_numbers(self) -> Mapping[str, int]:
        """As PlaceStore.audience_numbers."""
        rows = await self._aggregate(
            {"$match": {"kind": _IN_AUDIENCE}},
            {"$group": {"_id": "$room_id", "number": {"$sum": 1}}},
        )
        return {row["_id"]: row["number"] for row in rows}

    async def seats(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.seats."""
        return await self._select({"room_id": room_id, "seat": {"$gte": 0}}, sort=[("seat", ASCENDING)])

    async def due(self, before: float) -> Sequence[Place]:
        """As PlaceStore.due."""
        return await self._select({"seat_until": {"$gt": 0, "$lt": before}})

    async def clear_room(self, room_id: str) -> None:
        """As PlaceStore.clear_room."""
        await self._delete_where({"room_id": room_id})

    async def roomless(self) -> Sequence[Place]:
        """As PlaceStore.roomless."""
        found: list[Place] = []
        async for page in self._to_rooms.round():
            named = {row["room_id"] for row in page}
            gone = named - await known(self._gate, self._rooms, {"_id": {"$in": list(named)}})
            found += await self._by_keys([row["_id"] for row in page if row["room_id"] in gone])
        return found

    async def unattended(self) -> Sequence[Place]:
        """As PlaceStore.unattended."""
        found: list[Place] = []
        async for page in self._to_people.round():
            here = {row["_id"] for row in page if row["kind"] != PlaceKind.LAPSED.value}
            present = await known(self._gate, self._presences, {"_id": {"$in": list(here)}})
            found += await self._by_keys(list(here - present))
        return found
