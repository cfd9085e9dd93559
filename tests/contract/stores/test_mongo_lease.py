"""The lease of a MongoDB database: what it refuses, to whom it goes, and that no late write gets through."""

import ast
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from qlive_adapters.claims import InUse, Taken
from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.facts import MongoFacts, is_too_late
from qlive_adapters.mongo.lease import LEASES
from qlive_adapters.mongo.owner import is_dead, this_process
from qlive_adapters.mongo.rooms import MongoRooms
from qlive_adapters.mongo.store import MongoStores
from qlive_adapters.mongo.times import EPOCH
from qlive_core.errors import StoreUnavailable

from .kinds import KINDS, Kind, a_room
from .mongod import Mongod

NAME = "leased"


@asynccontextmanager
async def leased(server: Mongod) -> AsyncIterator[Database]:
    """A database that is ours alone."""
    database = Database(
        server.uri,
        NAME,
        timeout_s=3.0,
        pool_size=4,
        in_flight=4,
        on_commit=None,
        exclusive=True,
        tell=lambda _: None,
    )
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(autouse=True)
def nobody(standalone: Mongod) -> None:
    """Nobody has the database, and there is nothing in it."""
    with standalone.direct() as client:
        for name in client[NAME].list_collection_names():
            client[NAME][name].delete_many({})


def set_lease(server: Mongod, **fields: Any) -> None:
    """Change what is stored of the lease, as another process would."""
    with server.direct() as client:
        client[NAME][LEASES].update_one({"_id": "server"}, {"$set": fields}, upsert=True)


LATE = datetime.now(UTC) - timedelta(seconds=60)
EARLY = datetime.now(UTC) + timedelta(days=365)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_late_write_is_refused_by_the_server(standalone: Mongod, kind: Kind) -> None:
    """Whatever the fact and the write: the server itself refuses it once the lease that it counts on is over."""
    stores = MongoStores(standalone.uri, NAME)
    await stores.open()
    store: MongoFacts[Any] = kind.store(stores)
    shape, fact = store.shape, kind.make(1, "")
    changes: list[Callable[[datetime], UpdateOne]] = [
        lambda until: shape.addition(fact, until),
        lambda until: shape.replacement(fact, until),
        lambda until: shape.removal(shape.of_row(row()), until),
    ]

    def row() -> Any:
        return collection.find_one({})

    with standalone.direct() as client:
        collection = client[NAME][shape.document.Settings.name]
        for change in changes:
            before = row()
            with pytest.raises(BulkWriteError) as refused:
                collection.bulk_write([change(LATE)])
            assert is_too_late((refused.value.details or {})["writeErrors"][0])
            assert row() == before
            collection.bulk_write([change(EARLY)])
            assert row() != before
    await stores.close()


async def test_a_clock_that_is_set_forward_takes_no_lease(standalone: Mongod) -> None:
    """If the lease is over by the server's clock, and nobody has taken it, it is renewed and the write goes on."""
    async with leased(standalone) as database:
        rooms = MongoRooms(database)
        assert database.lease is not None
        database.lease.until = EPOCH
        await rooms.add(a_room(1), limit=0)
        database.lease.until = EPOCH
        await rooms.remove(a_room(1))


async def test_who_lost_the_lease_writes_nothing(standalone: Mongod) -> None:
    """Another process has it: every call is refused, and it is told."""
    async with leased(standalone) as database:
        rooms = MongoRooms(database)
        told = asyncio.ensure_future(database.taken())
        set_lease(standalone, token="another")
        with pytest.raises(Taken):
            await database.ping()
        async with asyncio.timeout(3):
            await told
        for call in (rooms.add(a_room(1), limit=0), rooms.add(a_room(2), limit=9), rooms.all()):
            with pytest.raises(StoreUnavailable):
                await call
    with standalone.direct() as client:
        assert client[NAME].live_rooms.count_documents({}) == 0
        assert client[NAME][LEASES].find_one({})["token"] == "another"  # type: ignore[index]


async def test_a_holder_that_goes_on_is_not_disturbed(standalone: Mongod) -> None:
    """Who comes second waits as long as the lease lasts, is refused, and has changed nothing."""
    async with leased(standalone):
        other = MongoStores(standalone.uri, NAME, exclusive=True)
        started = time.monotonic()
        with pytest.raises(InUse, match=f"{NAME} is in use by process"):
            await other.open()
        assert time.monotonic() - started >= 6
        await other.close()


async def test_a_holder_elsewhere_that_crashed(standalone: Mongod) -> None:
    """Of a process on another machine nothing is known but its beat; when that stops, it is waited for once."""
    holder = this_process() | {"boot": "another machine"}
    set_lease(standalone, token="gone", beat=7, until=EARLY, lasts_s=1.0, **holder)
    told: list[str] = []
    stores = MongoStores(standalone.uri, NAME, exclusive=True, tell=told.append)
    started = time.monotonic()
    await stores.open()
    assert time.monotonic() - started >= 1
    assert len(told) == 1
    await stores.close()


@pytest.mark.parametrize("change", [{"started": "1"}, {"pid": 2**22 + 1}])
async def test_a_holder_here_that_crashed(standalone: Mongod, change: dict[str, Any]) -> None:
    """Of a process on this machine it is known: nobody waits, also if its number is another one's now."""
    set_lease(standalone, token="gone", beat=7, until=EARLY, lasts_s=1e9, **(this_process() | change))
    told: list[str] = []
    stores = MongoStores(standalone.uri, NAME, exclusive=True, tell=told.append)
    await stores.open()
    assert told == []
    await stores.close()


async def test_only_one_of_many_starters(standalone: Mongod) -> None:
    """Of those who start at the same time one gets it; once it lets go, another one does."""
    starters = [MongoStores(standalone.uri, NAME, exclusive=True) for _ in range(5)]
    tasks = {asyncio.ensure_future(starter.open()): starter for starter in starters}
    while tasks:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        await done.pop()
        [winner] = [starter for task, starter in tasks.items() if task.done()]
        tasks = {task: starter for task, starter in tasks.items() if not task.done()}
        await winner.rooms.count()
        await winner.close()


def test_a_process_that_ended_unheard_is_dead() -> None:
    """One that its parent has not asked about yet has ended all the same."""
    code = "from qlive_adapters.mongo.owner import this_process; print(repr(this_process()), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    holder = ast.literal_eval(child.stdout.readline())
    assert not is_dead(holder)
    child.kill()
    give_up_at = time.monotonic() + 30
    while not is_dead(holder):
        assert time.monotonic() < give_up_at
    child.communicate()
