"""MongoDB fails under the running server: everybody is answered in time, and nothing that was promised is lost."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.stores.mongod import Mongod, running

from .client import NO_CLOSE_FRAME, SignalClient
from .command import qlive
from .conftest import Launch
from .load import NEWCOMERS, Fighters, Load, Newcomers, Opener, Reader
from .probe import Probe
from .server import RunningServer, Settings
from .stage import Stage, eventually, offer

# What users were promised; MongoDB's timeout is three seconds.
ANSWERED_WITHIN_S = 4.0
REFUSED_WITHIN_S = 0.5
BACK_WITHIN_S = 5.0
STARTS_WITHIN_S = 20.0
# What a busy machine may add to any of them.
SLACK_S = 1.0

ABSENT_S = 5.0
STEPS_DOWN_FOR_S = 3
TWO_SWEEPS_S = 10.0

COMMANDS = {"start-pk", "answer-pk", "end-pk"}
EVERYTHING = COMMANDS | {"login", "create", "close", "list"}
PATIENT: Settings = {
    "websocket_conf": {"ping_ticker_s": 0.3, "pong_timeout_s": 5, "reconnect_timeout_s": 1},
    "signaling": {"pk_request_timeout_s": 60},
    "sms": {"fixed_codes": NEWCOMERS},
}

Step = Callable[[Mongod], None]
WAYS_TO_LOSE_IT = pytest.mark.parametrize(
    ("lose", "bring_back"),
    [(Mongod.kill, Mongod.start), (Mongod.pause, Mongod.go_on)],
    ids=["killed", "paused"],
)


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


async def crowd(stage: Stage) -> Load:
    """Let people fight, log in, open and close rooms and look around; return when all of that has begun."""
    fighters = [await Fighters.on(stage) for _ in range(3)]
    openers = [Opener(await stage.person()) for _ in range(2)]
    phones = iter(NEWCOMERS)
    newcomers = [Newcomers(stage, phones) for _ in range(2)]
    load = Load(*fighters, *openers, *newcomers, Reader(await stage.person()))
    await load.until_each(EVERYTHING, since=0, yes=True, within_s=10)
    return load


async def all_is_well(load: Load) -> None:
    """Check that everything is granted again, end the work, and see that every promise was kept."""
    await load.until_each(EVERYTHING, since=time.monotonic(), yes=True, within_s=10)
    await load.stop()
    await asyncio.gather(*(worker.look() for worker in load.workers))


@WAYS_TO_LOSE_IT
async def test_lost_and_found(mongod: Mongod, launch_on: Launch, lose: Step, bring_back: Step) -> None:
    """While mongod is gone, or hangs, everybody is refused in time, connections stay, and probes are told the
    truth; once it is back, so is the server, with all that it ever promised, and everybody can go on.
    """
    stage = launch_on(stored_on(mongod, f"lost_{lose.__name__}", PATIENT))
    load, bystander = await crowd(stage), await bystanding(stage)
    async with Probe(stage) as probe:
        lost_at = time.monotonic()
        await asyncio.to_thread(lose, mongod)
        known_at = await probe.until(ready=False, within_s=ANSWERED_WITHIN_S + SLACK_S)
        assert probe.problems == ["store: does not answer"]
        await load.until_each(COMMANDS | {"login"}, since=known_at, yes=False, within_s=5)
        await hears_pings(bystander)
        # The absence is to outlast every call that met its beginning.
        await asyncio.sleep(lost_at + ABSENT_S - time.monotonic())
        back_at = time.monotonic()
        await asyncio.to_thread(bring_back, mongod)
        await probe.until(ready=True, within_s=BACK_WITHIN_S + SLACK_S)
        await all_is_well(load)
    for since, before, bound_s in (
        (lost_at, known_at, ANSWERED_WITHIN_S),
        (known_at, back_at, REFUSED_WITHIN_S),
    ):
        slowest = load.slowest(since=since, before=before)
        assert slowest.took_s < bound_s + SLACK_S, slowest


SURVIVED_BY_THE_FIRST_APPS = {10011, 10012, 10013}


@WAYS_TO_LOSE_IT
async def test_the_first_apps_go_on(mongod: Mongod, launch_on: Launch, lose: Step, bring_back: Step) -> None:
    """While mongod is gone their requests fail with codes on which they do not end the live, and new apps are told
    to try again.
    """
    stage = launch_on(stored_on(mongod, f"survived_{lose.__name__}", PATIENT))
    old, new, target, proposer = [await stage.host() for _ in range(4)]
    fighter, _ = await stage.fighting()
    assert (await new.signal.call("announce", capabilities=["seats"]))["code"] == 0
    await offer(proposer, target)
    async with Probe(stage) as probe:
        await asyncio.to_thread(lose, mongod)
        await probe.until(ready=False, within_s=ANSWERED_WITHIN_S + SLACK_S)
        asked = {
            "start-pk": old.signal.call("start-pk", pkRoomID=new.room),
            "answer-pk": target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True),
            "end-pk": fighter.signal.call("end-pk", pkRoomID=fighter.room),
        }
        answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
        assert (await new.signal.call("start-pk", pkRoomID=old.room))["code"] == 10032
        await asyncio.to_thread(bring_back, mongod)
        await probe.until(ready=True, within_s=BACK_WITHIN_S + SLACK_S)
    assert answers["start-pk"]["code"] == 10012
    assert {each["code"] for each in answers.values()} <= SURVIVED_BY_THE_FIRST_APPS


async def bystanding(stage: Stage) -> SignalClient:
    """Return the connection of a host who does nothing and hears pings."""
    host = await stage.person()
    await host.go_live()
    signal = await stage.stranger(hears_pings=True)
    assert (await signal.auth(host.api.token))["code"] == 0
    return signal


async def hears_pings(signal: SignalClient) -> None:
    """Check that the server still pings this connection."""
    await signal.send("ping")
    while await signal.receive() != "pong={}":
        pass  # pings of an earlier time
    for _ in range(2):
        await signal.expect("ping")


@WAYS_TO_LOSE_IT
async def test_what_comes_due_meanwhile(
    mongod: Mongod, launch_on: Launch, lose: Step, bring_back: Step
) -> None:
    """An offer that times out while mongod is away does so afterwards, once; a host whose connection is lost
    meanwhile is given up after his grace, and one who is there is not.
    """
    hasty = {"websocket_conf": {"reconnect_timeout_s": 1}, "signaling": {"pk_request_timeout_s": 2}}
    stage = launch_on(stored_on(mongod, f"due_{lose.__name__}", hasty))
    lost, witness = await stage.host(), await stage.host()
    async with Probe(stage) as probe:
        pair = await stage.offered()
        await asyncio.to_thread(lose, mongod)
        await probe.until(ready=False, within_s=ANSWERED_WITHIN_S + SLACK_S)
        await lost.signal.drop()
        returning = await stage.stranger()
        await returning.send("auth", {"token": lost.api.token})
        # Not 10002, as the token may be good; and no frame, so that the first apps connect again.
        assert await returning.expect_close() == NO_CLOSE_FRAME
        await asyncio.gather(*(host.signal.nothing_within(0.5) for host in pair))
        await asyncio.to_thread(bring_back, mongod)
        await probe.until(ready=True, within_s=BACK_WITHIN_S + SLACK_S)
    for one, other in (pair, pair[::-1]):
        heard = await one.signal.expect("on-pk-timeout")
        assert heard == {"pkAnchorID": other.id, "pkRoomID": other.room}

    async def given_up() -> bool:
        return await witness.status_of(lost.room) == "gone"

    await eventually(given_up, "the room of the lost host is gone", within_s=TWO_SWEEPS_S + 5)
    for host in (*pair, witness):
        assert await lost.status_of(host.room) == "single"
        await host.signal.confirm()  # the next frame, so nothing was told twice
    assert (await lost.login())["status"] == "idle"
    await lost.go_live()
    await offer(*pair)


async def test_few_connections(tmp_path: Path, launch_on: Launch) -> None:
    """A mongod that accepts fewer connections than the server would open: whatever is asked is done or refused,
    and no promise is broken.
    """
    with running(tmp_path / "few", connections=12) as mongod:
        stage = launch_on(stored_on(mongod, "few", PATIENT))
        load = await crowd(stage)
        await all_is_well(load)
        assert max(answer.took_s for answer in load.book) < ANSWERED_WITHIN_S + SLACK_S


async def test_step_down(replica_set: Mongod, launch_on: Launch) -> None:
    """A primary that steps down under load breaks no promise, and the server is back with the next one."""
    stage = launch_on(stored_on(replica_set, "step_down", PATIENT))
    load = await crowd(stage)
    async with Probe(stage) as probe:
        await asyncio.to_thread(step_down, replica_set)
        await probe.until(ready=False, within_s=ANSWERED_WITHIN_S + SLACK_S)
        await probe.until(ready=True, within_s=STEPS_DOWN_FOR_S + BACK_WITHIN_S + SLACK_S)
        await all_is_well(load)
    assert max(answer.took_s for answer in load.book) < ANSWERED_WITHIN_S + SLACK_S


def step_down(replica_set: Mongod) -> None:
    with replica_set.direct() as client:
        client.admin.command({"replSetStepDown": STEPS_DOWN_FOR_S, "force": True})


async def test_nobody_there_at_the_start(tmp_path: Path) -> None:
    """Without an answer from mongod, whether nobody listens or nobody speaks, the server does not start and
    says so in one line within twenty seconds, most of which a busy machine needs to start two of them.
    """
    with socket.socket() as absent, socket.create_server(("127.0.0.1", 0)) as silent:
        absent.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{there.getsockname()[1]}" for there in (absent, silent)]
        configs = [configured_for(address, tmp_path / str(n)) for n, address in enumerate(addresses)]
        started = time.monotonic()
        runs = await asyncio.gather(*(asyncio.to_thread(qlive, "-f", config) for config in configs))
    assert time.monotonic() - started < STARTS_WITHIN_S
    for ended, address in zip(runs, addresses, strict=True):
        assert (ended.code, ended.out, len(ended.err)) == (3, [], 1), ended
        assert ended.err[0].startswith(f"qlive: cannot reach MongoDB: {address}: "), ended.err


def configured_for(address: str, directory: Path) -> Path:
    """Return the configuration of a server that looks for its store there."""
    directory.mkdir()
    return RunningServer(
        directory, {"mongo": {"uri": f"mongodb://{address}/"}, "store": {"provider": "mongo"}}
    ).config
