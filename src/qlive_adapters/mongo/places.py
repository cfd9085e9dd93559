"""Places in MongoDB."""

from collections.abc import Mapping, Sequence

from qlive_adapters.mongo.documents import PlaceDocument, PresenceDocument, RoomDocument
from qlive_adapters.mongo.facts import MongoFactStore, Shape, lookup
from qlive_core.model.place import Place, PlaceKind


class MongoPlaces(MongoFactStore[Place]):
    """Implements PlaceStore."""

    shape = Shape(
        Place,
        PlaceDocument,
        "user_id",
        lambda place: PlaceDocument(
            id=place.user_id, room_id=place.room_id, kind=place.kind.value, rev=place.rev
        ),
        lambda stored: Place(stored.id, stored.room_id, PlaceKind(stored.kind), stored.rev),
    )

    async def all(self) -> Sequence[Place]:
        """As PlaceStore.all."""
        return await self._select({})

    async def in_room(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.in_room."""
        return await self._select({"room_id": room_id})

    async def audience_numbers(self) -> Mapping[str, int]:
        """As PlaceStore.audience_numbers."""
        rows = await self._aggregate(
            {"$match": {"kind": PlaceKind.WATCHING.value}},
            {"$group": {"_id": "$room_id", "number": {"$sum": 1}}},
        )
        return {row["_id"]: row["number"] for row in rows}

    async def clear_room(self, room_id: str) -> None:
        """As PlaceStore.clear_room."""
        await self._delete_where({"room_id": room_id})

    async def roomless(self) -> Sequence[Place]:
        """As PlaceStore.roomless."""
        room = lookup(RoomDocument, "room_id")
        return self._facts(await self._aggregate(room, {"$match": {"found": []}}))

    async def unattended(self) -> Sequence[Place]:
        """As PlaceStore.unattended."""
        here = {"$match": {"kind": {"$ne": PlaceKind.LAPSED.value}}}
        presence = lookup(PresenceDocument, "_id")
        return self._facts(await self._aggregate(here, presence, {"$match": {"found": []}}))
