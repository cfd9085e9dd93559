"""Large collections are looked at a page at a time: no call takes longer because there is more."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from qlive_adapters.mongo.gate import Gate
from qlive_adapters.mongo.lane import Collection

PAGE = 1000
"""How many documents one call reads. Decoding them takes the event loop a few milliseconds."""

ROUND = 10 * PAGE
"""How many documents a round of a walk looks at."""

Row = Mapping[str, Any]


async def page_after(
    gate: Gate, collection: Collection, last: Any, fields: Sequence[str] | None = None
) -> list[Row]:
    """Return the documents behind the key ``last``, or the first ones; only these fields of them.

    There is no condition, so the server looks at no more documents than it returns.
    """
    condition = {} if last is None else {"_id": {"$gt": last}}
    return await gate.call(
        lambda: collection.find(condition, fields, sort=[("_id", 1)], limit=PAGE).to_list()
    )


async def pages(gate: Gate, collection: Collection) -> AsyncIterator[list[Row]]:
    """Yield all documents, in pages, by their keys. What changes meanwhile may be there or not."""
    last = None
    while page := await page_after(gate, collection, last):
        yield page
        if len(page) < PAGE:
            return  # what was added since is newer than this look
        last = page[-1]["_id"]


class Walk:
    """Goes round a collection, ``ROUND`` documents at a time; a smaller one is looked at as a whole each time."""

    def __init__(self, gate: Gate, collection: Collection, fields: Sequence[str]) -> None:
        """``fields`` are read of each document, beside its key and whether it is a tombstone."""
        self._gate = gate
        self._collection = collection
        self._fields = [*fields, "removed"]
        self._last: Any = None

    async def round(self) -> AsyncIterator[list[Row]]:
        """Yield the next documents that are no tombstones, in pages."""
        for _ in range(ROUND // PAGE):
            page = await page_after(self._gate, self._collection, self._last, self._fields)
            if page:
                yield [row for row in page if "removed" not in row]
            self._last = page[-1]["_id"] if len(page) == PAGE else None
            if self._last is None:
                return


async def known(
    gate: Gate, collection: Collection, condition: Row, field: str = "_id", *, limit: int = 0
) -> set[Any]:
    """Return the values of a field in the documents that meet the condition, from ``limit`` of them at most."""
    live = {**condition, "removed": None}
    rows = await gate.call(lambda: collection.find(live, [field], limit=limit).to_list())
    return {row[field] for row in rows}
