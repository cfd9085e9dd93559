"""No connection string makes facts stale or writes weak: reads are the primary's, writes are most members'."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import monitoring

from qlive_adapters.mongo.connecting import client_of, database_of
from qlive_adapters.mongo.store import MongoStores
from qlive_core.errors import StoreUnavailable
from qlive_core.model.feedback import Feedback

from .facts_contract import outcomes
from .kinds import KINDS
from .mongod import Mongod, running_set

OPTIONS = (
    "readPreference=secondary",
    "readPreference=secondaryPreferred",
    "readPreference=nearest",
    "readPreference=primaryPreferred",
    "readPreference=secondaryPreferred&readPreferenceTags=dc:east&readPreferenceTags=",
    "readPreference=secondaryPreferred&maxStalenessSeconds=90",
    "readConcernLevel=available",
    "readConcernLevel=majority",
    "readConcernLevel=linearizable",
    "readConcernLevel=snapshot",
    "w=1",
    "w=0",
    "w=1&journal=false",
    "w=majority&wTimeoutMS=1",
    "journal=false",
    "retryWrites=false",
    "retryReads=false",
    "retryWrites=false&retryReads=false&w=1&readConcernLevel=available&readPreference=secondary",
)

_READS = ("find", "aggregate", "count", "distinct")
_WRITES = ("update", "insert", "delete", "findAndModify")


class Commands(monitoring.CommandListener):
    """What was sent to the servers."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.sent.append((event.connection_id, event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """No matter."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """No matter."""


@pytest.fixture(scope="module")
def listening() -> Iterator[Commands]:
    """Hears of all commands of clients that are made from now on."""
    commands = Commands()
    monitoring.register(commands)
    yield commands
    monitoring._LISTENERS.command_listeners.remove(commands)


@pytest.fixture(scope="module")
def lagging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A set whose secondary, without a vote, hears of nothing any more."""
    members: list[dict[str, Any]] = [{"priority": 2}, {"priority": 0, "votes": 0, "tags": {"dc": "east"}}]
    with running_set(tmp_path_factory.mktemp("lagging"), members) as servers:
        primary, secondary = servers
        # Who reads from it gets no answer, where a lagging one would give an old one.
        secondary.pause()
        yield primary


@pytest.mark.parametrize("options", OPTIONS)
async def test_options_are_overruled(lagging: Mongod, listening: Commands, options: str) -> None:
    """Every sort of fact is read back at once, from the primary, and each write is confirmed by most members."""
    listening.sent.clear()
    stores = MongoStores(f"{lagging.uri}&{options}", "overruled", timeout_s=10.0)
    await stores.open()
    try:
        for kind in KINDS:
            fact = kind.make(1, "")
            await kind.add(stores, fact)
            assert await kind.get(stores, fact) == fact
            await kind.store(stores).remove(fact)
            assert await kind.get(stores, fact) is None
        number = await stores.feedback.add(Feedback("user", "text", "", 1.0))
        assert await stores.feedback.get(number) is not None
        listed = (stores.rooms.all(), stores.places.all(), stores.pks.all(), stores.presences.all())
        assert [list(rows) for rows in await outcomes(*listed)] == [[], [], [], []]
        await stores.ping()
    finally:
        await stores.close()
    _check(listening.sent, lagging.port)


def _check(sent: list[tuple[Any, Any]], primary: int) -> None:
    assert sent
    for (_, port), command in sent:
        name = next(iter(command))
        if name in (*_READS, *_WRITES):
            assert port == primary
            assert command.get("$readPreference", {"mode": "primary"})["mode"] == "primary"
            assert command.get("readConcern", {}).get("level", "local") == "local"
        if name in _WRITES:
            assert command["writeConcern"]["w"] == "majority"
            assert command["writeConcern"]["j"] is True
            assert "wtimeout" not in command["writeConcern"] or command["writeConcern"]["wtimeout"] > 1
            if name != "delete" and not command.get("multi"):
                assert "txnNumber" in command, "not tried again after a step-down"


@pytest.mark.parametrize("options", OPTIONS)
async def test_a_migration_overrules_them_too(lagging: Mongod, listening: Commands, options: str) -> None:
    """Taking over the original's database reads what is there and writes what stays."""
    client = client_of(f"{lagging.uri}&{options}", timeoutMS=10_000)
    database = database_of(client, "overruled")
    listening.sent.clear()
    await database.accounts.update_one({"_id": "one"}, {"$set": {"rev": 1}}, upsert=True)
    assert await database.accounts.count_documents({"_id": "one"}) == 1
    await client.close()
    _check(listening.sent, lagging.port)


async def test_a_lost_majority_is_noticed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With one of three members left, a ping says within seconds that nothing can be written."""
    with running_set(tmp_path_factory.mktemp("lonely"), [{"priority": 2}, {}, {}]) as servers:
        stores = MongoStores(servers[0].uri, "lonely", exclusive=True)
        await stores.open()
        await stores.ping()
        for server in servers[1:]:
            server.kill()
        with pytest.raises(StoreUnavailable):
            await stores.ping()
        [again] = await outcomes(stores.rooms.all())
        assert isinstance(again, StoreUnavailable)
        await stores.close()
