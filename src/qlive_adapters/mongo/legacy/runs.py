"""The record of migrations: one document per run, which is finished or goes on the next time."""

from datetime import UTC, datetime
from typing import Any

from attrs import frozen
from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from qlive_adapters.mongo.legacy.backup import BACKUP
from qlive_adapters.mongo.legacy.connection import LegacyDatabase

RUNS = "qlive_migration"
_VERSION = 1


@frozen
class Run:
    """A run that is not finished. Processes that migrate at the same time share one."""

    number: int
    resumed: bool


async def unfinished_run(database: LegacyDatabase) -> Run | None:
    """Return the run that was interrupted, if there is one."""
    last = await _last(database)
    return Run(last["_id"], resumed=True) if last and last["finished"] is None else None


async def begin_run(database: LegacyDatabase) -> Run:
    """Go on with the run that was interrupted, or begin another."""
    while True:
        if run := await unfinished_run(database):
            return run
        last = await _last(database)
        number = last["_id"] + 1 if last else 1
        record = {"_id": number, "version": _VERSION, "started": _now(), "finished": None}
        try:
            await database[RUNS].insert_one(record)
        except DuplicateKeyError:
            continue  # another process was quicker: its run is ours as well
        return Run(number, resumed=False)


async def finish_run(database: LegacyDatabase, run: Run) -> None:
    """Note when the run ended and what it copied in all, however often it was interrupted."""
    kinds = {"collection": "$collection", "why": "$why"}
    cursor = await database[BACKUP].aggregate(
        [
            {"$match": {"run": run.number}},
            {"$group": {"_id": kinds, "count": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ]
    )
    counts = [{**row["_id"], "count": row["count"]} for row in await cursor.to_list()]
    await database[RUNS].update_one({"_id": run.number}, {"$set": {"finished": _now(), "counts": counts}})


async def _last(database: LegacyDatabase) -> Any:
    return await database[RUNS].find_one(sort=[("_id", DESCENDING)])


def _now() -> datetime:
    return datetime.now(UTC)
