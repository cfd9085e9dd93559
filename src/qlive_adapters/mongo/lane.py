"""Writes that arrive together are sent together, and each learns its own outcome.

While one batch is on its way, further writes to the same collection wait; the next batch takes them all. The
server answers an unordered batch with an error and its index for every write that failed. What is put into a lane
must therefore *fail* when it does not take place; see ``facts.py``.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

from attrs import frozen
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from qlive_adapters.mongo.gate import Gate, unavailable, until
from qlive_core.errors import StoreUnavailable

BATCH_MAX = 256
PENDING_MAX = 10_000

Collection = AsyncCollection[Any]
WriteError = Mapping[str, Any]
"""What the server says of a write that failed."""


@frozen(eq=False)
class _Job:
    operation: UpdateOne
    done: "asyncio.Future[WriteError | None]"
    deadline: float


class Lane:
    """The way of writes to one collection."""

    def __init__(self, gate: Gate, collection: Collection) -> None:
        self._gate = gate
        self._collection = collection
        self._waiting: deque[_Job] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def write(self, operation: UpdateOne) -> WriteError | None:
        """Send the operation and return why it failed, or None once it is durable.

        Raises StoreUnavailable: when the time is over, or at once if too many are waiting already. What has
        not been sent by then never will be.
        """
        if len(self._waiting) >= PENDING_MAX:
            raise StoreUnavailable("too many writes are waiting")
        async with self._gate.bounded():
            done: asyncio.Future[WriteError | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Job(operation, done, self._gate.deadline()))
            if self._sender is None:
                # A task begins after those that are ready now, so they all get into its first batch.
                self._sender = asyncio.ensure_future(self._send_all())
            return await done

    async def drain(self) -> None:
        """Wait until nothing is on its way."""
        if self._sender is not None:
            await asyncio.wait([self._sender])

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                await self._send_batch()
        finally:
            self._sender = None

    async def _send_batch(self) -> None:
        batch: list[_Job] = []
        try:
            async with self._gate.turn():
                # Only now, so that nothing is sent that was given up while this lane waited for its turn.
                batch = self._take()
                if batch:
                    await self._gate.entitle()
                    await self._commit(batch)
        except StoreUnavailable as failure:
            _fail(batch, failure)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left waiting
            _fail(batch, unavailable(error))

    async def _commit(self, batch: list[_Job]) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        errors = await self._errors_of(batch)
        for index, job in enumerate(batch):
            if not job.done.done():
                job.done.set_result(errors.get(index))
        self._gate.committed(len(batch), loop.time() - started)

    def _take(self) -> list[_Job]:
        batch = list(islice(self._waiting, BATCH_MAX))
        for _ in batch:
            self._waiting.popleft()
        return [job for job in batch if not job.done.done()]

    async def _errors_of(self, batch: list[_Job]) -> dict[int, WriteError]:
        """Send the batch and return what failed, by index."""
        try:
            # Until the last one gives up: a busy server is not made busier by what is broken off and repeated.
            with until(batch[-1].deadline):
                await self._collection.bulk_write([job.operation for job in batch], ordered=False)
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:
                raise  # done, but not yet safe
            return {refused["index"]: refused for refused in error.details["writeErrors"]}
        return {}


def _fail(batch: list[_Job], failure: StoreUnavailable) -> None:
    for job in batch:
        if not job.done.done():
            own = StoreUnavailable(*failure.args)
            own.__cause__ = failure.__cause__
            job.done.set_exception(own)
