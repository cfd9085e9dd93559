"""MongoDB fails under the running server: everybody is answered in time, and nothing that was promised is lost."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.stores.mongod import Mongod, running

from .client import SignalClient
from .command import qlive
from .conftest import Launch
from .load import Fighters, Load, Newcomers, Opener, Reader
from .probe import Probe
from .server import Settings, default_settings
from .stage import Person, Stage, eventually

# What users were promised; MongoDB's timeout is three seconds.
ANSWERED_WITHIN_S = 4.0
REFUSED_WITHIN_S = 0.5
BACK_WITHIN_S = 5.0
# What a busy machine may add to any of them.
SLACK_S = 1.0

COMMANDS = {"start-pk", "answer-pk", "end-pk"}
WRITES = {"start-pk", "login", "create"}
PATIENT: Settings = {
    "websocket_conf": {"ping_ticker_s": 0.3, "pong_timeout_s": 5, "reconnect_timeout_s": 1},
    "signaling": {"pk_request_timeout_s": 60},
}

Step = Callable[[Mongod], None]


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server that may be killed."""
    with running(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@pytest.fixture
def mongod(mortal: Mongod) -> Iterator[Mongod]:
    """The same one, running and awake."""
    yield mortal
    mortal.go_on()
    if mortal.process is None:
        mortal.start()


def stored_on(mongod: Mongod, database: str, settings: Settings) -> Settings:
    """Return the settings with the store on that server."""
    return {"mongo": {"uri": mongod.uri, "database": database}, "store": {"provider": "mongo"}, **settings}


async def crowd(stage: Stage, *, pairs: int = 3) -> Load:
    """Let fighting, logging in, opening rooms and listing them begin."""
    fighters = [Fighters(*await stage.pair()) for _ in range(pairs)]
    openers = [Opener(await stage.person()) for _ in range(2)]
    return Load(*fighters, *openers, Newcomers(stage), Newcomers(stage), Reader(await stage.person()))


async def listener(stage: Stage) -> SignalClient:
    """Return the connection of a host who hears pings."""
    host = await stage.person()
    await host.go_live()
    signal = await stage.stranger(hears_pings=True)
    assert (await signal.auth(host.api.token))["code"] == 0
    return signal


@pytest.mark.parametrize(
    ("lose", "bring_back"), [(Mongod.kill, Mongod.start), (Mongod.pause, Mongod.go_on)], ids=["killed", "paused"]
)
async def test_lost_and_found(mongod: Mongod, launch_on: Launch, lose: Step, bring_back: Step) -> None:
    """While mongod is gone, or hangs, everybody is refused in time, connections stay, and probes are told the
    truth; once it is back, so is the server, with all that it ever promised, and everybody can go on.
    """
    stage = launch_on(stored_on(mongod, f"lost_{lose.__name__}", PATIENT))
    load, bystander = await crowd(stage), await listener(stage)
    async with Probe(stage) as probe:
        await load.until_each(COMMANDS | WRITES, since=0, yes=True, within_s=10)
        lost_at = time.monotonic()
        await asyncio.to_thread(lose, mongod)
        known_at = await probe.until(ready=False, within_s=ANSWERED_WITHIN_S + SLACK_S)
        assert probe.problems == ["store: does not answer"]
        await load.until_each(WRITES, since=known_at, yes=False, within_s=5)
        await hears_pings(bystander)
        await asyncio.sleep(max(0.0, lost_at + 5.0 - time.monotonic()))
        gone_until = time.monotonic()
        await asyncio.to_thread(bring_back, mongod)
        found_at = time.monotonic()
        await probe.until(ready=True, within_s=BACK_WITHIN_S + SLACK_S)
        await load.until_each(COMMANDS | WRITES, since=found_at, yes=True, within_s=10)
        await load.stop()
        await asyncio.gather(*(worker.look() for worker in load.workers))
    for since, before, bound_s in (
        (lost_at, known_at, ANSWERED_WITHIN_S),
        (known_at, gone_until, REFUSED_WITHIN_S),
    ):
        slowest = load.slowest(since=since, before=before)
        print("SLOWEST", slowest, known_at - lost_at)
        assert slowest is not None
        assert slowest.took_s < bound_s + SLACK_S, slowest


async def hears_pings(signal: SignalClient) -> None:
    """Check that the connection is alive, by what it hears from now on."""
    while not signal._heard.empty():
        await signal.receive()
    for _ in range(2):
        await signal.expect("ping")
