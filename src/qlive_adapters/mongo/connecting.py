"""How MongoDB is spoken to, whatever the connection string says.

The string is the operator's: it says where the servers are, who we are and how the connection is protected. How
fresh reads and how safe writes have to be is not for it to say: a session that is read from a secondary may be
one that was replaced a moment ago.
"""

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

DURABLE = WriteConcern("majority", j=True)
"""A write counts when most members have it in their journals: neither a crash nor a step-down undoes it."""

LATEST = ReadConcern("local")
"""What the primary holds now. "majority" would be a moment behind its own writes."""

UTC_DATES: "CodecOptions[Any]" = CodecOptions(tz_aware=True)


def client_of(uri: str, **options: Any) -> "AsyncMongoClient[Any]":
    """Return a client that tries again where that is safe. Connects to nothing yet.

    Raises PyMongoError or ValueError if ``uri`` is malformed.
    """
    return AsyncMongoClient(uri, retryReads=True, retryWrites=True, tz_aware=True, **options)


def database_of(
    client: "AsyncMongoClient[Any]", name: str, codec: "CodecOptions[Any]" = UTC_DATES
) -> "AsyncDatabase[Any]":
    """Return the database: reads from the primary, writes that last. Raises PyMongoError if ``name`` is malformed."""
    return client.get_database(
        name,
        codec_options=codec,
        read_preference=ReadPreference.PRIMARY,
        read_concern=LATEST,
        write_concern=DURABLE,
    )
