"""Presences in SQLite."""

import json
from collections.abc import Collection, Mapping, Sequence

from qlive_adapters.sqlite.table import Row, SqliteFactStore, Table
from qlive_core.model.presence import Presence

_EXPECT_ALL = (
    "UPDATE presence SET expires_at = ?, rev = rev + 1"
    " WHERE expires_at IS NULL AND node <> ? OR connection_id = '' AND expires_at < ?"
)


def _encode(presence: Presence) -> Row:
    return (
        presence.user_id,
        presence.connection_id,
        presence.node,
        presence.expires_at,
        json.dumps(sorted(presence.capabilities)),
        int(presence.im),
    )


def _decode(row: Row) -> Presence:
    user_id, connection_id, node, expires_at, capabilities, im, rev = row
    able = frozenset(json.loads(capabilities))
    return Presence(user_id, connection_id, node, expires_at, able, bool(im), rev)


class SqlitePresences(SqliteFactStore[Presence]):
    """Implements PresenceStore."""

    table = Table(
        Presence,
        "presence",
        ("user_id", "connection_id", "node", "expires_at", "capabilities", "im"),
        _encode,
        _decode,
    )

    async def get_many(self, user_ids: Collection[str]) -> Mapping[str, Presence]:
        """As PresenceStore.get_many."""
        found = self._select("WHERE user_id IN (SELECT value FROM json_each(?))", json.dumps(list(user_ids)))
        return {presence.user_id: presence for presence in found}

    async def all(self) -> Sequence[Presence]:
        """As PresenceStore.all."""
        return self._select()

    async def due(self, before: float) -> Sequence[Presence]:
        """As PresenceStore.due."""
        return self._select("WHERE expires_at < ?", before)

    async def expect_all(self, until: float, *, node: str) -> None:
        """As PresenceStore.expect_all."""
        await self._engine.write(
            lambda connection: connection.execute(_EXPECT_ALL, (until, node, until)), long=True
        )
