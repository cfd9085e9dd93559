"""Presences in SQLite."""

from collections.abc import Sequence

from qlive_adapters.sqlite.table import SqliteFactStore, Table
from qlive_core.model.presence import Presence


class SqlitePresences(SqliteFactStore[Presence]):
    """Implements PresenceStore."""

    table = Table(
        Presence,
        "presence",
        ("user_id", "connection_id", "node", "expires_at", "im"),
        lambda presence: (
            presence.user_id,
            presence.connection_id,
            presence.node,
            presence.expires_at,
            int(presence.im),
        ),
        lambda row: Presence(row[0], row[1], row[2], row[3], row[5], bool(row[4])),
    )

    async def all(self) -> Sequence[Presence]:
        """As PresenceStore.all."""
        return self._select()

    async def due(self, before: float) -> Sequence[Presence]:
        """As PresenceStore.due."""
        return self._select("WHERE expires_at < ?", before)

    async def open_elsewhere(self, node: str) -> Sequence[Presence]:
        """As PresenceStore.open_elsewhere."""
        return self._select("WHERE expires_at IS NULL AND node <> ?", node)
