"""What MongoDB's stores promise while the server fails, and after it."""

import asyncio
import gc
import itertools
import socket
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from qlive_adapters.mongo import lane as lane_module
from qlive_adapters.mongo.database import CannotOpen
from qlive_adapters.mongo.store import MongoStores
from qlive_core.errors import Duplicate, StoreUnavailable
from qlive_core.model.feedback import Feedback
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room

from .facts_contract import outcomes
from .kinds import KINDS, a_pk, a_room
from .mongo_ground import DATABASE, wipe
from .mongod import Mongod, running

TIMEOUT_S = 3.0
"""The default of the configuration: a server that has just recovered answers within it on a busy machine too."""
# What a busy machine may add to that.
SLACK_S = 1.5
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server that may be killed."""
    with running(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@asynccontextmanager
async def opened(server: Mongod, **options: Any) -> AsyncIterator[MongoStores]:
    """Stores over an empty database."""
    wipe(server)
    stores = MongoStores(server.uri, DATABASE, **options)
    await stores.open()
    try:
        yield stores
    finally:
        await stores.close()


@pytest.fixture
async def stores(server: Mongod) -> AsyncIterator[MongoStores]:
    """Stores that soon give up."""
    async with opened(server, timeout_s=TIMEOUT_S) as stores:
        yield stores


class Writers:
    """Open rooms and write feedback until told to stop, and remember what was acknowledged."""

    def __init__(self, stores: MongoStores) -> None:
        self._stores = stores
        self._numbers = itertools.count()
        self._more = asyncio.Condition()
        self._stopped = False
        self.rooms: list[Room] = []
        self.feedback: dict[int, Feedback] = {}
        self.failures: list[StoreUnavailable] = []

    def start(self) -> None:
        """Let sixteen write at the same time."""
        self._tasks = [asyncio.ensure_future(self._write()) for _ in range(16)]

    async def _write(self) -> None:
        while not self._stopped:
            n = next(self._numbers)
            room, feedback = a_room(n, created_at=float(n)), Feedback(f"user{n}", "text", "", float(n))
            try:
                await self._stores.rooms.add(room, limit=0)
                self.rooms.append(room)
                self.feedback[await self._stores.feedback.add(feedback)] = feedback
            except StoreUnavailable as failure:
                self.failures.append(failure)
            async with self._more:
                self._more.notify_all()

    async def until(self, enough: Callable[[], bool]) -> None:
        """Wait until ``enough`` is true."""
        async with self._more:
            await self._more.wait_for(enough)

    async def until_more(self) -> None:
        """Wait until many more writes are acknowledged than are now."""
        goal = len(self.rooms) + 200
        await self.until(lambda: len(self.rooms) >= goal)

    async def stop(self) -> None:
        """Let everybody finish what he is at."""
        self._stopped = True
        await asyncio.gather(*self._tasks)

    async def look(self) -> None:
        """Check that everything acknowledged is there."""
        stored = {room.id: room for room in await self._stores.rooms.all()}
        for room in self.rooms:
            assert stored[room.id] == room
        for number, feedback in self.feedback.items():
            assert await self._stores.feedback.get(number) == feedback


async def test_survives_kill(server: Mongod, stores: MongoStores) -> None:
    """All that was acknowledged before mongod was killed is there after its restart, and writing goes on."""
    writers = Writers(stores)
    writers.start()
    await writers.until_more()
    await asyncio.to_thread(server.kill)
    await writers.until(lambda: len(writers.failures) >= 16)
    await asyncio.to_thread(server.start)
    await writers.until_more()
    await writers.stop()
    await writers.look()


async def test_step_down(replica_set: Mongod) -> None:
    """A primary that steps down under load loses nothing that was acknowledged, and writing goes on."""

    def step_down() -> None:
        with replica_set.direct() as client:
            client.admin.command({"replSetStepDown": 1, "force": True})

    async with opened(replica_set) as stores:
        writers = Writers(stores)
        writers.start()
        await writers.until_more()
        await asyncio.to_thread(step_down)
        await writers.until_more()
        await writers.stop()
        await writers.look()


def everything(stores: MongoStores) -> list[Any]:
    """Return one call of every sort."""
    return [
        *(kind.add(stores, kind.make(5, "")) for kind in KINDS),
        *(kind.get(stores, kind.make(1, "")) for kind in KINDS),
        *(kind.store(stores).replace(kind.make(1, "")) for kind in KINDS),
        *(kind.store(stores).remove(kind.make(2, "")) for kind in KINDS),
        stores.rooms.add(a_room(6), limit=9),
        stores.rooms.all(),
        stores.rooms.count(),
        stores.rooms.hostless(),
        stores.places.clear_room("another"),
        stores.presences.expect_all(1.0, node="n"),
        stores.pks.roomless(),
        stores.sessions.purge(0.0),
        stores.feedback.add(Feedback("user", "text", "", 1.0)),
        stores.feedback.get(1),
        stores.feedback.mails_due(1.0, limit=1),
        stores.feedback.outbox(),
        stores.ping(),
    ]


async def refused(stores: MongoStores) -> None:
    """Check that every sort of call fails in time, with the error that the ports know."""
    started = time.monotonic()
    results = await outcomes(*everything(stores))
    assert time.monotonic() - started < TIMEOUT_S + SLACK_S
    assert {type(result) for result in results} == {StoreUnavailable}
    assert not any(isinstance(result, PyMongoError) for result in results)


async def seen_again(stores: MongoStores) -> None:
    """Ask for the server, which is back, until it answers and has made a first write durable.

    That write waits for all that recovery left the disk to do; only then do calls take as long as they take.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(StoreUnavailable):
                await stores.ping()
                await stores.feedback.add(Feedback("user", "text", "", 0.0))
                return


async def test_down(server: Mongod, stores: MongoStores) -> None:
    """While mongod is down every call fails within the time, and once it is seen again every call works."""
    for kind in KINDS:
        await kind.add(stores, kind.make(1, ""))
        await kind.add(stores, kind.make(2, ""))
    await asyncio.to_thread(server.kill)
    try:
        await refused(stores)
    finally:
        await asyncio.to_thread(server.start)
    await seen_again(stores)
    results = await outcomes(*everything(stores))
    assert {index: result for index, result in enumerate(results) if isinstance(result, Exception)} == {}


async def test_hanging(server: Mongod, stores: MongoStores) -> None:
    """While mongod hangs every call fails within the time; afterwards a write is done either fully or not."""
    await stores.pks.add(a_pk(1, 1, 2))
    server.pause()
    try:
        await refused(stores)
        [result] = await outcomes(stores.pks.add(a_pk(2, 3, 4)))
        assert isinstance(result, StoreUnavailable)
    finally:
        server.go_on()
    await seen_again(stores)
    [again] = await outcomes(stores.pks.add(a_pk(2, 3, 4)))
    assert again is None or isinstance(again, Duplicate)
    assert await stores.pks.of_room("room3") == await stores.pks.of_room("room4") == a_pk(2, 3, 4)


async def test_what_was_given_up_is_not_sent(server: Mongod, stores: MongoStores) -> None:
    """Writes that were still waiting when their time was over do not take place later."""
    server.pause()
    try:
        first = asyncio.ensure_future(outcomes(stores.rooms.add(a_room(0), limit=0)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = await outcomes(*(stores.rooms.add(a_room(n), limit=0) for n in range(1, 5)))
        await first
    finally:
        server.go_on()
    assert {type(result) for result in waiting} == {StoreUnavailable}
    await stores.rooms.add(a_room(9), limit=0)
    assert {room.id for room in await stores.rooms.all()} <= {"room0", "room9"}


def occupy(server: Mongod, crowd: ExitStack) -> None:
    """Open connections until the server has turned away so many that none can be left."""
    turned_away = 0
    while turned_away < 20:
        connection = crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        connection.settimeout(0.05)
        try:
            turned_away += connection.recv(1) == b""
        except ConnectionResetError:
            turned_away += 1
        except TimeoutError:
            turned_away = 0


async def test_out_of_connections(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server that accepts no more connections is one that cannot answer; with free ones it can again."""
    with running(tmp_path_factory.mktemp("crowded"), connections=12) as server, ExitStack() as crowd:
        occupy(server, crowd)
        stores = MongoStores(server.uri, DATABASE, timeout_s=TIMEOUT_S, pool_size=4)
        try:
            started = time.monotonic()
            with pytest.raises(CannotOpen):
                await stores.open()
            with pytest.raises(StoreUnavailable):
                await stores.ping()
            assert time.monotonic() - started < 2 * TIMEOUT_S + SLACK_S
            crowd.close()
            await stores.open()
            assert await stores.rooms.count() == 0
        finally:
            await stores.close()


async def test_overload_is_refused_at_once(stores: MongoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many writes waiting, the next one is refused, and later ones are taken again."""
    monkeypatch.setattr(lane_module, "PENDING_MAX", 3)
    results = await outcomes(*(stores.rooms.add(a_room(n), limit=0) for n in range(5)))
    assert results[:3] == [None] * 3
    assert [type(result) for result in results[3:]] == [StoreUnavailable] * 2
    await stores.rooms.add(a_room(9), limit=0)


async def test_after_closing(server: Mongod) -> None:
    """Closing finishes what is on its way; a closed store refuses everything, and can be closed again."""
    async with opened(server) as stores:
        writes = [asyncio.ensure_future(stores.rooms.add(a_room(n), limit=0)) for n in range(300)]
        await asyncio.sleep(0)
        await stores.close()
        assert [write.result() for write in writes] == [None] * 300
        results = await outcomes(*everything(stores))
        assert {type(result) for result in results} == {StoreUnavailable}


async def test_nobody_there() -> None:
    """A server that cannot be reached is refused in time, with a text for the operator."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        uri = f"mongodb://127.0.0.1:{taken.getsockname()[1]}/"
        stores = MongoStores(uri, DATABASE, timeout_s=TIMEOUT_S)
        started = time.monotonic()
        with pytest.raises(CannotOpen, match=f"cannot open database {DATABASE}: 127"):
            await stores.open()
        assert time.monotonic() - started < TIMEOUT_S + SLACK_S
        await stores.close()
    # A driver that is closed while it tries to connect leaves that socket to the garbage collector.
    del stores
    await asyncio.sleep(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.parametrize("uri", ["http://host/", "mongodb://", "mongodb://host:port/"])
def test_bad_address(uri: str) -> None:
    """An address that cannot be one is refused before anything is tried."""
    with pytest.raises(CannotOpen, match="cannot use MongoDB"):
        MongoStores(uri, DATABASE)


async def test_cancelled_caller_disturbs_nobody(stores: MongoStores) -> None:
    """Callers who are cancelled take nothing away from those who share a commit with them."""
    presences = [Presence(f"user{n}", "", "node", 1.0) for n in range(20)]
    writes = [asyncio.ensure_future(stores.presences.add(presence)) for presence in presences]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, type(None)] * 10
    assert set(presences[1::2]) <= set(await stores.presences.all())
