"""Accounts in SQLite."""

import json
from collections.abc import Collection, Mapping

from qlive_adapters.sqlite.table import Row, SqliteFactStore, Table
from qlive_core.model.account import Account


def _encode(account: Account) -> Row:
    return (
        account.id,
        account.phone,
        account.nickname,
        account.gender,
        account.avatar,
        account.registered_at,
        account.last_login_at,
    )


class SqliteAccounts(SqliteFactStore[Account]):
    """Implements AccountStore."""

    table = Table(
        Account,
        "account",
        ("id", "phone", "nickname", "gender", "avatar", "registered_at", "last_login_at"),
        _encode,
        lambda row: Account(*row),
    )

    async def by_phone(self, phone: str) -> Account | None:
        """As AccountStore.by_phone."""
        return self._first("WHERE phone = ?", phone)

    async def get_many(self, ids: Collection[str]) -> Mapping[str, Account]:
        """As AccountStore.get_many."""
        # One bound list: the statement stays the same, and stays prepared, however many ids there are.
        found = self._select("WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))
        return {account.id: account for account in found}
