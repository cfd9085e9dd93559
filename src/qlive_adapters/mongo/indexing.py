"""The indexes, made when they are missing: on a large collection that takes minutes, and has no time limit.

What takes long is told every few seconds. If the process ends meanwhile, the next start begins again.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from qlive_adapters.mongo.connecting import client_of, database_of
from qlive_adapters.mongo.documents import DOCUMENTS
from qlive_adapters.mongo.lease import Tell

_TELL_EVERY_S = 5.0


async def create_indexes(uri: str, name: str, *, reach_s: float, tell: Tell) -> None:
    """Create the indexes of all documents. Returns soon if there is nothing to do.

    ``reach_s`` bounds how long the server is looked for, not how long it works. Raises PyMongoError.
    """
    reach_ms = round(reach_s * 1000)
    # A client of its own: the store's has a time limit for whatever it does.
    client = client_of(
        uri,
        appname="qlive indexes",
        timeoutMS=None,
        socketTimeoutMS=None,
        serverSelectionTimeoutMS=reach_ms,
        connectTimeoutMS=reach_ms,
    )
    async with client:
        for document in DOCUMENTS:
            indexes = getattr(document.Settings, "indexes", ())
            collection = database_of(client, name)[document.Settings.name]
            if indexes:
                making = asyncio.ensure_future(collection.create_indexes(list(indexes)))
                try:
                    await _watched(making, client, collection.full_name, tell)
                finally:
                    making.cancel()


async def _watched(
    making: "asyncio.Future[Any]", client: "AsyncMongoClient[Any]", namespace: str, tell: Tell
) -> None:
    started = asyncio.get_running_loop().time()
    while not (await asyncio.wait([making], timeout=_TELL_EVERY_S))[0]:
        seconds = round(asyncio.get_running_loop().time() - started)
        tell(f"making the indexes of {namespace}: {seconds} s so far{await _progress(client, namespace)}")
    await making


async def _progress(client: "AsyncMongoClient[Any]", namespace: str) -> str:
    """Return how far the server says it is, "" if it does not say. Our own operations may be seen by us."""
    with suppress(PyMongoError, TimeoutError):
        async with asyncio.timeout(1):
            cursor = await client.admin.aggregate([{"$currentOp": {}}, {"$match": {"ns": namespace}}])
            for operation in await cursor.to_list():
                if "progress" in operation:
                    return _in_words(operation["progress"])
    return ""


def _in_words(progress: Mapping[str, int]) -> str:
    return f", {progress['done']} of {progress['total']} documents read"
