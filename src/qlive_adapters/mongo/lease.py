"""The lease: at most one process uses a database, and one that lost it can write nothing any more.

It is a document of the database itself, so it does not matter by what name, address or member a process comes::

    {_id: "server", token, beat, until, lasts_s, host, boot, pid_space, pid, started}

* Its holder renews it every second: ``beat`` is counted up, and ``until`` set so far ahead by the clock of the
  server. Renewing is a write like every other one, so it also tells whether the database can be written now.
* A starter takes what has no holder or a dead one (see ``owner.py``) at once. Otherwise it watches: a beat that
  stays the same for ``lasts_s`` seconds, by the starter's own monotonic clock, belongs to nobody any more. A beat that
  goes on for that long belongs to a process that means to stay, and the starter gives up.
* A holder that was frozen finds out in two ways. Before it sends anything it looks at its own clock, which went on
  meanwhile, and renews first if the lease has run out. What it had sent just before it froze is refused by the
  server, because each write of a fact names the ``until`` that it counts on (see ``facts.py``).

Nobody compares clocks of two machines, and a clock that steps takes a lease from nobody: a forward step only makes
the holder renew. The document is under a key, so that there can be one per node when there are several.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pymongo
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from qlive_adapters.claims import InUse, Taken
from qlive_adapters.mongo.gate import translated, unavailable
from qlive_adapters.mongo.owner import is_dead, this_process
from qlive_adapters.mongo.times import EPOCH
from qlive_core.errors import StoreUnavailable

LEASES = "qlive_leases"
SERVER = "server"

RENEW_EVERY_S = 1.0
_LOOK_EVERY_S = 0.2
_FAREWELL_S = 2.0

Tell = Callable[[str], None]
"""Hears what an operator should know."""


def awake_s() -> float:
    """Return the time since the machine started, including what it or this process slept."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def _holder(row: Mapping[str, Any]) -> str:
    return f"process {row.get('pid')} on {row.get('host')}"


class Lease:
    """The lease of one database, held or not."""

    def __init__(
        self,
        database: "AsyncDatabase[Any]",
        *,
        lasts_s: float,
        call_s: float,
        tell: Tell = lambda _: None,
        key: str = SERVER,
    ) -> None:
        """``lasts_s`` is how long it lasts without being renewed, ``call_s`` how long the server has to answer."""
        self._leases = database[LEASES]
        self._name = database.name
        self._lasts_s = lasts_s
        self._call_s = call_s
        self._tell = tell
        self._key = key
        self._token = uuid4().hex
        self._renewal: asyncio.Task[None] | None = None
        self._good_until_s = 0.0
        self._tried_at_s = 0.0
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self.until = EPOCH
        """When it runs out unless it is renewed, by the server's clock."""

    async def acquire(self) -> None:
        """Get the lease, and renew it from now on.

        Waits for a holder to let go of it. Raises InUse if that holder goes on using the database, and
        StoreUnavailable if the server does not answer.
        """
        started = changed = awake_s()
        seen: Mapping[str, Any] | None = None
        while True:
            now_seen = await self._look()
            if now_seen is not None and (seen is None or not _same(seen, now_seen)):
                changed = awake_s()
                if seen is None and not is_dead(now_seen):
                    self._tell(
                        f"database {self._name} is in use by {_holder(now_seen)}; waiting for it to end"
                    )
                elif awake_s() - started >= self._lasts_s:
                    raise InUse(f"database {self._name} is in use by {_holder(now_seen)}")
            seen = now_seen
            free = seen is None or is_dead(seen) or awake_s() - changed >= float(seen["lasts_s"])
            if free and await self._take(seen):
                self._keeper = asyncio.ensure_future(self._keep())
                return
            await asyncio.sleep(0 if free else _LOOK_EVERY_S)

    async def _look(self) -> Mapping[str, Any] | None:
        with translated(), pymongo.timeout(self._call_s):
            row: Mapping[str, Any] | None = await self._leases.find_one({"_id": self._key})
            return row

    async def _take(self, seen: Mapping[str, Any] | None) -> bool:
        """Take it as it was seen, or return False if it has changed since."""
        content = {"token": self._token, "beat": 0, "lasts_s": self._lasts_s, **this_process()}
        fields = {name: {"$literal": value} for name, value in content.items()}
        held = {"_id": self._key} if seen is None else _identity(seen)
        if seen is None:
            held = {**held, "token": None}
        # An earlier try may have succeeded without our hearing of it.
        mine = seen is not None and seen["token"] == self._token
        with suppress(DuplicateKeyError):
            return mine or await self._write(held, {**fields, "until": self._ahead()}, upsert=seen is None)
        return False

    def _ahead(self) -> Mapping[str, Any]:
        return {"$add": ["$$NOW", round(self._lasts_s * 1000)]}

    async def _write(
        self, held: Mapping[str, Any], fields: Mapping[str, Any], *, upsert: bool = False
    ) -> bool:
        sent_s = self._tried_at_s = awake_s()
        try:
            with pymongo.timeout(self._call_s):
                row = await self._leases.find_one_and_update(
                    held,
                    [{"$set": fields}],
                    {"until": 1},
                    upsert=upsert,
                    return_document=ReturnDocument.AFTER,
                )
        except DuplicateKeyError:
            raise
        except PyMongoError as error:
            raise unavailable(error) from error
        if row is None:
            return False
        self.until = row["until"]
        self._good_until_s = sent_s + self._lasts_s
        return True

    @property
    def is_held(self) -> bool:
        """Tell whether it has been acquired and not been released since."""
        return self._keeper is not None

    async def renew(self) -> None:
        """Renew it now. Raises Taken if another process has it, and StoreUnavailable if the server cannot write.

        Who asks while it is being renewed shares the outcome: nobody waits for two calls.
        """
        self._check()
        if self._renewal is None:
            self._renewal = asyncio.ensure_future(self._renew())
            self._renewal.add_done_callback(self._renewed)
        await asyncio.shield(self._renewal)

    async def _renew(self) -> None:
        mine = {"_id": self._key, "token": self._token}
        beat = {"beat": {"$add": ["$beat", 1]}, "until": self._ahead()}
        if not await self._write(mine, beat):
            self._lost.set()
            self._check()

    def _renewed(self, renewal: "asyncio.Task[None]") -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # nobody may be left to hear of it

    async def ensure(self) -> None:
        """Return if it is held now; renew it first if it has run out. Raises as ``renew`` does."""
        self._check()
        if awake_s() >= self._good_until_s:
            await self.renew()

    def _check(self) -> None:
        if self._lost.is_set():
            raise Taken(f"database {self._name} has been taken over by another process")

    async def lost(self) -> None:
        """Return once another process has taken it."""
        await self._lost.wait()

    async def _keep(self) -> None:
        while not self._lost.is_set():
            await asyncio.sleep(RENEW_EVERY_S)
            if awake_s() - self._tried_at_s >= RENEW_EVERY_S:
                with suppress(StoreUnavailable):
                    await self.renew()

    async def release(self) -> None:
        """Let go of it, so that another process need not wait. Never raises."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        self._keeper = None
        self._good_until_s = 0.0
        if self._renewal is not None:
            await asyncio.wait([self._renewal])
        with suppress(PyMongoError), pymongo.timeout(_FAREWELL_S):
            await self._leases.delete_one({"_id": self._key, "token": self._token})


def _identity(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("_id", "token", "beat")}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _identity(one) == _identity(other)
