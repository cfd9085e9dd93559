"""What becomes of accounts, as they may be."""

from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from qlive_adapters.mongo.legacy import LegacyDatabase, migrate, needs_migration
from qlive_adapters.mongo.store import MongoStores

from .legacy import T0, Row, Told, an_account, by_text, counts, dump, migrated, originals

YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)


async def test_one_account_per_phone(
    left: Database[Any], database: LegacyDatabase, stores: MongoStores
) -> None:
    """Of the accounts of one phone the oldest is kept, then the first id; who has no date is not old."""
    left.accounts.insert_many(
        [
            an_account("b_young", "13800000001", age=1),
            an_account("c_old", "13800000001", age=3),
            an_account("a_middle", "13800000001", age=2),
            an_account("twin_b", "13800000002"),
            an_account("twin_a", "13800000002"),
            an_account("undated", "13800000003", registerTime=None),
            an_account("dated", "13800000003"),
            an_account("alone", "+8613800000003"),
        ]
    )
    losers = {"b_young": "c_old", "a_middle": "c_old", "twin_b": "twin_a", "undated": "dated"}
    before = by_text(dump(left))
    told = Told()
    report = await migrate(database, dry_run=False, tell=told)
    assert counts(report)["accounts of a phone that has an older one"] == 4
    assert set(left.accounts.distinct("_id")) == {"c_old", "twin_a", "dated", "alone"}
    moved = left.qlive_migration_backup.find({"why": "younger of a phone"})
    assert {copy["document"]["_id"]: copy["kept"] for copy in moved} == losers
    assert originals(left) == before
    assert len(told.notices) == 4
    for loser, winner in losers.items():
        assert any(f"{winner!r} is the oldest" in text and repr(loser) in text for text in told.notices)
    assert not any("1380000000" in text for text in told.notices)
    assert any("138****0001" in text for text in told.notices)
    await stores.open()
    assert (await stores.accounts.get_many(losers)) == {}


ODD_PHONES: list[Row] = [{}, {"phoneNumber": None}, {"phoneNumber": 13800000000}, {"phoneNumber": ["1"]}]


async def test_accounts_that_cannot_be_found(left: Database[Any], database: LegacyDatabase) -> None:
    """Accounts without a phone, or with an id that is no text, are reported and kept in the backup."""
    left.accounts.insert_many([{"_id": f"odd{n}", **odd} for n, odd in enumerate(ODD_PHONES)])
    left.accounts.insert_many(
        [
            an_account("blank", ""),
            an_account("", "13800000001"),
            an_account("", "13800000002") | {"_id": ObjectId()},
            an_account("", "13800000002") | {"_id": {"a": 1}},
            an_account("good", "13800000002"),
        ]
    )
    before = by_text(dump(left))
    told = Told()
    report = await migrate(database, dry_run=False, tell=told)
    assert counts(report)["accounts without phone or id"] == len(told.notices) == 8
    assert left.accounts.distinct("_id") == ["good"]
    assert originals(left) == before
    assert await needs_migration(database) == ()


async def test_accounts_with_odd_fields(
    left: Database[Any], database: LegacyDatabase, stores: MongoStores
) -> None:
    """An account with an id and a phone is kept, whatever else it has or lacks, and can be changed."""
    plain: Row = {
        "nickname": "name",
        "gender": "",
        "avatarURL": "1.jpg",
        "registerTime": T0,
        "lastLoginTime": T0,
    }
    absent: Row = {"_id": "absent", "phoneNumber": "13800000000"}
    rows = [
        absent,
        absent | plain | {"_id": "extra", "phoneNumber": "13800000001", "vip": {"level": 3}},
        absent | plain | {"_id": "nulls", "phoneNumber": "13800000002"} | dict.fromkeys(plain),
        absent | plain | {"_id": "types", "phoneNumber": "13800000003"} | dict.fromkeys(plain, 7),
        absent | plain | {"_id": "lists", "phoneNumber": "13800000004"} | {key: ["a", T0] for key in plain},
        absent | plain | {"_id": "zero", "phoneNumber": "13800000005", "registerTime": YEAR_1},
        absent | plain | {"_id": "exact", "phoneNumber": "13800000006", "rev": "x", "registered_at": "x"},
    ]
    left.accounts.insert_many(rows)
    beyond_the_calendar = {"$toDate": {"$toLong": "9000000000000000"}}
    left.accounts.update_one({"_id": "lists"}, [{"$set": {"lastLoginTime": beyond_the_calendar}}])
    report = await migrated(database)
    assert counts(report) == {
        "accounts": 7,
        "accounts without a revision": 3,
        "accounts with fields that cannot be read": 4,
    }
    extra = left.accounts.find_one({"_id": "extra"})
    assert extra == rows[1] | {"rev": 0}
    await stores.open()
    for row in rows:
        account = await stores.accounts.by_phone(row["phoneNumber"])
        assert account is not None
        assert (account.id, account.rev) == (row["_id"], 0)
        readable = row["_id"] in ("extra", "zero", "exact")
        assert (account.nickname, account.avatar) == (("name", "1.jpg") if readable else ("", ""))
        await stores.accounts.replace(account.with_profile(nickname="new"))
    assert await needs_migration(database) == ()
