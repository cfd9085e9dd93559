"""Servers of others that contract tests talk to: MongoDB, which they share, and mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.smtp.mail_server import MailServer
from contract.stores.mongod import Mongod, running


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server of its own."""
    with running(tmp_path_factory.mktemp("standalone")) as server:
        yield server


@pytest.fixture(scope="session")
def replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A replica set with a single member."""
    with running(tmp_path_factory.mktemp("replica_set"), replica_set="rs0") as server:
        yield server


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    """A mail server that is still to be started."""
    server = MailServer(tmp_path / "mail")
    yield server
    server.kill()
