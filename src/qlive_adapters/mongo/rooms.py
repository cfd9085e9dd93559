"""Rooms in MongoDB, and their exact limit."""

from collections.abc import Sequence
from contextlib import suppress
from zlib import crc32

from attrs import frozen
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.documents import PlaceDocument, RoomDocument
from qlive_adapters.mongo.facts import LIVE, MongoFacts, Shape
from qlive_adapters.mongo.walk import Walk, known
from qlive_core.errors import Duplicate, RoomLimitReached
from qlive_core.model.place import PlaceKind
from qlive_core.model.room import Room, RoomType


def _encode(room: Room) -> RoomDocument:
    return RoomDocument(
        id=room.id,
        name=room.name,
        type=room.type.value,
        creator=room.creator,
        created_at=room.created_at,
        locked_seats=tuple(sorted(room.locked_seats)),
        rev=room.rev,
    )


def _decode(stored: RoomDocument) -> Room:
    return Room(
        stored.id,
        stored.name,
        RoomType(stored.type),
        stored.creator,
        stored.created_at,
        frozenset(stored.locked_seats),
        stored.rev,
    )


@frozen
class _Slots:
    """Which slots of a limit are free, and whether rooms exist that have none of them."""

    free: tuple[int, ...]
    outsiders: bool


class MongoRooms(MongoFacts[Room]):
    """Implements RoomStore.

    Under a limit each room holds one of the slots 1 to ``limit``, and a unique index lets no two hold the
    same: so there can be no more rooms than slots, whoever adds at the same time and however slowly. The slot
    is a field of the room, so it comes and goes with the room in one write, and a crash leaves nothing to
    be counted anew. Rooms from a time with a higher limit, or with none, are outsiders; they are given the
    free slots first, and no room is added as long as one of them has none. This is exact if all who add at
    the same time go by the same limit.
    """

    shape = Shape(
        Room,
        RoomDocument,
        "id",
        _encode,
        _decode,
        uniques={"name": "name", "creator": "creator", "slot": "slot"},
        apart=frozenset({"slot"}),
    )

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._places = database.collection(PlaceDocument)
        self._walk = Walk(self._gate, self._collection, ["creator"])

    async def add(self, room: Room, *, limit: int) -> None:
        """As RoomStore.add."""
        if not limit:
            await self._add(room)
            return
        async with self._gate.bounded():
            added = False
            while not added:
                # If somebody else was quicker, there is less to choose from the next time.
                added = await self._added_to_a_slot(room, limit)

    async def _added_to_a_slot(self, room: Room, limit: int) -> bool:
        slots = await self._slots(limit)
        if not slots.free:
            raise RoomLimitReached
        if slots.outsiders:
            await self._let_in(slots.free, limit)
            return False
        # Rooms that are added at the same time should not all try the same slot; their ids are random.
        slot = slots.free[crc32(room.id.encode()) % len(slots.free)]
        try:
            await self._add(room, slot=slot)
        except Duplicate as taken:
            if taken.unique != "slot":
                raise
            return False
        return True

    async def _slots(self, limit: int) -> _Slots:
        rows = await self._aggregate({"$group": {"_id": None, "slots": {"$push": "$slot"}}})
        slots = rows[0]["slots"] if rows else []
        held = {slot for slot in slots if slot is not None and slot <= limit}
        return _Slots(
            free=tuple(slot for slot in range(1, limit + 1) if slot not in held),
            outsiders=len(held) < len(slots),
        )

    async def _let_in(self, free: tuple[int, ...], limit: int) -> None:
        """Give the free slots to outsiders. Who finds his slot taken gets another one the next time."""
        outside = {"$or": [{"slot": None}, {"slot": {"$gt": limit}}], **LIVE}

        async def work() -> None:
            rows = await self._collection.find(outside, {"slot": 1}, limit=len(free)).to_list()
            # LIVE here too: a room that is removed meanwhile would keep the slot as a tombstone, which nobody sees.
            moves = [
                UpdateOne({"_id": row["_id"], "slot": row.get("slot"), **LIVE}, {"$set": {"slot": slot}})
                for row, slot in zip(rows, free, strict=False)
            ]
            if moves:  # else all of them have been removed since
                with suppress(BulkWriteError):
                    await self._collection.bulk_write(moves, ordered=False)

        await self._gate.call(work)

    async def by_name(self, name: str) -> Room | None:
        """As RoomStore.by_name."""
        return await self._first({"name": name})

    async def by_creator(self, user_id: str) -> Room | None:
        """As RoomStore.by_creator."""
        return await self._first({"creator": user_id})

    async def all(self) -> Sequence[Room]:
        """As RoomStore.all."""
        return sorted(await self._all(), key=lambda room: (room.created_at, room.id))

    async def count(self) -> int:
        """As RoomStore.count."""
        return await self._gate.call(lambda: self._collection.count_documents(LIVE))

    async def hostless(self) -> Sequence[Room]:
        """As RoomStore.hostless."""
        found: list[Room] = []
        async for page in self._walk.round():
            hosts = {"_id": {"$in": [row["creator"] for row in page]}, "kind": PlaceKind.HOSTING.value}
            hosted = await known(self._gate, self._places, hosts, "room_id")
            found += await self._by_keys([row["_id"] for row in page if row["_id"] not in hosted])
        return found
