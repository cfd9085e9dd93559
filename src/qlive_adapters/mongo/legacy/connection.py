"""The connection of a migration. It has other bounds than a store's: a step may take minutes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from qlive_adapters.mongo.connecting import client_of, database_of
from qlive_adapters.mongo.database import CannotOpen

LegacyDatabase = AsyncDatabase[Any]

_REACH_S = 5
_NOBODY_ANSWERED = "No servers found yet"
_STEP_S = 600


@asynccontextmanager
async def connected(uri: str, name: str) -> AsyncIterator[LegacyDatabase]:
    """Connect to a database for as long as it is needed.

    Raises CannotOpen, with one line for the operator, if ``uri`` or ``name`` is malformed or no server that
    takes writes answers within 5 seconds.
    """
    try:
        client = client_of(
            uri,
            appname="qlive migrate",
            serverSelectionTimeoutMS=_REACH_S * 1000,
            connectTimeoutMS=_REACH_S * 1000,
            socketTimeoutMS=_STEP_S * 1000,
        )
        database = database_of(
            client,
            name,
            # A date beyond Python's calendar must not keep anybody from taking over the rest.
            CodecOptions(tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO),
        )
    except (PyMongoError, ValueError) as error:
        raise CannotOpen(f"cannot use MongoDB: {error}") from error
    async with client:
        try:
            await database.command("ping")
        except PyMongoError as error:
            raise CannotOpen(f"cannot reach MongoDB: {_reason(client, error)}") from error
        yield database


def _reason(client: AsyncMongoClient[Any], error: PyMongoError) -> str:
    """Return what the driver says, without the timeouts and the description of the whole topology."""
    reason = str(error).partition(", Timeout:")[0].partition(" (configured timeouts:")[0]
    if reason != _NOBODY_ANSWERED:
        return reason
    hosts = ", ".join(f"{host}:{port}" for host, port in client.topology_description.server_descriptions())
    return f"{hosts}: no answer within {_REACH_S} seconds"
