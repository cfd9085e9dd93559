"""A database that the original wrote is taken over, once."""

from typing import Any

import pytest
from pymongo.database import Database

from qlive_adapters.mongo.legacy import LegacyDatabase, migrate, needs_migration
from qlive_adapters.mongo.store import MongoStores
from qlive_core.model.feedback import Feedback

from .legacy import (
    COLLECTIONS,
    META,
    Row,
    Told,
    an_account,
    by_text,
    copies,
    counts,
    dump,
    fill_with_everything,
    fill_with_sample,
    migrated,
    originals,
)


async def test_sample(left: Database[Any], database: LegacyDatabase, stores: MongoStores) -> None:
    """Accounts and numbering of a real database go on under qlive; nothing else of it is left, but a copy."""
    fill_with_sample(left)
    before = by_text(dump(left))
    report = await migrated(database)
    assert counts(report) == {
        "accounts": 15,
        "accounts without a revision": 15,
        "rooms": 5,
        "active users": 15,
        "SMS codes": 2,
        "feedback": 2,
    }
    assert dump(left, without=META).keys() == {"accounts", "feedbacks", "_counter"}
    assert originals(left) == before
    await stores.open()
    for row in before["accounts"]:
        account = await stores.accounts.get(row["_id"])
        assert account is not None
        assert await stores.accounts.by_phone(row["phoneNumber"]) == account
        profile = (account.id, account.phone, account.nickname, account.gender, account.avatar)
        assert profile == tuple(row[f] for f in ("_id", "phoneNumber", "nickname", "gender", "avatarURL"))
        assert account.registered_at == row["registerTime"].timestamp()
        assert account.last_login_at == row["lastLoginTime"].timestamp()
        assert (await stores.accounts.replace(account.logged_in(2e9))).rev == account.rev + 1
    assert await stores.feedback.get(2) == Feedback("izyoyp0nofbu", "second", "", 1795407225.667)
    assert await stores.feedback.add(Feedback("user", "text", "", 1.0)) == 3
    assert (await stores.rooms.all(), await stores.presences.all()) == ([], [])


async def test_record(left: Database[Any], database: LegacyDatabase) -> None:
    """The database remembers when it was migrated, and how many documents were copied and why."""
    fill_with_everything(left)
    report = await migrated(database)
    record = left.qlive_migration.find_one({"_id": report.run})
    assert record is not None
    assert record["started"] <= record["finished"]
    assert {(row["collection"], row["why"]): row["count"] for row in record["counts"]} == {
        ("_counter", "counter behind"): 1,
        ("accounts", "no phone or id"): 1,
        ("accounts", "no revision"): 16,
        ("accounts", "unreadable fields"): 1,
        ("accounts", "younger of a phone"): 2,
        ("active_users", "distrusted"): 15,
        ("rooms", "distrusted"): 5,
        ("sms_code", "distrusted"): 2,
    }


@pytest.mark.parametrize(
    ("counter", "ids", "number"),
    [
        ({"seq": 3}, ["1", "2"], 3),
        ({"seq": 7}, ["1", "2"], 7),
        ({"seq": 3.0}, ["1", "2"], 3),
        ({"seq": 2}, ["1", "9", "10"], 11),
        ({"seq": "many"}, ["1", "x", "9" * 40], 2),
        ({"seq": None}, [], 1),
        ({}, ["4"], 5),
        (None, ["4"], 5),
        (None, [], 1),
    ],
)
async def test_numbering(
    left: Database[Any],
    database: LegacyDatabase,
    stores: MongoStores,
    counter: Row | None,
    ids: list[str],
    number: int,
) -> None:
    """Feedback is numbered on from the counter, or from the highest number if the counter is behind."""
    left.feedbacks.insert_many([{"_id": each, "content": each} for each in ids] or [{"_id": "none"}])
    if counter is not None:
        left["_counter"].insert_one({"_id": "feedback", **counter})
    before = by_text(dump(left))
    await migrated(database)
    assert originals(left)["feedbacks"] == before["feedbacks"]
    if counter is not None:
        assert originals(left)["_counter"] == before["_counter"]
    await stores.open()
    assert await stores.feedback.add(Feedback("user", "text", "", 1.0)) == number


async def test_dry_run(left: Database[Any], database: LegacyDatabase) -> None:
    """A dry run writes nothing and reports, to the document, what the migration then does."""
    fill_with_everything(left)
    before, dry, wet = dump(left), Told(), Told()
    rehearsed = await migrate(database, dry_run=True, tell=dry)
    assert dump(left) == before
    assert rehearsed.run is None
    report = await migrate(database, dry_run=False, tell=wet)
    assert (rehearsed.reasons, rehearsed.tallies) == (report.reasons, report.tallies)
    assert (dry.notices, dry.steps) == (wet.notices, wet.steps)
    assert dump(left) != before


async def test_done_once(left: Database[Any], database: LegacyDatabase) -> None:
    """A second migration finds nothing to do and writes nothing, dry or not."""
    fill_with_everything(left)
    await migrated(database)
    before = dump(left)
    assert await needs_migration(database) == ()
    assert (await migrated(database)).nothing_to_do
    assert (await migrate(database, dry_run=True, tell=Told())).nothing_to_do
    assert dump(left) == before


async def test_nothing_to_take_over(
    left: Database[Any], database: LegacyDatabase, stores: MongoStores
) -> None:
    """An empty database, and one that only qlive has written, need no migration."""
    assert await needs_migration(database) == ()
    await stores.open()
    await stores.feedback.add(Feedback("user", "text", "", 1.0))
    before = dump(left)
    assert await needs_migration(database) == ()
    assert (await migrated(database)).nothing_to_do
    assert dump(left) == before


@pytest.mark.parametrize(
    ("collection", "row", "reason"),
    [
        ("rooms", {"_id": "room"}, "rooms that the original left"),
        ("active_users", {"_id": "user"}, "active users that the original left"),
        ("sms_code", {"phoneNumber": "1"}, "SMS codes that the original left"),
        ("accounts", an_account("user", "13800000000"), "accounts without a revision"),
        ("accounts", an_account("twin", "13900000000", rev=0), "several accounts of one phone"),
        ("feedbacks", {"_id": "5"}, "a feedback counter that is behind the feedback"),
        ("qlive_migration", {"_id": 1, "finished": None}, "a migration that was interrupted"),
    ],
)
async def test_reasons(
    left: Database[Any], database: LegacyDatabase, collection: str, row: Row, reason: str
) -> None:
    """Whatever the original left is told at the start, by itself."""
    left.accounts.insert_one(an_account("owner", "13900000000", rev=0))
    left[collection].insert_one(dict(row))
    assert await needs_migration(database) == (reason,)
    await migrated(database)
    assert await needs_migration(database) == ()


async def test_backup_can_be_put_back(left: Database[Any], database: LegacyDatabase) -> None:
    """The command in the manual puts everything back as the original left it."""
    fill_with_everything(left)
    before = dump(left)
    report = await migrated(database)
    for name in COLLECTIONS:
        left.qlive_migration_backup.aggregate(
            [
                {"$match": {"run": report.run, "collection": name}},
                {"$replaceWith": "$document"},
                {"$merge": {"into": name, "whenMatched": "replace"}},
            ]
        )
    assert dump(left, without=META) == before


async def test_original_came_back(left: Database[Any], database: LegacyDatabase) -> None:
    """What the original writes afterwards is a migration of its own, and no earlier copy is lost."""
    fill_with_sample(left)
    assert (await migrated(database)).run == 1
    first = copies(left)
    left.active_users.insert_one({"_id": "bqeccpgkm9p2", "status": "idle", "token": "newer"})
    left.accounts.replace_one({"_id": "bqeccpgkm9p2"}, an_account("bqeccpgkm9p2", "13800003000"))
    report = await migrated(database)
    assert (report.run, report.resumed) == (2, False)
    assert counts(report) | {"accounts": 0, "feedback": 0} == {
        "accounts": 0,
        "accounts without a revision": 1,
        "active users": 1,
        "feedback": 0,
    }
    assert copies(left)[: len(first)] == first
    assert len(copies(left)) == len(first) + 2
