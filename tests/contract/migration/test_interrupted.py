"""A migration may be interrupted, killed or started twice, and does not take long."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.database import Database
from pymongo.monitoring import CommandListener

from contract.stores.mongod import Mongod
from qlive_adapters.mongo.legacy import (
    LegacyDatabase,
    Notice,
    Progress,
    connected,
    migrate,
    needs_migration,
)
from qlive_core.errors import StoreUnavailable

from .legacy import (
    META,
    NAME,
    Told,
    by_text,
    copies,
    dump,
    fill_with_everything,
    fill_with_many,
    migrated,
    originals,
)

CHILD = Path(__file__).with_name("migrating_child.py")
COUNTED = {"aggregate", "find", "insert", "update", "delete"}


class Interruption(CommandListener):
    """Cancels the task that sends the n-th command; whether the server still gets it is left to chance."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def started(self, event: Any) -> None:
        if event.command_name in COUNTED:
            self.left -= 1
            task = asyncio.current_task()
            if self.left == 0 and task is not None:
                task.cancel()

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


async def interrupted_at(server: Mongod, nth: int) -> bool:
    """Migrate until the n-th command and tell whether there was one."""
    async with AsyncMongoClient[Any](
        server.uri, tz_aware=True, event_listeners=[Interruption(nth)]
    ) as client:
        task = asyncio.create_task(migrate(client[NAME], dry_run=False, tell=Told()))
        await asyncio.wait([task])
        return task.cancelled()


# The driver leaves a socket behind when it is cancelled while it connects.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_interrupted_anywhere(server: Mongod, left: Database[Any], database: LegacyDatabase) -> None:
    """Wherever a migration is interrupted, the next one does the rest, and all is as if nothing had happened."""
    fill_with_everything(left)
    before = by_text(dump(left))
    await migrated(database)
    after, kept = dump(left, without=META), copies(left)
    nth, reached = 1, True
    while reached:
        left.client.drop_database(NAME)
        fill_with_everything(left)
        reached = await interrupted_at(server, nth)
        assert originals(left) == before
        report = await migrated(database)
        assert report.nothing_to_do or report.run == 1
        assert (await migrated(database)).nothing_to_do
        assert dump(left, without=META) == after
        assert copies(left) == kept
        nth += 1
    assert nth > 25


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7])
async def test_killed(left: Database[Any], server: Mongod, database: LegacyDatabase, steps: int) -> None:
    """A migration that is killed outright after so many batches is finished by the next, with nothing lost."""
    fill_with_many(left, 20_000)
    before = by_text(dump(left))
    child = subprocess.Popen(  # noqa: ASYNC220 - it is read line by line, and nothing else runs
        [sys.executable, CHILD, server.uri, NAME], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        heard = (line for line in child.stdout if line.startswith("Progress"))
        assert len([line for line, _ in zip(heard, range(steps), strict=False)]) == steps
        child.kill()
    assert "a migration that was interrupted" in await needs_migration(database)
    report = await migrated(database)
    assert (report.run, report.resumed) == (1, True)
    assert (await migrated(database)).nothing_to_do
    assert originals(left) == before
    assert left.accounts.count_documents({"rev": 0}) == left.accounts.count_documents({}) == 18_000
    assert left.qlive_migration_backup.count_documents({"run": 1}) == 40_000


@pytest.mark.parametrize("steps", [1, 5])
async def test_database_killed(
    left: Database[Any], server: Mongod, database: LegacyDatabase, steps: int
) -> None:
    """If the database is killed meanwhile, that is told, and what was copied and changed is not lost."""
    fill_with_many(left, 20_000)
    before = by_text(dump(left))
    told = Told()

    def kill_after_steps(event: Progress | Notice) -> None:
        told(event)
        if len(told.steps) == steps:
            server.kill()

    with pytest.raises(StoreUnavailable):
        await migrate(database, dry_run=False, tell=kill_after_steps)
    await asyncio.to_thread(server.start)
    assert originals(left) == before
    report = await migrated(database)
    assert (report.run, report.resumed) == (1, True)
    assert left.qlive_migration_backup.count_documents({"run": 1}) == 40_000
    assert originals(left) == before


async def test_many_at_once(left: Database[Any], server: Mongod, database: LegacyDatabase) -> None:
    """Processes that start together migrate together, and the copies are the originals.

    One that looks just as another finishes may begin a run of its own, in which there is nothing to do.
    """
    fill_with_many(left, 12_000)
    before = by_text(dump(left))
    async with connected(server.uri, NAME) as other:
        reports = await asyncio.gather(migrated(database), migrated(other), migrated(other))
    assert 1 in {report.run for report in reports}
    assert originals(left) == before
    assert left.accounts.count_documents({"rev": 0}) == left.accounts.count_documents({}) == 10_800
    assert (await migrated(database)).nothing_to_do


def sent(left: Database[Any]) -> int:
    """Return how much has been asked of the server; single inserts and updates of a $merge count there too."""
    counters = left.client.admin.command("serverStatus")["opcounters"]
    return sum(int(counters[name]) for name in ("query", "getmore", "delete", "command"))


async def test_speed(left: Database[Any], database: LegacyDatabase) -> None:
    """20 000 accounts and as many active users take seconds, because nothing is asked row by row."""
    fill_with_many(left, 20_000)
    asked, started, told = sent(left), time.monotonic(), Told()
    await migrate(database, dry_run=False, tell=told)
    assert time.monotonic() - started < 15
    assert sent(left) - asked < 200
    assert [(step.step, step.done) for step in told.steps] == [
        (step, done) for step in ("accounts", "active users") for done in (5000, 10_000, 15_000, 20_000)
    ]
