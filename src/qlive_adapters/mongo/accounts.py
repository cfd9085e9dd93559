"""Accounts in MongoDB, in the original's collection and under its field names."""

from collections.abc import Collection, Mapping

from qlive_adapters.mongo.documents import AccountDocument
from qlive_adapters.mongo.facts import MongoFactStore, Shape
from qlive_adapters.mongo.times import date_of, seconds_of
from qlive_core.model.account import Account


def _encode(account: Account) -> AccountDocument:
    return AccountDocument(
        id=account.id,
        phone=account.phone,
        nickname=account.nickname,
        gender=account.gender,
        avatar=account.avatar,
        register_time=date_of(account.registered_at),
        last_login_time=date_of(account.last_login_at),
        registered_at=account.registered_at,
        last_login_at=account.last_login_at,
        rev=account.rev,
    )


def _decode(stored: AccountDocument) -> Account:
    return Account(
        id=stored.id,
        phone=stored.phone,
        nickname=stored.nickname,
        gender=stored.gender,
        avatar=stored.avatar,
        registered_at=seconds_of(stored.register_time, stored.registered_at),
        last_login_at=seconds_of(stored.last_login_time, stored.last_login_at),
        rev=stored.rev,
    )


class MongoAccounts(MongoFactStore[Account]):
    """Implements AccountStore.

    A row of the original has no revision and is read as 0. That a row is there at all is told by its
    register time: an account that is gone must not pass for one of revision 0.
    """

    shape = Shape(
        Account,
        AccountDocument,
        "id",
        _encode,
        _decode,
        uniques={"phoneNumber": "phone"},
        revision={"$ifNull": ["$rev", {"$cond": ["$registerTime", 0, None]}]},
    )

    async def by_phone(self, phone: str) -> Account | None:
        """As AccountStore.by_phone."""
        return await self._first({"phoneNumber": phone})

    async def get_many(self, ids: Collection[str]) -> Mapping[str, Account]:
        """As AccountStore.get_many."""
        found = await self._select({"_id": {"$in": list(ids)}})
        return {account.id: account for account in found}
