"""Sessions in SQLite."""

from qlive_adapters.sqlite.table import SqliteFactStore, Table
from qlive_core.model.session import Session


class SqliteSessions(SqliteFactStore[Session]):
    """Implements SessionStore."""

    table = Table(
        Session,
        "session",
        ("user_id", "token_hash", "expires_at"),
        lambda session: (session.user_id, session.token_hash, session.expires_at),
        lambda row: Session(*row),
    )

    async def by_token_hash(self, token_hash: str) -> Session | None:
        """As SessionStore.by_token_hash."""
        return self._first("WHERE token_hash = ?", token_hash)

    async def purge(self, expired_before: float) -> int:
        """As SessionStore.purge."""
        return await self._delete_where("WHERE expires_at < ?", expired_before)
