"""Places in SQLite."""

from collections.abc import Mapping, Sequence

from qlive_adapters.sqlite.table import SqliteFactStore, Table
from qlive_core.model.place import Place, PlaceKind


class SqlitePlaces(SqliteFactStore[Place]):
    """Implements PlaceStore."""

    table = Table(
        Place,
        "place",
        ("user_id", "room_id", "kind"),
        lambda place: (place.user_id, place.room_id, place.kind.value),
        lambda row: Place(row[0], row[1], PlaceKind(row[2]), row[3]),
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
            self._engine.read("SELECT room_id, count(*) FROM place WHERE kind = 'watching' GROUP BY room_id")
        )

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
