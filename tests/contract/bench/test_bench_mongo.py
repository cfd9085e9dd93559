"""The bench's own MongoDB, and its yardstick there."""

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pymongo import AsyncMongoClient

from qlive_app.bench.children import running
from qlive_app.bench.command import bench
from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.mongo_load import updates
from qlive_app.bench.mongo_yardstick import READY_PATH, UPDATE
from qlive_app.bench.mongod import Mongo, MongoChoice, mongo, throw_away_database
from qlive_app.bench.stores import fresh_store, mongo_sections
from qlive_app.children import free_ports


async def databases(server: Mongo) -> list[str]:
    async with AsyncMongoClient[Any](server.uri) as client:
        return await client.list_database_names()


async def test_every_update_that_is_counted_is_in_the_database(tmp_path: Path) -> None:
    """The revisions of the yardstick's documents sum up to its operations, slice after slice."""
    (port,) = free_ports(1)
    file = tmp_path / "access.json"
    async with mongo(MongoChoice(), tmp_path / "mongod", None) as server:
        file.write_text(f'{{"uri": "{server.uri}", "database": "here"}}')
        log = tmp_path / "log"
        arguments = [str(port), str(file)]
        module = "qlive_app.bench.mongo_yardstick"
        async with running(module, arguments, core=None, log=log, port=port, ready_path=READY_PATH):
            done = [await updates("127.0.0.1", port, 0.1) for _ in range(2)]
        async with AsyncMongoClient[Any](server.uri) as client:
            revisions = [each["rev"] async for each in client["here"]["yardstick"].find()]
    assert all(work.operations == len(work.latencies_s[UPDATE]) > 0 for work in done)
    assert sum(revisions) == sum(work.operations for work in done)


async def test_nothing_stays_in_a_server_that_is_somebody_elses(tmp_path: Path) -> None:
    """A throw-away database is new, and gone after the run, also after one that failed."""
    async with mongo(MongoChoice(), tmp_path / "mongod", None) as own:
        before = await databases(own)
        async with mongo(MongoChoice(uri=own.uri), tmp_path / "unused", None) as server:
            assert server.child is None
            with pytest.raises(MeasurementError, match="on purpose"):  # noqa: PT012 -- the block is the subject
                async with throw_away_database(server) as name, AsyncMongoClient[Any](server.uri) as client:
                    assert name not in before
                    await client[name]["facts"].insert_one({"_id": 1})
                    assert name in await databases(server)
                    raise MeasurementError("on purpose")
        assert await databases(own) == before


async def test_the_environment_does_not_lead_qlive_to_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an operator has exported for the real server is not handed on to the one under load."""
    monkeypatch.setenv("QLIVE_MONGO_URI", "mongodb://production/")
    async with (
        mongo(MongoChoice(), tmp_path / "mongod", None) as server,
        fresh_store("mongo", tmp_path, server) as store,
    ):
        database = store.sections["mongo"]
        assert isinstance(database, dict)
        assert store.sections == mongo_sections(server.uri, database["database"])
        assert store.server == server.child
    assert "QLIVE_MONGO_URI" not in os.environ


async def test_a_mongod_that_ends_at_once_is_told_of_with_its_last_words(tmp_path: Path) -> None:
    """Nobody waits for a server that is gone."""
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such luck\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(MeasurementError, match="no such luck"):
        async with mongo(MongoChoice(binary=broken), tmp_path / "mongod", None):
            pass


def test_without_any_mongod_the_ways_to_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the two options and the package."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.path", [])
    result = CliRunner().invoke(bench, ["--store", "mongo", "--only", "yardsticks"])
    assert result.exit_code == 1
    for way in ("--mongod", "--mongo-uri", ".[dev]"):
        assert way in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mongo-uri", "mongodb://127.0.0.1/"], "--store mongo or both"),
        (["--store", "both", "--mongo-uri", "mongodb://127.0.0.1/", "--mongod", "/bin/sh"], "one of them"),
    ],
)
def test_options_that_contradict_each_other_are_refused(arguments: list[str], words: str) -> None:
    """Before anything is started."""
    result = CliRunner().invoke(bench, arguments)
    assert result.exit_code == 2
    assert words in result.output
