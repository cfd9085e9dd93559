"""Accounts and sessions: only those used last are in memory."""

from collections.abc import Callable, Collection, Mapping

from qlive_adapters.mirror.cache import FactCache
from qlive_adapters.mirror.facts import RecentFacts
from qlive_core.model.account import Account
from qlive_core.model.session import Session
from qlive_core.ports.stores import AccountStore, SessionStore

CAPACITY = 50_000


class MirroredAccounts(RecentFacts[Account]):
    """Implements AccountStore."""

    def __init__(self, store: AccountStore, changed: Callable[[], None], *, capacity: int = CAPACITY) -> None:
        self._truth = store
        cache = FactCache[Account](
            lambda account: account.id, {"phone": lambda account: (account.phone,)}, capacity=capacity
        )
        super().__init__(store, cache, lookups={"phone": store.by_phone}, changed=changed)

    async def by_phone(self, phone: str) -> Account | None:
        """As AccountStore.by_phone."""
        return await self._by("phone", phone)

    async def get_many(self, ids: Collection[str]) -> Mapping[str, Account]:
        """As AccountStore.get_many; asks the wrapped store once for those that are not in memory."""
        known = {key: account for key in ids if (account := self._cache.get(key)) is not None}
        missing = [key for key in ids if key not in known]
        if not missing:
            return known
        kept = self._kept
        found = await self._truth.get_many(missing)
        if kept == self._kept:
            for account in found.values():
                self._remember(account)
        return {**known, **found}


class MirroredSessions(RecentFacts[Session]):
    """Implements SessionStore."""

    def __init__(self, store: SessionStore, *, capacity: int = CAPACITY) -> None:
        self._truth = store
        cache = FactCache[Session](
            lambda session: session.user_id,
            {"token_hash": lambda session: (session.token_hash,)},
            capacity=capacity,
        )
        super().__init__(store, cache, lookups={"token_hash": store.by_token_hash})

    async def by_token_hash(self, token_hash: str) -> Session | None:
        """As SessionStore.by_token_hash."""
        return await self._by("token_hash", token_hash)

    async def purge(self, expired_before: float) -> int:
        """As SessionStore.purge."""
        try:
            return await self._truth.purge(expired_before)
        finally:
            # Also if nobody knows whether it took place: whoever is left is asked for again.
            for session in self._cache.all():
                if session.expires_at < expired_before:
                    self._keep(session.user_id, None)
