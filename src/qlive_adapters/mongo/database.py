"""One open database: the client, its indexes, and a refusal that says why it cannot be used."""

from typing import Any

import pymongo
from beanie import Document, init_beanie
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.write_concern import WriteConcern

from qlive_adapters.mongo.documents import DOCUMENTS
from qlive_adapters.mongo.gate import CommitObserver, Gate, translated
from qlive_adapters.mongo.lane import Collection, Lane
from qlive_core.errors import StoreUnavailable

DURABLE = WriteConcern("majority", j=True)
"""A write counts when most members have it in their journals: neither a crash nor a step-down undoes it."""

# Of the time that a call may take. Thus the loss is known before the calls that it met have given up, and what
# they would try next is not tried.
_PING_SHARE = 2 / 3


def _reason(error: DuplicateKeyError) -> str:
    details = error.details or {}
    return str(details.get("errmsg", error)).rpartition(" :: ")[2]


class CannotOpen(StoreUnavailable):
    """The database cannot serve as the store. The text says why; it is meant for the operator."""

    code = "store.cannot_open"


class Database:
    """A database and the ways to it."""

    def __init__(
        self,
        uri: str,
        name: str,
        *,
        timeout_s: float,
        pool_size: int,
        in_flight: int,
        on_commit: CommitObserver | None,
    ) -> None:
        """Connects to nothing yet. Raises CannotOpen if ``uri`` or ``name`` is malformed."""
        self.gate = Gate(timeout_s=timeout_s, in_flight=in_flight, on_commit=on_commit)
        self._lanes: list[Lane] = []
        self._timeout_s = timeout_s
        try:
            self._client: AsyncMongoClient[Any] = AsyncMongoClient(
                uri,
                appname="qlive",
                tz_aware=True,
                maxPoolSize=pool_size,
                # For a call as a whole: finding a server, connecting, and trying again where that is safe.
                timeoutMS=round(timeout_s * 1000),
                connectTimeoutMS=round(timeout_s * 1000),
            )
            self._database = self._client.get_database(name, write_concern=DURABLE)
        except (PyMongoError, ValueError) as error:
            raise CannotOpen(f"cannot use MongoDB: {error}") from error
        self._name = name

    def collection(self, document: type[Document]) -> Collection:
        """Return the collection of a document class.

        Beanie binds a class to the database that was opened last; a store must stay with its own.
        """
        name: str = document.Settings.name
        return self._database.get_collection(name, codec_options=CodecOptions(tz_aware=True))

    def lane(self, collection: Collection) -> Lane:
        """Return a new lane to a collection, which closing waits for."""
        lane = Lane(self.gate, collection)
        self._lanes.append(lane)
        return lane

    async def open(self) -> None:
        """Connect and create the indexes that are missing. Raises CannotOpen."""
        try:
            await init_beanie(self._database, document_models=list(DOCUMENTS))
        except DuplicateKeyError as error:
            raise CannotOpen(
                f"database {self._name} holds values twice that must be unique ({_reason(error)});"
                " run: qlive migrate -f qlive.conf"
            ) from error
        except PyMongoError as error:
            raise CannotOpen(f"cannot open database {self._name}: {error}") from error
        self.gate.reopen()

    async def ping(self) -> None:
        """Ask whether the server can write. Raises StoreUnavailable, and from then on so does everything else.

        A server that does not answer makes every caller wait for as long as a call may take; so a ping that
        fails ends their wait, and nobody is let through until one succeeds.
        """
        try:
            with translated(), pymongo.timeout(_PING_SHARE * self._timeout_s):
                hello = await self._client.admin.command("hello")
        except StoreUnavailable:
            self.gate.shut()
            raise
        if not hello.get("isWritablePrimary", False):
            self.gate.shut()
            raise StoreUnavailable("the server cannot write now")
        self.gate.reopen()

    async def close(self) -> None:
        """Let nobody in any more, finish what is on its way and disconnect."""
        await self.gate.close()
        for lane in self._lanes:
            await lane.drain()
        await self._client.close()
