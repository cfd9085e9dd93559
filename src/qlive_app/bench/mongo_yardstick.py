"""The yardstick of MongoDB: guarded, durable updates through the bare driver, in a process pinned as qlive is.

``python -m qlive_app.bench.mongo_yardstick PORT FILE`` answers ``GET /m?seconds=S`` with what it has done in that
time. FILE holds the ``uri`` and the ``database`` as JSON: a connection string may have a password, which does
not belong into a list of processes.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
from litestar import Litestar, get
from litestar.datastructures import State
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from qlive_app.bench.slices import Slice
from qlive_app.bench.yardstick import serve

READY_PATH = "/h"
RUN_PATH = "/m"
IN_FLIGHT = 16
UPDATE = "update"

Collection = AsyncCollection[dict[str, Any]]


@get(READY_PATH)
async def ready() -> dict[str, str]:
    return {"hello": "world"}


@get(RUN_PATH)
async def run(state: State, seconds: float) -> dict[str, Any]:
    """Keep so many updates in flight, each lane on a document of its own."""
    collection: Collection = state.collection
    latencies: list[float] = []
    measured = Slice(IN_FLIGHT, seconds)
    lanes = [
        asyncio.ensure_future(_lane(collection, number, measured, latencies)) for number in range(IN_FLIGHT)
    ]
    try:
        return attrs.asdict(await measured.finish({UPDATE: latencies}))
    finally:
        for lane in lanes:
            lane.cancel()


async def _lane(collection: Collection, number: int, measured: Slice, latencies: list[float]) -> None:
    try:
        found = await collection.find_one({"_id": number})
        rev = found["rev"] if found else 0
        more = True
        while more:
            sent = perf_counter()
            was = await collection.find_one_and_update({"_id": number, "rev": rev}, {"$inc": {"rev": 1}})
            if was is None:
                measured.fail("an update found another revision")
                return
            rev += 1
            now = perf_counter()
            latencies.append(now - sent)
            more = measured.wants_more(now)
    except PyMongoError as exc:
        measured.fail(f"MongoDB: {exc}")


def application(uri: str, database: str) -> Litestar:
    """The server of the yardstick, with its documents in that database."""

    @asynccontextmanager
    async def connected(app: Litestar) -> AsyncIterator[None]:
        async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as client:
            durable = WriteConcern("majority", j=True)
            collection = client.get_database(database, write_concern=durable).get_collection("yardstick")
            await collection.insert_many([{"_id": number, "rev": 0} for number in range(IN_FLIGHT)])
            app.state.collection = collection
            yield

    return Litestar([ready, run], lifespan=[connected], openapi_config=None)


if __name__ == "__main__":
    access = json.loads(Path(sys.argv[2]).read_text())
    serve(application(access["uri"], access["database"]), int(sys.argv[1]))
