"""Servers for the wire tests: two that tests share, and as many as a test likes of its own."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from .server import RunningServer, Settings
from .stage import Stage

# Short enough to be waited for, long enough for a busy machine.
SHORT_TIMES: Settings = {
    "websocket_conf": {
        "authorize_timeout_ms": 400,
        "ping_ticker_s": 0.2,
        "pong_timeout_s": 1.0,
        "reconnect_timeout_s": 0.8,
    },
    "signaling": {"pk_request_timeout_s": 0.8},
    "presence": {"host_connect_timeout_s": 1.0, "audience_lease_s": 1.0},
}

Launch = Callable[[Settings], Stage]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A shared server with the default times."""
    running = RunningServer(tmp_path_factory.mktemp("server"))
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def hasty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A shared server on which all times are short."""
    running = RunningServer(tmp_path_factory.mktemp("hasty"), SHORT_TIMES)
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture
async def stage(server: RunningServer) -> AsyncIterator[Stage]:
    """People on the server with the default times."""
    cast = Stage(server)
    yield cast
    await cast.aclose()


@pytest.fixture
async def hasty(hasty_server: RunningServer) -> AsyncIterator[Stage]:
    """People on the server with short times."""
    cast = Stage(hasty_server)
    yield cast
    await cast.aclose()


@pytest.fixture
async def launch(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launch]:
    """Starts servers of the test's own, with the given settings over the defaults."""
    stages: list[Stage] = []

    def start(settings: Settings) -> Stage:
        running = RunningServer(tmp_path_factory.mktemp("own"), settings)
        stages.append(Stage(running))
        running.start()
        return stages[-1]

    yield start
    for cast in stages:
        await cast.aclose()
        cast.server.stop()
