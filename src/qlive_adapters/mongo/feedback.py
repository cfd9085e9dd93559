"""Feedback in MongoDB, in the original's collection, and numbered on from its counter."""

from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.documents import CounterDocument, FeedbackDocument
from qlive_adapters.mongo.gate import translated
from qlive_adapters.mongo.times import date_of, seconds_of
from qlive_core.model.feedback import Feedback

_COUNT_ONE = [{"$set": {"seq": {"$add": [{"$ifNull": ["$seq", 1]}, 1]}}}]
"""The counter holds the next number, and a missing one stands for 1."""


def _row(number: int, feedback: Feedback) -> dict[str, Any]:
    row: dict[str, Any] = FeedbackDocument(
        id=str(number),
        sender=feedback.sender,
        content=feedback.content,
        attachment=feedback.attachment,
        send_time=date_of(feedback.sent_at),
        sent_at=feedback.sent_at,
    ).model_dump(by_alias=True)
    return row


class MongoFeedback:
    """Implements FeedbackStore."""

    def __init__(self, database: Database) -> None:
        self._gate = database.gate
        self._feedbacks = database.collection(FeedbackDocument)
        self._counters = database.collection(CounterDocument)

    async def add(self, feedback: Feedback) -> int:
        """As FeedbackStore.add."""
        async with self._gate.bounded():
            while True:
                number = await self._next_number()
                if await self._keep(number, feedback):
                    return number

    async def _next_number(self) -> int:
        async def work() -> int:
            counter: Any = await self._counters.find_one_and_update(
                {"_id": "feedback"}, _COUNT_ONE, upsert=True, return_document=ReturnDocument.AFTER
            )
            return int(counter["seq"]) - 1

        return await self._gate.commit(work)

    async def _keep(self, number: int, feedback: Feedback) -> bool:
        """Keep it under that number, or return False if the number is taken: then the counter was behind."""

        async def work() -> bool:
            try:
                await self._feedbacks.insert_one(_row(number, feedback))
            except DuplicateKeyError:
                return False
            return True

        return await self._gate.commit(work)

    async def get(self, number: int) -> Feedback | None:
        """As FeedbackStore.get."""
        row = await self._gate.call(lambda: self._feedbacks.find_one({"_id": str(number)}))
        if row is None:
            return None
        with translated():
            stored = FeedbackDocument.model_validate(row)
        return Feedback(
            stored.sender, stored.content, stored.attachment, seconds_of(stored.send_time, stored.sent_at)
        )
