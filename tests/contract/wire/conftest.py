"""Servers for the wire tests: two that tests share, and as many as a test likes of its own."""

import itertools
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
    "signaling": {"pk_request_timeout_s": 0.8, "join_request_timeout_s": 0.6},
    "presence": {"host_connect_timeout_s": 1.0, "audience_lease_s": 1.0},
}

Launch = Callable[[Settings], Stage]
StoreSettings = Callable[[], Settings]

# What users rely on, they rely on whatever the store.
ON_EVERY_STORE = (
    "test_crash",
    "test_feedback_mail_restarts",
    "test_one_server",
    "test_pk_signalling",
    "test_presence",
    "test_replay",
    "test_rooms",
    "test_seats",
    "test_sessions",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run those modules once per store."""
    if "store" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        names = ["sqlite", "mongo"] if module in ON_EVERY_STORE else ["sqlite"]
        metafunc.parametrize("store", names, indirect=True, scope="session")


# For the whole process: with files of tests in any order, pytest makes the fixture more than once.
_databases = itertools.count()


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> StoreSettings:
    """Returns the settings of a store that is empty, of the kind that the test is run with."""
    if request.param == "sqlite":
        return dict
    uri = request.getfixturevalue("standalone").uri
    return lambda: {
        "store": {"provider": "mongo"},
        "mongo": {"uri": uri, "database": f"wire_{next(_databases)}"},
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, store: StoreSettings) -> Iterator[RunningServer]:
    """A shared server with the default times."""
    running = RunningServer(tmp_path_factory.mktemp("server"), store())
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def hasty_server(tmp_path_factory: pytest.TempPathFactory, store: StoreSettings) -> Iterator[RunningServer]:
    """A shared server on which all times are short."""
    running = RunningServer(tmp_path_factory.mktemp("hasty"), {**SHORT_TIMES, **store()})
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
async def launch_on(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launch]:
    """Starts servers of the test's own, with the given settings, which name the store, over the defaults."""
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


@pytest.fixture
def launch(launch_on: Launch, store: StoreSettings) -> Launch:
    """Starts servers of the test's own, with the given settings over the defaults, on an empty store."""
    return lambda settings: launch_on({**store(), **settings})
