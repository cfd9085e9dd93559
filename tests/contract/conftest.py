"""The MongoDB servers that contract tests share."""

from collections.abc import Iterator

import pytest

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
