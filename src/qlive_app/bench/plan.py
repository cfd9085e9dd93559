"""What is measured, and in which order: in rounds, so that yardsticks and qlive meet the same moods of the machine."""

import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import attrs

from qlive_app.bench.children import Child, cores, running
from qlive_app.bench.echo_load import echo
from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.figures import Figures, boil_down
from qlive_app.bench.http_client import request_bytes
from qlive_app.bench.http_load import repeat_request
from qlive_app.bench.memory import Memory, weigh_connections
from qlive_app.bench.pk_load import fight
from qlive_app.bench.population import check_rooms, live_hosts, log_in
from qlive_app.bench.slices import Work, no_collector_pauses
from qlive_app.bench.subject import HOST, running_qlive
from qlive_app.bench.yardstick import ECHO_PATH, HTTP_PATH
from qlive_app.children import free_ports

ROOMS = 100
MAX_PAIRS = ROOMS // 2
PARTS = ("yardsticks", "pk", "list", "room", "memory")
_WARM_UP_S = 0.5
_SPARE_FILES = 500


@attrs.frozen
class Settings:
    """What to measure (of PARTS), with how many pairs, and for how long."""

    parts: frozenset[str]
    pairs: tuple[int, ...]
    seconds: float
    rounds: int
    connections: int

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the measures of one round, each yardstick right beside what it is held against."""
        chosen: list[str] = []
        if self.parts & {"yardsticks", "pk"}:
            chosen.append("W")
        if "pk" in self.parts:
            chosen += [pk_name(pairs) for pairs in self.pairs]
        if self.parts & {"yardsticks", "list", "room"}:
            chosen.append("H")
        return (*chosen, *(part for part in ("list", "room") if part in self.parts))

    @property
    def steps(self) -> int:
        """How often ``tell`` is called by ``measure``."""
        slices = len(self.measures) * (1 + self.rounds)
        return slices + bool(self.measures) + ("memory" in self.parts)


@attrs.frozen
class Outcome:
    """All figures of a run: for each measure those of every round."""

    rounds: dict[str, list[Figures]]
    memory: Memory | None


@attrs.frozen
class _Measure:
    server: Child
    run: Callable[[float], Awaitable[Work]]


def pk_name(pairs: int) -> str:
    """The measure's name for so many pairs at once."""
    return f"pk-{pairs}"


async def measure(settings: Settings, tell: Callable[[str], None]) -> Outcome:
    """Run the whole bench; ``tell`` hears what begins. Raises MeasurementError."""
    _allow_open_files(2 * settings.connections + _SPARE_FILES)
    pinned = cores()
    server_core = pinned[0] if pinned else None
    rounds: dict[str, list[Figures]] = {}
    memory = None
    with TemporaryDirectory(prefix="qlive-bench-") as name, _on_core(pinned[1] if pinned else None):
        directory = Path(name)
        if settings.measures:
            tell("starting the servers")
            async with _ready_measures(settings, directory, server_core) as measures:
                rounds = await _rotate(settings, measures, tell)
        if "memory" in settings.parts:
            tell(f"{settings.connections} idle connections")
            memory = await weigh_connections(directory / "memory", settings.connections, server_core)
    return Outcome(rounds, memory)


async def _rotate(
    settings: Settings, measures: dict[str, _Measure], tell: Callable[[str], None]
) -> dict[str, list[Figures]]:
    """Every measure once for each round, after a short round that does not count."""
    figures: dict[str, list[Figures]] = {name: [] for name in measures}
    for number in range(settings.rounds + 1):
        for name, each in measures.items():
            tell(f"round {number} of {settings.rounds}: {name}" if number else f"warming up: {name}")
            result = await _slice(each, settings.seconds if number else _WARM_UP_S)
            if number:
                figures[name].append(result)
    return figures


async def _slice(each: _Measure, seconds: float) -> Figures:
    with no_collector_pauses():
        server, load = each.server.cpu_s(), process_time()
        work = await each.run(seconds)
        server, load = each.server.cpu_s() - server, process_time() - load
    return boil_down(work, server_cpu_s=server, load_cpu_s=load)


@asynccontextmanager
async def _ready_measures(
    settings: Settings, directory: Path, core: int | None
) -> AsyncIterator[dict[str, _Measure]]:
    """The measures of a round in their order, with the servers and users that they need."""
    wanted = settings.measures
    async with AsyncExitStack() as stack:
        ready: dict[str, _Measure] = {}
        if {"W", "H"} & set(wanted):
            ready |= await stack.enter_async_context(_yardsticks(directory, core))
        if set(wanted) - {"W", "H"}:
            ready |= await stack.enter_async_context(_qlive(settings, directory / "qlive", core))
        yield {name: ready[name] for name in wanted}


@asynccontextmanager
async def _yardsticks(directory: Path, core: int | None) -> AsyncIterator[dict[str, _Measure]]:
    (port,) = free_ports(1)
    log = directory / "yardstick.log"
    module = "qlive_app.bench.yardstick"
    async with running(module, [str(port)], core=core, log=log, port=port, ready_path=HTTP_PATH) as child:
        yield {
            "W": _Measure(child, partial(echo, HOST, port, ECHO_PATH)),
            "H": _http(child, port, request_bytes("GET", HTTP_PATH)),
        }


@asynccontextmanager
async def _qlive(settings: Settings, directory: Path, core: int | None) -> AsyncIterator[dict[str, _Measure]]:
    async with (
        running_qlive(directory, users=ROOMS + 1, core=core) as subject,
        live_hosts(subject, ROOMS) as hosts,
    ):
        (viewer,) = await log_in(subject, [ROOMS])
        await check_rooms(subject, viewer, ROOMS)
        room = f"/v1/rooms/{hosts[0].room_id}"
        ready = {
            "list": _http(subject.child, subject.http_port, request_bytes("GET", "/v1/rooms", token=viewer)),
            "room": _http(subject.child, subject.http_port, request_bytes("GET", room, token=viewer)),
        }
        for pairs in settings.pairs:
            ready[pk_name(pairs)] = _Measure(subject.child, partial(fight, hosts, pairs))
        yield ready


def _http(child: Child, port: int, request: bytes) -> _Measure:
    return _Measure(child, partial(repeat_request, HOST, port, request))


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """Keep this process, which makes the load, off the servers' core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _allow_open_files(wanted: int) -> None:
    """Raise the limit that the servers inherit; MeasurementError if the system allows less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise MeasurementError(
            f"{wanted} open files are needed, {hard} are allowed: ask for fewer --connections"
        )
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
