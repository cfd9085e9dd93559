"""What only MongoDB's stores promise: the original's rows, exact slots, shared commits and TTL indexes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from bson import json_util
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from pymongo import MongoClient
from pymongo.database import Database

from qlive_adapters.mirror.wrapped import Stores
from qlive_adapters.mongo.database import CannotOpen
from qlive_adapters.mongo.store import MongoStores
from qlive_core.errors import Duplicate, RoomLimitReached, Stale
from qlive_core.model.account import Account
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import Outbox
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room, RoomType
from qlive_core.model.session import Session

from .facts_contract import outcomes, wins
from .kinds import ACCOUNTS, PLACES, PRESENCES, a_pk, a_room
from .mongo_ground import DATABASE, MongoGround, wipe
from .mongod import Mongod
from .test_machine import StoresMachine

LEGACY = Path(__file__).with_name("legacy")


def legacy_rows(collection: str) -> list[dict[str, Any]]:
    """Return what the running original wrote into that collection."""
    lines = (LEGACY / f"{collection}.jsonl").read_text().splitlines()
    return [json_util.loads(line) for line in lines]


@pytest.fixture
def database(standalone: Mongod) -> Iterator[Database[Any]]:
    """The database beneath the stores, empty at first."""
    wipe(standalone)
    with standalone.direct() as client:
        yield client[DATABASE]


@pytest.fixture
async def stores(standalone: Mongod, database: Database[Any]) -> AsyncIterator[MongoStores]:
    """Stores over it."""
    stores = MongoStores(standalone.uri, DATABASE)
    await stores.open()
    yield stores
    await stores.close()


async def test_original_accounts(database: Database[Any], stores: MongoStores) -> None:
    """Accounts of the original are read as they are, its empty avatars too."""
    rows = legacy_rows("accounts")
    del rows[4]["avatarURL"]
    database.accounts.insert_many(rows)
    first = await stores.accounts.get("bqeccpgkm9p2")
    assert first == Account(
        id="bqeccpgkm9p2",
        phone="13800003000",
        nickname="小明",
        gender="male",
        avatar="https://example.com/a.png",
        registered_at=1795407224.164,
        last_login_at=1795407224.178,
        rev=0,
    )
    assert await stores.accounts.by_phone("13800003000") == first
    found = await stores.accounts.get_many([row["_id"] for row in rows])
    assert {account.phone for account in found.values()} == {row["phoneNumber"] for row in rows}
    assert found["qydtv53dsgxs"].avatar == ""


async def test_original_account_is_replaced(database: Database[Any], stores: MongoStores) -> None:
    """Replacing an account of the original changes what is ours to change, once, and keeps the rest."""
    [row, *_] = legacy_rows("accounts")
    database.accounts.insert_one(row | {"vip": {"level": 3}})
    account = await stores.accounts.get(row["_id"])
    assert account is not None
    changes = [evolve(account, nickname=name, last_login_at=1795500000.123456) for name in ("$one", "$two")]
    results = await outcomes(*(stores.accounts.replace(change) for change in changes))
    [winner] = wins(results)
    assert winner.rev == 1
    assert sum(isinstance(result, Stale) for result in results) == 1
    assert await stores.accounts.get(account.id) == winner
    stored = database.accounts.find_one({"_id": account.id})
    assert stored is not None
    assert {field: stored[field] for field in row} == row | {
        "nickname": winner.nickname,
        "registerTime": stored["registerTime"],
        "lastLoginTime": stored["lastLoginTime"],
    }
    assert stored["lastLoginTime"].isoformat() == "2026-11-24T06:00:00.123000+00:00"
    assert stored["vip"] == {"level": 3}


async def test_date_of_the_original_counts(database: Database[Any], stores: MongoStores) -> None:
    """If the original has run again meanwhile, its last login counts, not the exact time beside it."""
    account = evolve(ACCOUNTS.make(1, ""), last_login_at=1795500000.123456)
    await stores.accounts.add(account)
    [row, *_] = legacy_rows("accounts")
    database.accounts.update_one({"_id": account.id}, {"$set": {"lastLoginTime": row["lastLoginTime"]}})
    assert await stores.accounts.get(account.id) == evolve(account, last_login_at=1795407224.178)


async def test_gone_account_without_revision(stores: MongoStores) -> None:
    """An account of the original that is gone cannot be replaced and is not brought back."""
    account = evolve(ACCOUNTS.make(1, ""), rev=0)
    results = await outcomes(stores.accounts.replace(account), stores.accounts.remove(account))
    assert [type(result) for result in results] == [Stale, Stale]
    assert await stores.accounts.get(account.id) is None


async def test_original_feedback(database: Database[Any], stores: MongoStores) -> None:
    """Feedback of the original is read, and numbering goes on where it was."""
    database.feedbacks.insert_many(legacy_rows("feedbacks"))
    database["_counter"].insert_many(legacy_rows("_counter"))
    assert await stores.feedback.get(2) == Feedback("izyoyp0nofbu", "second", "", 1795407225.667)
    assert await stores.feedback.add(Feedback("user", "text", "", 1.0)) == 3
    assert await stores.feedback.outbox() == Outbox(0, None)


async def test_mails_due_by_index(database: Database[Any], stores: MongoStores) -> None:
    """Looking for mails touches only those that wait, however much feedback there is."""
    for n in range(20):
        await stores.feedback.add(Feedback("user", "text", "", 1.0), mail_at=float(n) if n < 10 else None)
    for mail in (await stores.feedback.mails_due(99.0, limit=99))[:7]:
        await stores.feedback.replace_mail(mail.sent())
    for condition in ({"$lte": 99.0}, {"$exists": True}):
        plan = database.feedbacks.find({"mail.due_at": condition}).explain()
        assert plan["executionStats"]["totalDocsExamined"] == 3
        assert plan["executionStats"]["totalKeysExamined"] <= 4


async def test_counter_behind(database: Database[Any], stores: MongoStores) -> None:
    """A counter that fell behind, as after a partial restore, overwrites no feedback."""
    database.feedbacks.insert_many(legacy_rows("feedbacks"))
    assert await stores.feedback.add(Feedback("user", "text", "", 1.0)) == 3
    assert await stores.feedback.get(2) == Feedback("izyoyp0nofbu", "second", "", 1795407225.667)


async def test_phone_held_twice(standalone: Mongod) -> None:
    """A database with two accounts of one phone is refused, and the text names the way out."""
    [row, *_] = legacy_rows("accounts")
    with standalone.direct() as client:
        client.drop_database("doubled")
        client.doubled.accounts.insert_many([row, row | {"_id": "another"}])
        stores = MongoStores(standalone.uri, "doubled")
        with pytest.raises(CannotOpen, match=r"13800003000.*qlive migrate -f qlive\.conf"):
            await stores.open()
        client.doubled.accounts.delete_one({"_id": "another"})
        await stores.open()
        await stores.close()
        client.drop_database("doubled")


async def test_rows_without_phone(database: Database[Any], stores: MongoStores) -> None:
    """Rows that lack a phone do not get in each other's way."""
    database.accounts.insert_many([{"_id": "one"}, {"_id": "two"}])
    assert {account.phone for account in (await stores.accounts.get_many(["one", "two"])).values()} == {""}


async def test_limit_across_nodes(standalone: Mongod, stores: MongoStores) -> None:
    """Two nodes that open rooms at the same time keep to the limit together."""
    other = MongoStores(standalone.uri, DATABASE)
    await other.open()
    nodes = [stores, other]
    results = await outcomes(*(nodes[n % 2].rooms.add(a_room(n), limit=9) for n in range(40)))
    assert len(wins(results)) == await other.rooms.count() == 9
    assert {type(result) for result in results if result is not None} == {RoomLimitReached}
    await other.close()


async def test_limit_counts_all_rooms(stores: MongoStores) -> None:
    """Rooms from a time without a limit, or with a higher one, count, however many are added at once."""
    for n in range(4):
        await stores.rooms.add(a_room(n), limit=0)
    for n in range(4, 6):
        await stores.rooms.add(a_room(n), limit=100)
    [refused] = await outcomes(stores.rooms.add(a_room(99), limit=6))
    assert isinstance(refused, RoomLimitReached)
    results = await outcomes(*(stores.rooms.add(a_room(n), limit=9) for n in range(10, 40)))
    assert len(wins(results)) == 3
    assert await stores.rooms.count() == 9


async def test_a_removed_room_takes_no_slot_with_it(stores: MongoStores) -> None:
    """A room from a time without a limit that is removed while it is given a slot leaves all slots to the others."""
    for n in range(0, 200, 10):
        old = [a_room(n + m) for m in range(8)]
        for room in old:
            await stores.rooms.add(room, limit=0)
        removals = [stores.rooms.remove(room) for room in old]
        results = await outcomes(*removals[:4], stores.rooms.add(a_room(n + 9), limit=9), *removals[4:])
        assert results == [None] * 9
        others = [a_room(1000 + n + m) for m in range(8)]
        assert await outcomes(*(stores.rooms.add(room, limit=9) for room in others)) == [None] * 8
        await outcomes(*(stores.rooms.remove(room) for room in (a_room(n + 9), *others)))


async def test_commits_are_shared(standalone: Mongod, database: Database[Any]) -> None:
    """Writes that wait at the same time share commits, and the observer hears of each commit once."""
    heard: list[tuple[int, float]] = []
    stores = MongoStores(standalone.uri, DATABASE, on_commit=lambda *commit: heard.append(commit))
    await stores.open()
    await asyncio.gather(*(stores.presences.add(PRESENCES.make(n, "")) for n in range(500)))
    assert sum(operations for operations, _ in heard) == 500
    assert len(heard) <= 5
    await stores.presences.remove(PRESENCES.make(1, ""))
    assert heard[-1][0] == 1
    assert all(seconds > 0 for _, seconds in heard)
    await stores.close()


async def test_outcomes_within_a_commit(stores: MongoStores) -> None:
    """Of replacements that share a commit each has its own outcome, and what was removed stays removed."""
    good, stale, gone, thief, holder = sessions = [Session(f"user{n}", f"hash{n}", 1.0) for n in range(5)]
    for session in sessions:
        await stores.sessions.add(session)
    newer = await stores.sessions.replace(evolve(stale, expires_at=2.0))
    await stores.sessions.remove(gone)
    results = await outcomes(
        *(stores.sessions.replace(session) for session in (stale, good, gone)),
        stores.sessions.replace(evolve(thief, token_hash=holder.token_hash)),
        stores.sessions.replace(evolve(holder, expires_at=3.0)),
    )
    assert [type(result) for result in results] == [Stale, Session, Stale, Duplicate, Session]
    assert (results[3].fact, results[3].unique) == ("Session", "token_hash")
    stored = [await stores.sessions.get(session.user_id) for session in sessions]
    assert stored == [evolve(good, rev=2), newer, None, thief, evolve(holder, expires_at=3.0, rev=2)]


async def test_removed_under_fire(stores: MongoStores) -> None:
    """However replacements and removals of the same facts race, each step is made by one, and none comes back."""
    facts = [PRESENCES.make(n, "") for n in range(30)]
    for fact in facts:
        await stores.presences.add(fact)
    attempts = [
        attempt
        for fact in facts
        for attempt in (
            stores.presences.replace(fact.until(1.0)),
            stores.presences.remove(fact),
            stores.presences.replace(evolve(fact, rev=2)),
            stores.presences.remove(evolve(fact, rev=2)),
        )
    ]
    results = await outcomes(*attempts)
    assert {type(result) for result in results if isinstance(result, Exception)} <= {Stale}
    for n, fact in enumerate(facts):
        first, removed, second, removed_later = (
            not isinstance(result, Stale) for result in results[4 * n : 4 * n + 4]
        )
        assert first != removed
        assert first or not (second or removed_later)
        assert not (second and removed_later)
        left = await stores.presences.get(fact.user_id)
        assert (left is None) == (removed or removed_later)


async def test_tombstones(standalone: Mongod, database: Database[Any], stores: MongoStores) -> None:
    """Of a removed fact nothing is left but its key and the date, and soon not even that."""
    room = a_room(1)
    await stores.rooms.add(room, limit=5)
    await stores.rooms.remove(room)
    tombstone = database.live_rooms.find_one({"_id": room.id})
    assert tombstone is not None
    assert set(tombstone) == {"_id", "removed"}
    await stores.rooms.add(a_room(2), limit=1)
    with standalone.direct() as client:
        await until_ttl_has_run(client, lambda: database.live_rooms.count_documents({}) == 1)
    assert list(await stores.rooms.all()) == [a_room(2)]


async def test_tombstones_are_nothing(stores: MongoStores) -> None:
    """A place or a PK whose room has just been removed is roomless, and a place without its presence unattended."""
    place, pk, presence = PLACES.make(1, ""), a_pk(1, 1, 2), PRESENCES.make(1, "")
    place = evolve(place, room_id="room1")
    for n in (1, 2):
        await stores.rooms.add(a_room(n), limit=0)
    await stores.places.add(place)
    await stores.presences.add(presence)
    await stores.pks.add(pk)
    await stores.rooms.remove(a_room(1))
    await stores.presences.remove(presence)
    assert list(await stores.places.roomless()) == list(await stores.places.unattended()) == [place]
    assert list(await stores.pks.roomless()) == [pk]
    await stores.places.remove(place)
    await stores.pks.remove(pk)
    assert list(await stores.places.roomless()) == []
    assert list(await stores.places.all()) == []
    assert list(await stores.pks.roomless()) == []
    assert list(await stores.presences.all()) == []


async def test_documents_of_the_first_version(stores: MongoStores, database: Database[Any]) -> None:
    """Whoever is in a room stays there, since the time at which he took his place; nobody sits or is locked out."""
    took_place = 1_700_000_000_250_000
    database.places.insert_one({"_id": "ann", "room_id": "r", "kind": "hosting", "rev": took_place})
    room = {"name": "Ann's", "type": "voice", "creator": "ann", "created_at": 1.5, "rev": 3}
    database.live_rooms.insert_one({"_id": "r", **room})
    presence = {"connection_id": "c", "node": "n", "expires_at": None, "rev": 7}
    database.presences.insert_one({"_id": "ann", **presence})
    place = await stores.places.get("ann")
    assert place == Place("ann", "r", PlaceKind.HOSTING, since=1_700_000_000.25, rev=took_place)
    assert await stores.rooms.get("r") == Room("r", "Ann's", RoomType.VOICE, "ann", 1.5, rev=3)
    assert await stores.presences.get("ann") == Presence("ann", "c", "n", None, rev=7)
    changed = await stores.places.replace(evolve(place, seat=3))
    assert await stores.places.get("ann") == changed


async def test_text_that_cannot_be_stored(stores: MongoStores) -> None:
    """A text that is no Unicode fails for its own writer and not for those who share his commit."""
    rooms = [a_room(n, "\ud800" if n == 3 else "") for n in range(6)]
    added = await outcomes(*(stores.rooms.add(room, limit=0) for room in rooms))
    assert [type(result) for result in added if result is not None] == [UnicodeEncodeError]
    rooms[3] = evolve(a_room(3), id="\ud800")
    replaced = await outcomes(*(stores.rooms.replace(room) for room in rooms))
    assert [type(result) for result in replaced if isinstance(result, Exception)] == [UnicodeEncodeError]
    assert await stores.rooms.count() == 5


async def test_expired_rows_vanish(standalone: Mongod, database: Database[Any], stores: MongoStores) -> None:
    """What no sweep ever came to is removed by the server, long after it expired and not before."""
    await stores.sessions.add(Session("user1", "hash1", 1.0))
    await stores.sessions.add(Session("user2", "hash2", 2.0**33))
    with standalone.direct() as client:
        await until_ttl_has_run(client, lambda: database.sessions.count_documents({}) == 1)
    assert await stores.sessions.get("user2") is not None
    for collection in ("sms_codes", "send_quotas"):
        indexes = database[collection].index_information().values()
        assert any("expireAfterSeconds" in index for index in indexes)


async def until_ttl_has_run(client: "MongoClient[Any]", seen: Callable[[], bool]) -> None:
    """Let the server remove what is over until that is seen."""
    client.admin.command({"setParameter": 1, "ttlMonitorEnabled": True})
    try:
        while not seen():  # noqa: ASYNC110 - only the server knows when
            await asyncio.sleep(0.05)
    finally:
        client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})


def test_any_history(standalone: Mongod) -> None:
    """Any history of writes leaves the stores as plain dicts would be."""

    class MongoMachine(StoresMachine):
        """The same machine as for the embedded store."""

        async def open(self) -> Stores:
            """Return stores over an empty database."""
            self.ground = MongoGround(standalone)
            await self.ground.open()
            return self.ground.stores

        def teardown(self) -> None:
            """Disconnect."""
            self.run(self.ground.close())
            self.runner.close()

    run_state_machine_as_test(
        MongoMachine, settings=settings(max_examples=8, stateful_step_count=20, deadline=None)
    )
