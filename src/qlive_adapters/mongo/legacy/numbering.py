"""Feedback keeps its numbers; the counter must name a number beyond them."""

from typing import Any

from attrs import frozen

from qlive_adapters.mongo.documents import CounterDocument, FeedbackDocument
from qlive_adapters.mongo.legacy.backup import Hand
from qlive_adapters.mongo.legacy.connection import LegacyDatabase
from qlive_adapters.mongo.legacy.report import Tally

_COUNTER = CounterDocument.Settings.name
_FEEDBACKS = FeedbackDocument.Settings.name
_KEY = {"_id": "feedback"}


@frozen
class _Numbering:
    """What the counter says, if it is a number, and what it should say at least."""

    counter: int | None
    least: int

    @property
    def wrong(self) -> bool:
        return self.counter is None or self.counter < self.least


async def numbering_reasons(database: LegacyDatabase) -> tuple[str, ...]:
    """Return whether the counter must be set."""
    numbering = await _numbering(database)
    return ("a feedback counter that is behind the feedback",) if numbering and numbering.wrong else ()


async def repair_numbering(database: LegacyDatabase, hand: Hand) -> tuple[Tally, ...]:
    """Set the counter if it is behind."""
    kept = Tally("feedback", await database[_FEEDBACKS].count_documents({}), "kept, with its numbers")
    numbering = await _numbering(database)
    if numbering is None or not numbering.wrong:
        return (kept,)
    await hand.change(_COUNTER, _KEY, "counter behind", [{"$set": {"seq": numbering.least}}], upsert=True)
    return (kept, Tally("feedback counter", 1, f"set to {numbering.least}"))


async def _numbering(database: LegacyDatabase) -> _Numbering | None:
    """Return how things are, or None if there is neither feedback nor a counter."""
    highest = {"$group": {"_id": None, "highest": {"$max": {"$toLong": "$_id"}}}}
    # Other ids than the original's may be there; 15 digits are no number that anybody counted to.
    cursor = await database[_FEEDBACKS].aggregate([{"$match": {"_id": {"$regex": "^[0-9]{1,15}$"}}}, highest])
    rows = await cursor.to_list()
    row: Any = await database[_COUNTER].find_one(_KEY)
    if not rows and row is None:
        return None
    return _Numbering(_whole(row.get("seq")) if row else None, rows[0]["highest"] + 1 if rows else 1)


def _whole(number: object) -> int | None:
    if isinstance(number, int | float) and not isinstance(number, bool) and number == number // 1:
        return int(number)
    return None
