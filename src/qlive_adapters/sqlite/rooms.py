"""Rooms in SQLite."""

import json
import sqlite3
from collections.abc import Sequence

from qlive_adapters.sqlite.table import Row, SqliteFacts, Table
from qlive_core.errors import RoomLimitReached
from qlive_core.model.room import Room, RoomType


def _encode(room: Room) -> Row:
    locked = json.dumps(sorted(room.locked_seats))
    return room.id, room.name, room.type.value, room.creator, room.created_at, locked


def _decode(row: Row) -> Room:
    room_id, name, kind, creator, created_at, locked, rev = row
    return Room(room_id, name, RoomType(kind), creator, created_at, frozenset(json.loads(locked)), rev)


class SqliteRooms(SqliteFacts[Room]):
    """Implements RoomStore."""

    table = Table(
        Room,
        "room",
        ("id", "name", "type", "creator", "created_at", "locked_seats"),
        _encode,
        _decode,
    )

    async def add(self, room: Room, *, limit: int) -> None:
        """As RoomStore.add."""

        def add_within_limit(connection: sqlite3.Connection) -> None:
            # All writes pass through one connection, so nobody adds a room between these two statements.
            if limit and connection.execute("SELECT count(*) FROM room").fetchone()[0] >= limit:
                raise RoomLimitReached
            self._insert(connection, room)

        await self._engine.write(add_within_limit)

    async def by_name(self, name: str) -> Room | None:
        """As RoomStore.by_name."""
        return self._first("WHERE name = ?", name)

    async def by_creator(self, user_id: str) -> Room | None:
        """As RoomStore.by_creator."""
        return self._first("WHERE creator = ?", user_id)

    async def all(self) -> Sequence[Room]:
        """As RoomStore.all."""
        return self._select("ORDER BY created_at, id")

    async def count(self) -> int:
        """As RoomStore.count."""
        number: int = self._engine.read("SELECT count(*) FROM room")[0][0]
        return number

    async def hostless(self) -> Sequence[Room]:
        """As RoomStore.hostless."""
        return self._select(
            "WHERE NOT EXISTS (SELECT 1 FROM place"
            " WHERE place.user_id = room.creator AND place.room_id = room.id AND place.kind = 'hosting')"
        )
