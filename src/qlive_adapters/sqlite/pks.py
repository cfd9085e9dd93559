"""Live PKs in SQLite."""

import sqlite3
from collections.abc import Sequence

from qlive_adapters.sqlite.batch import all_or_nothing
from qlive_adapters.sqlite.table import Row, SqliteFacts, Table
from qlive_core.model.pk import Pk, PkState, Side


def _encode(pk: Pk) -> Row:
    proposer, target = pk.proposer, pk.target
    return (
        pk.id,
        pk.state.value,
        proposer.user_id,
        proposer.room_id,
        target.user_id,
        target.room_id,
        pk.offer_expires_at,
    )


def _decode(row: Row) -> Pk:
    pk_id, state, proposer_user, proposer_room, target_user, target_room, offer_expires_at, rev = row
    proposer, target = Side(proposer_user, proposer_room), Side(target_user, target_room)
    return Pk(pk_id, PkState(state), proposer, target, offer_expires_at, rev)


class SqlitePks(SqliteFacts[Pk]):
    """Implements PkStore. The sides of a PK never change, so replacing one leaves ``pk_side`` alone."""

    table = Table(
        Pk,
        "pk",
        (
            "id",
            "state",
            "proposer_user",
            "proposer_room",
            "target_user",
            "target_room",
            "offer_expires_at",
        ),
        _encode,
        _decode,
    )

    async def add(self, pk: Pk) -> None:
        """As PkStore.add."""

        def add_with_sides(connection: sqlite3.Connection) -> None:
            with all_or_nothing(connection):
                self._insert(connection, pk)
                sides = (pk.proposer.room_id, pk.id, pk.target.room_id, pk.id)
                self._change(connection, "INSERT INTO pk_side (room_id, pk_id) VALUES (?, ?), (?, ?)", sides)

        await self._engine.write(add_with_sides)

    async def remove(self, pk: Pk) -> None:
        """As PkStore.remove."""

        def remove_with_sides(connection: sqlite3.Connection) -> None:
            with all_or_nothing(connection):
                self._delete(connection, pk)
                self._change(connection, "DELETE FROM pk_side WHERE pk_id = ?", (pk.id,))

        await self._engine.write(remove_with_sides)

    async def of_room(self, room_id: str) -> Pk | None:
        """As PkStore.of_room."""
        return self._first("WHERE id = (SELECT pk_id FROM pk_side WHERE room_id = ?)", room_id)

    async def all(self) -> Sequence[Pk]:
        """As PkStore.all."""
        return self._select()

    async def due(self, before: float) -> Sequence[Pk]:
        """As PkStore.due."""
        return self._select("WHERE state = 'offered' AND offer_expires_at < ?", before)

    async def roomless(self) -> Sequence[Pk]:
        """As PkStore.roomless."""
        return self._select(
            "WHERE EXISTS (SELECT 1 FROM pk_side WHERE pk_side.pk_id = pk.id"
            " AND NOT EXISTS (SELECT 1 FROM room WHERE room.id = pk_side.room_id))"
        )
