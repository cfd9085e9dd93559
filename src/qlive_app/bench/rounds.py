"""The run: in rounds, so that yardsticks and qlive on each store meet the same moods of the machine."""

import json
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import attrs

from qlive_app.bench import mongo_yardstick, yardstick
from qlive_app.bench.children import Child, Cores, cores, on_core, running
from qlive_app.bench.echo_load import echo
from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.figures import Figures, boil_down
from qlive_app.bench.http_client import request_bytes
from qlive_app.bench.http_load import repeat_request
from qlive_app.bench.memory import Memory, weigh_connections
from qlive_app.bench.mongo_load import updates
from qlive_app.bench.mongod import Mongo, MongoChoice, mongo, throw_away_database
from qlive_app.bench.pk_load import fight
from qlive_app.bench.plan import ECHO, ROOMS, ROUTE, UPDATES, Name, Outcome, Settings, pk_name
from qlive_app.bench.population import check_rooms, live_hosts, log_in
from qlive_app.bench.slices import Work, no_collector_pauses
from qlive_app.bench.stores import MONGO, fresh_store
from qlive_app.bench.subject import HOST, running_qlive
from qlive_app.children import free_ports

_WARM_UP_S = 0.5
_SPARE_FILES = 500

Tell = Callable[[str], None]


@attrs.frozen
class _Measure:
    run: Callable[[float], Awaitable[Work]]
    server: Child
    store: Child | None = None


_Measures = dict[Name, _Measure]


@attrs.frozen
class _Ground:
    """What all measures of a run stand on."""

    settings: Settings
    directory: Path
    core: int | None
    mongo: Mongo | None


async def measure(settings: Settings, choice: MongoChoice, tell: Tell) -> Outcome:
    """Run the whole bench; ``tell`` hears what begins. Raises MeasurementError."""
    _allow_open_files(2 * settings.connections + _SPARE_FILES)
    pinned = cores()
    async with _ground(settings, choice, pinned) as ground:
        with on_core(pinned.load if pinned else None):
            rounds = await _rounds(ground, tell)
            memory = await _weigh(ground, tell)
        return Outcome(rounds, memory, ground.mongo.version if ground.mongo else None)


@asynccontextmanager
async def _ground(settings: Settings, choice: MongoChoice, pinned: Cores | None) -> AsyncIterator[_Ground]:
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="qlive-bench-")))
        server = None
        if MONGO in settings.stores:
            core = pinned.store if pinned else None
            server = await stack.enter_async_context(mongo(choice, directory / "mongod", core))
        yield _Ground(settings, directory, pinned.server if pinned else None, server)


async def _rounds(ground: _Ground, tell: Tell) -> dict[Name, list[Figures]]:
    """Every measure once for each round, after a short round that does not count."""
    settings = ground.settings
    if not settings.measures:
        return {}
    tell("starting the servers")
    async with _ready_measures(ground) as measures:
        figures: dict[Name, list[Figures]] = {name: [] for name in measures}
        for number in range(settings.rounds + 1):
            for name, each in measures.items():
                what = f"{name.measure} {name.store}".rstrip()
                tell(f"round {number} of {settings.rounds}: {what}" if number else f"warming up: {what}")
                result = await _slice(each, settings.seconds if number else _WARM_UP_S)
                if number:
                    figures[name].append(result)
        return figures


async def _slice(each: _Measure, seconds: float) -> Figures:
    with no_collector_pauses():
        before = _cpu_s(each)
        work = await each.run(seconds)
        server, load, store = (now - then for now, then in zip(_cpu_s(each), before, strict=True))
    return boil_down(
        work, server_cpu_s=server, load_cpu_s=load, store_cpu_s=store if each.store is not None else None
    )


def _cpu_s(each: _Measure) -> tuple[float, float, float]:
    """The processor time so far of the server, of the load generator and of the store's server."""
    return each.server.cpu_s(), process_time(), each.store.cpu_s() if each.store else 0.0


async def _weigh(ground: _Ground, tell: Tell) -> dict[str, Memory]:
    settings = ground.settings
    weights: dict[str, Memory] = {}
    for kind in settings.stores if "memory" in settings.parts else ():
        tell(f"{settings.connections} idle connections: {kind}")
        directory = ground.directory / f"memory-{kind}"
        async with fresh_store(kind, directory, ground.mongo) as store:
            weights[kind] = await weigh_connections(
                directory, store.sections, settings.connections, ground.core
            )
    return weights


@asynccontextmanager
async def _ready_measures(ground: _Ground) -> AsyncIterator[_Measures]:
    """The measures of a round in their order, with the servers and users that they need."""
    wanted = ground.settings.measures
    async with AsyncExitStack() as stack:
        ready: _Measures = {}
        if {ECHO, ROUTE} & set(wanted):
            ready |= await stack.enter_async_context(_stack_yardsticks(ground))
        if UPDATES in wanted and ground.mongo:
            ready |= await stack.enter_async_context(_mongo_yardstick(ground, ground.mongo))
        for kind in dict.fromkeys(name.store for name in wanted if name.store):
            ready |= await stack.enter_async_context(_qlive(ground, kind))
        yield {name: ready[name] for name in wanted}


@asynccontextmanager
async def _stack_yardsticks(ground: _Ground) -> AsyncIterator[_Measures]:
    (port,) = free_ports(1)
    async with running(
        yardstick.__name__,
        [str(port)],
        core=ground.core,
        log=ground.directory / "yardstick.log",
        port=port,
        ready_path=yardstick.HTTP_PATH,
    ) as child:
        yield {
            ECHO: _Measure(partial(echo, HOST, port, yardstick.ECHO_PATH), child),
            ROUTE: _http(child, port, request_bytes("GET", yardstick.HTTP_PATH)),
        }


@asynccontextmanager
async def _mongo_yardstick(ground: _Ground, server: Mongo) -> AsyncIterator[_Measures]:
    (port,) = free_ports(1)
    file = ground.directory / "yardstick.json"
    async with throw_away_database(server) as database:
        file.write_text(json.dumps({"uri": server.uri, "database": database}))
        async with running(
            mongo_yardstick.__name__,
            [str(port), str(file)],
            core=ground.core,
            log=ground.directory / "mongo-yardstick.log",
            port=port,
            ready_path=mongo_yardstick.READY_PATH,
        ) as child:
            yield {UPDATES: _Measure(partial(updates, HOST, port), child, server.child)}


@asynccontextmanager
async def _qlive(ground: _Ground, kind: str) -> AsyncIterator[_Measures]:
    directory = ground.directory / f"qlive-{kind}"
    async with (
        fresh_store(kind, directory, ground.mongo) as store,
        running_qlive(directory, store.sections, users=ROOMS + 1, core=ground.core) as subject,
        live_hosts(subject, ROOMS) as hosts,
    ):
        (viewer,) = await log_in(subject, [ROOMS])
        await check_rooms(subject, viewer, ROOMS)
        gets = {"list": "/v1/rooms", "room": f"/v1/rooms/{hosts[0].room_id}"}
        child, port = subject.child, subject.http_port
        ready = {
            Name(measure, kind): _http(child, port, request_bytes("GET", path, token=viewer), store.server)
            for measure, path in gets.items()
        }
        for pairs in ground.settings.pairs:
            ready[Name(pk_name(pairs), kind)] = _Measure(partial(fight, hosts, pairs), child, store.server)
        yield ready


def _http(child: Child, port: int, request: bytes, store: Child | None = None) -> _Measure:
    return _Measure(partial(repeat_request, HOST, port, request), child, store)


def _allow_open_files(wanted: int) -> None:
    """Raise the limit that the servers inherit; MeasurementError if the system allows less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise MeasurementError(
            f"{wanted} open files are needed, {hard} are allowed: ask for fewer --connections"
        )
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
