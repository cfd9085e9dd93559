"""One open database: the client, its indexes, and a refusal that says why it cannot be used."""

import asyncio
from datetime import datetime
from typing import Any

import pymongo
from beanie import Document, init_beanie
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from qlive_adapters.claims import WAIT_S, InUse
from qlive_adapters.mongo.connecting import client_of, database_of
from qlive_adapters.mongo.documents import DOCUMENTS
from qlive_adapters.mongo.gate import CommitObserver, Gate, translated
from qlive_adapters.mongo.indexing import create_indexes
from qlive_adapters.mongo.lane import Collection, Lane
from qlive_adapters.mongo.lease import LEASES, Lease, Tell
from qlive_core.errors import StoreUnavailable

# Of the time that a call may take. Thus the loss is known before the calls that it met have given up, and what
# they would try next is not tried.
_PING_SHARE = 2 / 3


def _reason(error: DuplicateKeyError) -> str:
    details = error.details or {}
    return str(details.get("errmsg", error)).rpartition(" :: ")[2]


def lease_of(database: "AsyncDatabase[Any]", timeout_s: float, tell: Tell) -> Lease:
    """Return the lease of a database whose calls are answered within ``timeout_s`` seconds."""
    lasts_s = max(WAIT_S, 2 * timeout_s)
    return Lease(database, lasts_s=lasts_s, call_s=_PING_SHARE * timeout_s, tell=tell)


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
        exclusive: bool,
        tell: Tell,
    ) -> None:
        """Connects to nothing yet. Raises CannotOpen if ``uri`` or ``name`` is malformed."""
        self._lanes: list[Lane] = []
        self._timeout_s = timeout_s
        self._uri = uri
        self._tell = tell
        try:
            self._client = client_of(
                uri,
                appname="qlive",
                maxPoolSize=pool_size,
                # For a call as a whole: finding a server, connecting, and trying again where that is safe.
                timeoutMS=round(timeout_s * 1000),
                connectTimeoutMS=round(timeout_s * 1000),
            )
            self._database = database_of(self._client, name)
        except (PyMongoError, ValueError) as error:
            raise CannotOpen(f"cannot use MongoDB: {error}") from error
        self._name = name
        self.lease = lease_of(self._database, timeout_s, tell) if exclusive else None
        self.gate = Gate(
            timeout_s=timeout_s,
            in_flight=in_flight,
            on_commit=on_commit,
            entitled=self.lease.ensure if self.lease else None,
        )

    def collection(self, document: type[Document]) -> Collection:
        """Return the collection of a document class.

        Beanie binds a class to the database that was opened last; a store must stay with its own.
        """
        name: str = document.Settings.name
        return self._database.get_collection(name)

    def lane(self, collection: Collection) -> Lane:
        """Return a new lane to a collection, which closing waits for."""
        lane = Lane(self.gate, collection)
        self._lanes.append(lane)
        return lane

    @property
    def until(self) -> datetime | None:
        """Until when writes count on the lease, by the server's clock; None without one."""
        return self.lease.until if self.lease else None

    async def renew(self) -> None:
        """Renew the lease, if there is one. Raises Taken, and StoreUnavailable."""
        if self.lease:
            await self.lease.renew()

    async def claim(self) -> None:
        """Make this process the only one that uses the database. Raises InUse and CannotOpen."""
        if self.lease is None or self.lease.is_held:
            return
        try:
            await self.lease.acquire()
        except InUse:
            raise
        except StoreUnavailable as error:
            raise CannotOpen(f"cannot open database {self._name}: {error}") from error

    async def taken(self) -> None:
        """Return once another process has taken the database over; without a lease, never."""
        await (self.lease.lost() if self.lease else asyncio.Event().wait())

    async def open(self) -> None:
        """Claim the database if need be, and create the indexes that are missing. Raises InUse and CannotOpen."""
        await self.claim()
        try:
            await init_beanie(self._database, document_models=list(DOCUMENTS), skip_indexes=True)
            await create_indexes(self._uri, self._name, reach_s=self._timeout_s, tell=self._tell)
        except DuplicateKeyError as error:
            raise CannotOpen(
                f"database {self._name} holds values twice that must be unique ({_reason(error)});"
                " run: qlive migrate -f qlive.conf"
            ) from error
        except PyMongoError as error:
            raise CannotOpen(f"cannot open database {self._name}: {error}") from error
        self.gate.reopen()

    async def ping(self) -> None:
        """Ask whether the database can be written, by a write that most members have to confirm.

        Raises StoreUnavailable, and from then on so does everything else: a server that does not answer makes
        every caller wait for as long as a call may take; so a ping that fails ends their wait, and nobody is let
        through until one succeeds. Raises Taken if another process has the database now.
        """
        try:
            if self.lease:
                await self.lease.renew()
            else:
                await self._probe()
        except StoreUnavailable:
            self.gate.shut()
            raise
        self.gate.reopen()

    async def _probe(self) -> None:
        with translated(), pymongo.timeout(_PING_SHARE * self._timeout_s):
            await self._database[LEASES].update_one(
                {"_id": "probe"}, [{"$set": {"at": "$$NOW"}}], upsert=True
            )

    async def close(self) -> None:
        """Let nobody in any more, finish what is on its way, let go of the database and disconnect."""
        await self.gate.close()
        for lane in self._lanes:
            await lane.drain()
        if self.lease:
            await self.lease.release()
        await self._client.close()
