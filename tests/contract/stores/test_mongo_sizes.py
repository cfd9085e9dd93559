"""No call takes longer because there is more: what MongoDB is asked has an index and an end, however much it holds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pymongo import monitoring
from pymongo.database import Database

from qlive_adapters.mongo import walk as walk_module
from qlive_adapters.mongo.store import MongoStores
from qlive_adapters.patience import patiently
from qlive_core.errors import StoreUnavailable
from qlive_core.model.place import PlaceKind

from .kinds import a_pk, a_room
from .mongod import Mongod
from .test_mongo_options import Commands

NAME = "sized"
VIEWERS, ROOMS, PAGE, ROUND = 300, 60, 20, 100
LAST = f"user{VIEWERS - 1:04}"


@pytest.fixture
def listening() -> Iterator[Commands]:
    """Hears of all commands of clients that are made from now on."""
    commands = Commands()
    monitoring.register(commands)
    yield commands
    monitoring._LISTENERS.command_listeners.remove(commands)


@pytest.fixture
def database(standalone: Mongod, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database[Any]]:
    """A database that holds many pages of everything. Everybody is where they should be."""
    monkeypatch.setattr(walk_module, "PAGE", PAGE)
    monkeypatch.setattr("qlive_adapters.mongo.facts.PAGE", PAGE)
    monkeypatch.setattr(walk_module, "ROUND", ROUND)
    with standalone.direct() as client:
        client.drop_database(NAME)
        yield client[NAME]
        client.drop_database(NAME)


@pytest.fixture
async def stores(standalone: Mongod, database: Database[Any]) -> AsyncIterator[MongoStores]:
    """Stores over it."""
    stores = MongoStores(standalone.uri, NAME)
    await stores.open()
    for n in range(ROOMS):
        await stores.rooms.add(a_room(n), limit=0)
    for n in range(0, ROOMS, 2):
        await stores.pks.add(a_pk(n, n, n + 1))
    hosts = [room.creator for room in await stores.rooms.all()]
    database.places.insert_many(
        [_place(host, room.id, "hosting") for host, room in zip(hosts, await stores.rooms.all(), strict=True)]
        + [_place(f"user{n:04}", "room1", "watching") for n in range(VIEWERS)]
    )
    people = [*hosts, *(f"user{n:04}" for n in range(VIEWERS))]
    database.presences.insert_many([_presence(user_id) for user_id in people])
    yield stores
    await stores.close()


def _place(user_id: str, room_id: str, kind: str) -> dict[str, Any]:
    return {"_id": user_id, "room_id": room_id, "kind": kind, "since": 1.0, "muted": False, "rev": 1}


def _presence(user_id: str) -> dict[str, Any]:
    return {"_id": user_id, "connection_id": "c", "node": "n", "expires_at": None, "rev": 1, "im": False}


async def look_around(stores: MongoStores) -> dict[str, list[str]]:
    """Ask what the sweep asks, and return what was found."""
    return {
        "hostless": [room.id for room in await stores.rooms.hostless()],
        "places of no room": [place.user_id for place in await stores.places.roomless()],
        "unattended": [place.user_id for place in await stores.places.unattended()],
        "pks of no room": [pk.id for pk in await stores.pks.roomless()],
        "due": [
            *(pk.id for pk in await stores.pks.due(0.0)),
            *(presence.user_id for presence in await stores.presences.due(0.0)),
            *(place.user_id for place in await stores.places.due(0.0)),
        ],
    }


async def test_no_operation_of_a_sweep_grows(database: Database[Any], stores: MongoStores) -> None:
    """Each has an index, looks at no more than a page, and there are no more of them than a round has."""
    database.command("profile", 2)
    found = await look_around(stores)
    await stores.rooms.all()
    await stores.places.all()
    await stores.places.clear_room("none")
    await stores.sessions.purge(0.0)
    await stores.presences.expect_all(1.0, node="other")
    database.command("profile", 0)
    assert found == {name: [] for name in found}
    seen = list(database["system.profile"].find({"ns": {"$regex": f"^{NAME}[.](?!system)"}}))
    assert len(seen) > 20
    for operation in seen:
        command = operation.get("command", {})
        assert operation.get("planSummary", "IXSCAN").partition(" ")[0] in ("IXSCAN", "IDHACK", "EOF"), (
            operation
        )
        # Each of a page of PKs names two rooms.
        assert operation.get("docsExamined", 0) <= 2 * PAGE, operation
        assert "$lookup" not in str(command)
    reads = [o for o in seen if o["op"] in ("query", "getmore", "command")]
    assert len([o for o in reads if o["ns"].endswith(".places")]) < 60


async def test_everything_is_found_in_a_few_rounds(database: Database[Any], stores: MongoStores) -> None:
    """What a crash left behind at the far end of a large collection is found too, and nothing else."""
    database.live_rooms.update_one({"_id": "room7"}, {"$set": {"creator": "nobody"}})
    database.places.update_one({"_id": LAST}, {"$set": {"room_id": "none"}})
    database.presences.delete_one({"_id": "user0150"})
    database.pks.update_one(
        {"_id": (await stores.pks.all())[-1].id}, {"$set": {"rooms": ["none", "neither"]}}
    )
    found: dict[str, set[str]] = {}
    for _ in range(-(-(VIEWERS + ROOMS) // ROUND)):
        for name, keys in (await look_around(stores)).items():
            found.setdefault(name, set()).update(keys)
    assert found["hostless"] == {"room7"}
    assert found["places of no room"] == {LAST}
    assert found["unattended"] == {"user0150"}
    assert len(found["pks of no room"]) == 1


async def test_all_of_it_is_loaded(stores: MongoStores) -> None:
    """A page at a time, nothing is left out or there twice."""
    places = await stores.places.all()
    assert len(places) == len({place.user_id for place in places}) == VIEWERS + ROOMS
    assert len(await stores.presences.all()) == VIEWERS + ROOMS
    assert [room.id for room in await stores.rooms.all()] == sorted(a_room(n).id for n in range(ROOMS))


async def test_all_are_expected_and_all_leave(stores: MongoStores) -> None:
    """What is written a page at a time is written everywhere."""
    await stores.presences.expect_all(5.0, node="other")
    assert {presence.expires_at for presence in await stores.presences.all()} == {5.0}
    await stores.places.clear_room("room1")
    assert all(place.kind is PlaceKind.HOSTING for place in await stores.places.all())
    assert len(await stores.places.all()) == ROOMS - 1


async def test_nothing_of_a_start_has_a_time_limit_that_grows(
    standalone: Mongod, listening: Commands, database: Database[Any]
) -> None:
    """Indexes are made without one; what else a start sends looks at a bounded number of documents."""
    stores = MongoStores(standalone.uri, NAME, exclusive=True, timeout_s=3.0)
    await stores.open()
    await stores.close()
    made = [command for _, command in listening.sent if "createIndexes" in command]
    assert {command["createIndexes"] for command in made} >= {"accounts", "places", "presences", "sessions"}
    for command in made:
        assert "maxTimeMS" not in command
    limited = {next(iter(command)) for _, command in listening.sent if "maxTimeMS" in command}
    about_the_server = {"hello", "ping", "buildInfo", "listCollections"}
    assert limited - about_the_server <= {"find", "findAndModify", "delete", "update"}
    finds = [command for _, command in listening.sent if "find" in command and "maxTimeMS" in command]
    assert all(command["find"] == "qlive_leases" for command in finds)


async def test_a_start_waits_longer(standalone: Mongod, database: Database[Any]) -> None:
    """A store whose disk is still busy with what the start made it do makes no start fail."""
    stores = MongoStores(standalone.uri, NAME, timeout_s=0.5)
    await stores.open()
    with patiently():
        task = asyncio.ensure_future(stores.presences.all())
    try:
        standalone.pause()
        with pytest.raises(StoreUnavailable):
            await stores.places.all()
        assert not task.done()
    finally:
        standalone.go_on()
    assert list(await task) == []
    await stores.close()
