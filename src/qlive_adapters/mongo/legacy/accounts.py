"""Accounts are kept, in their collection and under their ids: each phone has one, with a revision.

One pass over all accounts in the order of their phones, the oldest of a phone first, is enough to judge them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import Factory, define

from qlive_adapters.mongo.documents import AccountDocument
from qlive_adapters.mongo.legacy.backup import BATCH, Hand
from qlive_adapters.mongo.legacy.connection import LegacyDatabase
from qlive_adapters.mongo.legacy.report import Notice, Progress, Tally, Tell, masked

_ACCOUNTS = AccountDocument.Settings.name
_TEXTS = ("nickname", "gender", "avatarURL")
_DATES = ("registerTime", "lastLoginTime")
_SECONDS = ("registered_at", "last_login_at")


def _is(field: str, *types: str) -> dict[str, Any]:
    return {"$in": [{"$type": f"${field}"}, types]}


def _no(condition: dict[str, Any]) -> dict[str, Any]:
    return {"$not": [condition]}


def _is_named(field: str) -> dict[str, Any]:
    return {"$and": [_is(field, "string"), {"$ne": [f"${field}", ""]}]}


def _is_date(field: str) -> dict[str, Any]:
    """Values of other types are less or greater than every date."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    in_calendar = [{"$gte": [f"${field}", first]}, {"$lte": [f"${field}", last]}]
    return {"$or": [_is(field, "missing"), {"$and": in_calendar}]}


_READABLE = (
    {field: _is(field, "string", "missing") for field in _TEXTS}
    | {field: _is_date(field) for field in _DATES}
    | {field: _is(field, "double", "int", "long", "null", "missing") for field in _SECONDS}
)
_HAS_ID = _is_named("_id")
_HAS_PHONE = _is_named("phoneNumber")
_HAS_REVISION = _is("rev", "int", "long")
_IS_WHOLE = {"$and": [_HAS_REVISION, *_READABLE.values()]}

_JUDGED: list[dict[str, Any]] = [
    {
        "$project": {
            "phone": "$phoneNumber",
            "time": "$registerTime",
            "undated": _no(_is("registerTime", "date")),
            "has_id": _HAS_ID,
            "has_phone": _HAS_PHONE,
            "has_revision": _HAS_REVISION,
            "unreadable": {
                "$concatArrays": [{"$cond": [readable, [], [field]]} for field, readable in _READABLE.items()]
            },
        }
    },
    {"$sort": {"phone": 1, "undated": 1, "time": 1, "_id": 1}},
]

# A field that cannot be read is left out and read as if the original had never written it. A revision of 0 is
# what the store takes an account without one for.
_MADE_WHOLE: list[dict[str, Any]] = [
    {
        "$set": {
            **{field: {"$cond": [is_it, f"${field}", "$$REMOVE"]} for field, is_it in _READABLE.items()},
            "rev": {"$cond": [_HAS_REVISION, "$rev", 0]},
        }
    }
]


async def account_reasons(database: LegacyDatabase) -> tuple[str, ...]:
    """Return what is not in order.

    The original never wrote a revision, so what has one has been taken over. Phones are only compared if no
    unique index guards them yet.
    """
    reasons = []
    if await database[_ACCOUNTS].find_one({"$expr": _no(_HAS_REVISION)}, {"_id": 1}) is not None:
        reasons.append("accounts without a revision")
    if not await _phones_are_unique(database):
        reasons.append("several accounts of one phone")
    return tuple(reasons)


async def _phones_are_unique(database: LegacyDatabase) -> bool:
    indexes = (await database[_ACCOUNTS].index_information()).values()
    if any(index["key"] == [("phoneNumber", 1)] and index.get("unique") for index in indexes):
        return True
    cursor = await database[_ACCOUNTS].aggregate(
        [
            {"$match": {"$expr": {"$and": [_HAS_ID, _HAS_PHONE]}}},
            {"$group": {"_id": "$phoneNumber", "count": {"$sum": 1}}},
            {"$match": {"count": {"$gt": 1}}},
            {"$limit": 1},
        ],
        allowDiskUse=True,
    )
    return not await cursor.to_list()


@define
class _Sorted:
    """A batch of accounts, by what is to be done with them."""

    kept: int = 0
    nameless: list[Any] = Factory(list)
    younger: dict[str, str] = Factory(dict)
    """The id of the account that is kept, by the id of the one that is not."""
    mended: list[str] = Factory(list)
    unrevised: list[str] = Factory(list)


class _Judge:
    """Takes the accounts in the order of ``_JUDGED``."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._phone = ""
        self._owner = ""

    def sort(self, rows: Sequence[Any]) -> _Sorted:
        """Say what is to be done with each of these."""
        batch = _Sorted()
        for row in rows:
            if not (row["has_id"] and row["has_phone"]):
                self._judge_nameless(row, batch)
            elif row["phone"] == self._phone:
                self._judge_younger(row, batch)
            else:
                self._phone, self._owner = row["phone"], row["_id"]
                self._judge_owner(row, batch)
        return batch

    def _judge_nameless(self, row: Any, batch: _Sorted) -> None:
        batch.nameless.append(row["_id"])
        lack = "phone" if row["has_id"] else "id that qlive can read"
        self._tell(Notice(f"account {row['_id']!r} has no {lack} and is set aside"))

    def _judge_younger(self, row: Any, batch: _Sorted) -> None:
        batch.younger[row["_id"]] = self._owner
        self._tell(
            Notice(
                f"phone {masked(self._phone)} has several accounts: {self._owner!r} is the oldest and is kept,"
                f" {row['_id']!r} is set aside"
            )
        )

    def _judge_owner(self, row: Any, batch: _Sorted) -> None:
        batch.kept += 1
        if row["unreadable"]:
            batch.mended.append(row["_id"])
            fields = ", ".join(row["unreadable"])
            self._tell(Notice(f"account {row['_id']!r} is kept without what cannot be read: {fields}"))
        elif not row["has_revision"]:
            batch.unrevised.append(row["_id"])


async def take_over_accounts(database: LegacyDatabase, hand: Hand, tell: Tell) -> tuple[Tally, ...]:
    """Keep the accounts, and give each what it lacks."""
    judge, sums, done = _Judge(tell), [0, 0, 0, 0, 0], 0
    total = await database[_ACCOUNTS].estimated_document_count()
    async with await database[_ACCOUNTS].aggregate(_JUDGED, allowDiskUse=True, batchSize=BATCH) as cursor:
        while rows := await cursor.to_list(BATCH):
            batch = judge.sort(rows)
            await _treat(batch, hand)
            sums = [before + more for before, more in zip(sums, _counts(batch), strict=True)]
            done += len(rows)
            tell(Progress("accounts", done, max(done, total)))
    return _tallies(*sums)


async def _treat(batch: _Sorted, hand: Hand) -> None:
    await hand.move(_ACCOUNTS, batch.nameless, "no phone or id")
    await hand.move(_ACCOUNTS, [*batch.younger], "younger of a phone", kept=[*batch.younger.values()])
    for ids, why in ((batch.mended, "unreadable fields"), (batch.unrevised, "no revision")):
        if ids:
            # Said again: a process that migrates at the same time may have been here.
            where = {"_id": {"$in": ids}, "$expr": _no(_IS_WHOLE)}
            await hand.change(_ACCOUNTS, where, why, _MADE_WHOLE)


def _counts(batch: _Sorted) -> tuple[int, ...]:
    return (batch.kept, *map(len, (batch.unrevised, batch.mended, batch.younger, batch.nameless)))


def _tallies(kept: int, unrevised: int, mended: int, younger: int, nameless: int) -> tuple[Tally, ...]:
    return (
        Tally("accounts", kept, "kept, with id, phone, profile and times"),
        Tally("accounts without a revision", unrevised, "given one"),
        Tally("accounts with fields that cannot be read", mended, "kept without these fields"),
        Tally("accounts of a phone that has an older one", younger, "moved to the backup"),
        Tally("accounts without phone or id", nameless, "moved to the backup"),
    )
