"""One process, two listening sockets: start, serve, and a shutdown that loses nothing."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence

import structlog
import uvicorn
from litestar.types import ASGIApp

from qlive_adapters.claims import Taken
from qlive_adapters.patience import patiently
from qlive_app.bootstrap import Assembly
from qlive_app.config import Address
from qlive_app.http.errors import not_a_request
from qlive_app.http.operating import HEALTH_PATH, READINESS_PATH
from qlive_app.http.starting import Starting
from qlive_app.jobs import jobs_of
from qlive_app.runtime.housekeeping import SWEEP_INTERVAL_S
from qlive_app.runtime.request_protocol import refusing
from qlive_app.runtime.supervisor import Supervisor
from qlive_app.signalling.transport import SignalProtocol
from qlive_core.signalling import CloseCode

_BACKLOG = 4096
_SHUTDOWN_S = 3  # for requests that dawdle; the whole end takes less than five


class CannotListen(Exception):
    """A port cannot be had. The text is for the operator."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: this process has two servers and shuts both down in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(address: Address, key: str) -> socket.socket:
    """Return a listening socket; ``key`` is the configuration key to name if that fails.

    Without a host, or with `::`, it listens on all interfaces, by IPv4 and IPv6 where there are both. Raises
    CannotListen.
    """
    dual = address.host in {"", "::"} and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in address.host else socket.AF_INET
    try:
        return socket.create_server(
            (address.host, address.port), family=family, backlog=_BACKLOG, dualstack_ipv6=dual
        )
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno and not isinstance(error, socket.gaierror):
            reason = os.strerror(error.errno)  # without the address, which asyncio would put behind it
        raise CannotListen(f"cannot listen on {address} ({key}): {reason.lower()}") from error


def _server(app: ASGIApp, **options: object) -> _Server:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        lifespan="off",
        **options,  # type: ignore[arg-type]
    )
    return _Server(config)


def _servers(assembly: Assembly, http_app: ASGIApp) -> tuple[_Server, _Server]:
    api = _server(http_app, http=refusing(not_a_request), ws="none")
    signalling = _server(
        assembly.signalling_app,
        http=refusing(
            lambda: ("text/plain; charset=utf-8", b"Bad Request\n", {}), upgrades_to=SignalProtocol
        ),
        ws="none",
        ws_max_size=assembly.settings.websocket_conf.max_message_bytes,
        ws_ping_interval=None,  # the protocol has pings of its own
        ws_per_message_deflate=False,  # 33 KiB a connection, and the first apps cannot
    )
    return api, signalling


async def serve(
    assembly: Assembly, api_socket: socket.socket, signalling_socket: socket.socket, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT. ``ready`` is called when clients are welcome.

    Raises Taken if another process has taken the store over meanwhile, which only happens to one that was frozen.

    The order of the end: not ready any more, and a while for load balancers to notice; connections told and
    closed, requests finished, what came over IM handled, timers and mail stopped, the store's last commit done.
    """
    log = structlog.get_logger("qlive")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    taken = asyncio.create_task(assembly.stores.taken())
    metrics_path = assembly.settings.prometheus.metrics_path
    front = Starting(assembly.http_app, answered=(HEALTH_PATH, READINESS_PATH, metrics_path))
    servers = _servers(assembly, front)
    tasks = [asyncio.create_task(servers[0].serve(sockets=[api_socket]))]
    try:
        await _until_started(servers[:1], tasks)
        if not await _woken(assembly, stop, taken):
            return
        assembly.health.signalling_port = signalling_socket.getsockname()[1]
        health = assembly.health
        supervisor = Supervisor(health.report, health.report_trouble, assembly.metrics)
        async with supervisor.running(jobs_of(assembly)) as keepers:
            tasks.append(asyncio.create_task(servers[1].serve(sockets=[signalling_socket])))
            await _until_started(servers, tasks)
            _spare_the_collector()
            front.open()
            assembly.health.report("server", "")
            ready()
            ending = [*tasks, taken, *keepers]
            await _first(stop, ending)
            assembly.health.report("server", "shutting down")
            log.info("shutting down")
            if stop.is_set():
                await _give_notice(stop, ending, assembly.settings.drain_notice_s)
            assembly.hub.hang_up_all(CloseCode.SERVICE_RESTART)
            for server in servers:
                server.should_exit = True
                # Who asks is better served by the process that has the store now.
                server.force_exit = taken.done()
            await asyncio.gather(*tasks)
            if taken.done():
                raise Taken("another process has taken the store over while this one was frozen")
            if assembly.im:
                await assembly.im.drain()
    finally:
        taken.cancel()
        for server in servers:
            server.should_exit = server.force_exit = True
        await asyncio.gather(*tasks, return_exceptions=True)
        await assembly.chores.close()
        await assembly.stores.close()
        for cloud in assembly.clouds.closing:
            await cloud.aclose()
    log.info("stopped")


async def _woken(assembly: Assembly, stop: asyncio.Event, taken: "asyncio.Task[None]") -> bool:
    """Get ready, which may take long, and return True; or False if the operator wants to end before that."""
    waking = asyncio.create_task(_wake(assembly))
    try:
        await _first(stop, [waking, taken])
        if not waking.done():
            if taken.done():
                raise Taken("another process has taken the store over while this one started")
            return False
        await waking
        return True
    finally:
        waking.cancel()
        await asyncio.gather(waking, return_exceptions=True)


async def _wake(assembly: Assembly) -> None:
    """Take over what an earlier life left, before anybody is served."""
    await assembly.open_stores()
    with patiently():
        await assembly.mirror.load()
        sweep = assembly.services.sweep
        assembly.clock.not_before(await sweep.newest())
        assembly.effects.run(await sweep.wake())
        assembly.effects.run(await sweep.look_around(2 * SWEEP_INTERVAL_S))
        await sweep.tidy()


def _spare_the_collector() -> None:
    """Let the garbage collector leave alone what lives as long as the process, and look at the rest less often.

    Requests make no cycles worth speaking of; at Python's default it would look after every 700 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _until_started(servers: Sequence[_Server], tasks: list[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers):
        if any(task.done() for task in tasks):
            await asyncio.gather(*tasks)
            raise CannotListen("a server ended before it began")
        await asyncio.sleep(0.01)


async def _give_notice(stop: asyncio.Event, tasks: list[asyncio.Task[None]], seconds: float) -> None:
    """Go on serving while load balancers learn that this process will not; a second signal cuts that short."""
    stop.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _first(stop, tasks)


async def _first(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait until the operator wants to end or one of the tasks has ended."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
