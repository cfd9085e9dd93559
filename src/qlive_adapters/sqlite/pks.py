"""Live PKs in SQLite."""

from collections.abc import Sequence

from qlive_adapters.sqlite.table import Row, SqliteFactStore, Table
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


class SqlitePks(SqliteFactStore[Pk]):
    """Implements PkStore. Triggers keep ``pk_side``, so that each write is one statement."""

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
            "WHERE NOT EXISTS (SELECT 1 FROM room WHERE room.id = pk.proposer_room)"
            " OR NOT EXISTS (SELECT 1 FROM room WHERE room.id = pk.target_room)"
        )
