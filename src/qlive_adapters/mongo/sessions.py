"""Sessions in MongoDB."""

from qlive_adapters.mongo.documents import SessionDocument
from qlive_adapters.mongo.facts import MongoFactStore, Shape
from qlive_adapters.mongo.times import date_of
from qlive_core.model.session import Session


def _encode(session: Session) -> SessionDocument:
    return SessionDocument(
        id=session.user_id,
        token_hash=session.token_hash,
        expires_at=session.expires_at,
        ttl_from=date_of(session.expires_at),
        rev=session.rev,
    )


class MongoSessions(MongoFactStore[Session]):
    """Implements SessionStore."""

    shape = Shape(
        Session,
        SessionDocument,
        "user_id",
        _encode,
        lambda stored: Session(stored.id, stored.token_hash, stored.expires_at, stored.rev),
        uniques={"token_hash": "token_hash"},
    )

    async def by_token_hash(self, token_hash: str) -> Session | None:
        """As SessionStore.by_token_hash."""
        return await self._first({"token_hash": token_hash})

    async def purge(self, expired_before: float) -> int:
        """As SessionStore.purge. The date has an index and is at most as late as the exact time."""
        return await self._delete_where(
            {"ttl_from": {"$lte": date_of(expired_before)}, "expires_at": {"$lt": expired_before}}
        )
