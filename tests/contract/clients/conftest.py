"""The servers of the wire tests, and the apps that call them."""

import pytest

from contract.wire.conftest import (
    hasty,
    hasty_server,
    launch,
    launch_on,
    pytest_generate_tests,
    server,
    stage,
    store,
)
from contract.wire.server import RunningServer

from .apps import AndroidApp, App, IosApp

__all__ = [
    "hasty",
    "hasty_server",
    "launch",
    "launch_on",
    "pytest_generate_tests",
    "server",
    "stage",
    "store",
]


@pytest.fixture(params=[AndroidApp, IosApp], ids=["android", "ios"])
def app(request: pytest.FixtureRequest, server: RunningServer) -> App:
    """An app of each platform on a phone of its own, just installed."""
    made: App = request.param(server)
    return made


@pytest.fixture
def android(server: RunningServer) -> AndroidApp:
    return AndroidApp(server)


@pytest.fixture
def ios(server: RunningServer) -> IosApp:
    return IosApp(server)
