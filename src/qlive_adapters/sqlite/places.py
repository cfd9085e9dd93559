"""Places in SQLite."""

from collections.abc import Mapping, Sequence

from qlive_adapters.sqlite.table import Row, SqliteFactStore, Table
from qlive_core.model.place import Place, PlaceKind


def _encode(place: Place) -> Row:
    return (
        place.user_id,
        place.room_id,
        place.kind.value,
        place.since,
        place.seat,
        place.seat_until,
        int(place.muted),
    )


def _decode(row: Row) -> Place:
    user_id, room_id, kind, since, seat, seat_until, muted, rev = row
    return Place(user_id, room_id, PlaceKind(kind), since, seat, seat_until, bool(muted), rev)


class SqlitePlaces(SqliteFactStore[Place]):
    """Implements PlaceStore."""

    table = Table(
        Place,
        "place",
        ("user_id", "room_id", "kind", "since", "seat", "seat_until", "muted"),
        _encode,
        _decode,
    )

    async def all(self) -> Sequence[Place]:
        """As PlaceStore.all."""
        return self._select()

    async def in_room(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.in_room."""
        return self._select("WHERE room_id = ?", room_id)

    async def audience_numbers(self) -> Mapping[str, int]:
        """As PlaceStore.audience_numbers."""
        return dict(
            self._engine.read(
                "SELECT room_id, count(*) FROM place WHERE kind NOT IN ('hosting', 'lapsed') GROUP BY room_id"
            )
        )

    async def seats(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.seats."""
        return self._select("WHERE room_id = ? AND seat IS NOT NULL ORDER BY seat", room_id)

    async def due(self, before: float) -> Sequence[Place]:
        """As PlaceStore.due."""
        return self._select("WHERE seat_until < ?", before)

    async def clear_room(self, room_id: str) -> None:
        """As PlaceStore.clear_room."""
        await self._delete_where("WHERE room_id = ?", room_id)

    async def roomless(self) -> Sequence[Place]:
        """As PlaceStore.roomless."""
        return self._select("WHERE NOT EXISTS (SELECT 1 FROM room WHERE room.id = place.room_id)")

    async def unattended(self) -> Sequence[Place]:
        """As PlaceStore.unattended."""
        return self._select(
            "WHERE kind <> 'lapsed'"
            " AND NOT EXISTS (SELECT 1 FROM presence WHERE presence.user_id = place.user_id)"
        )
