"""Feedback in MongoDB, in the original's collection, and numbered on from its counter.

The mail about it is a part of the same document.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve
from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.documents import CounterDocument, FeedbackDocument, MailPart
from qlive_adapters.mongo.gate import translated
from qlive_adapters.mongo.times import date_of, seconds_of
from qlive_core.errors import Stale
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, MailState, Outbox

_COUNT_ONE = [{"$set": {"seq": {"$add": [{"$ifNull": ["$seq", 1]}, 1]}}}]
"""The counter holds the next number, and a missing one stands for 1."""

_WAITING = MailState.WAITING.value


def _row(number: int, feedback: Feedback, mail_at: float | None) -> dict[str, Any]:
    row: dict[str, Any] = FeedbackDocument(
        id=str(number),
        sender=feedback.sender,
        content=feedback.content,
        attachment=feedback.attachment,
        send_time=date_of(feedback.sent_at),
        sent_at=feedback.sent_at,
        mail=None if mail_at is None else MailPart(state=_WAITING, due_at=mail_at, tries=0, rev=1),
    ).model_dump(by_alias=True, exclude_none=True)
    return row


def _feedback(stored: FeedbackDocument) -> Feedback:
    sent_at = seconds_of(stored.send_time, stored.sent_at)
    return Feedback(stored.sender, stored.content, stored.attachment, sent_at)


def _mail(row: Mapping[str, Any]) -> FeedbackMail:
    stored = FeedbackDocument.model_validate(row)
    part = MailPart.model_validate(row["mail"])
    return FeedbackMail(
        int(stored.id), _feedback(stored), MailState(part.state), part.due_at, part.tries, part.rev
    )


class MongoFeedback:
    """Implements FeedbackStore."""

    def __init__(self, database: Database) -> None:
        self._gate = database.gate
        self._feedbacks = database.collection(FeedbackDocument)
        self._counters = database.collection(CounterDocument)

    async def add(self, feedback: Feedback, *, mail_at: float | None = None) -> int:
        """As FeedbackStore.add."""
        async with self._gate.bounded():
            while True:
                number = await self._next_number()
                if await self._keep(_row(number, feedback, mail_at)):
                    return number

    async def _next_number(self) -> int:
        async def work() -> int:
            counter: Any = await self._counters.find_one_and_update(
                {"_id": "feedback"}, _COUNT_ONE, upsert=True, return_document=ReturnDocument.AFTER
            )
            return int(counter["seq"]) - 1

        return await self._gate.commit(work)

    async def _keep(self, row: Mapping[str, Any]) -> bool:
        """Keep it under its number, or return False if the number is taken: then the counter was behind."""

        async def work() -> bool:
            try:
                await self._feedbacks.insert_one(row)
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
            return _feedback(FeedbackDocument.model_validate(row))

    async def mails_due(self, now: float, *, limit: int) -> Sequence[FeedbackMail]:
        """As FeedbackStore.mails_due."""

        async def work() -> list[dict[str, Any]]:
            due = self._feedbacks.find({"mail.due_at": {"$lte": now}})
            return await due.sort("mail.due_at", ASCENDING).limit(limit).to_list()

        rows = await self._gate.call(work)
        with translated():
            return [_mail(row) for row in rows]

    async def replace_mail(self, mail: FeedbackMail) -> FeedbackMail:
        """As FeedbackStore.replace_mail."""
        replaced = evolve(mail, rev=mail.rev + 1)
        part = MailPart(
            state=replaced.state.value, due_at=replaced.due_at, tries=replaced.tries, rev=replaced.rev
        ).model_dump(exclude_none=True)

        async def work() -> int:
            held = {"_id": str(mail.number), "mail.rev": mail.rev}
            return (await self._feedbacks.update_one(held, {"$set": {"mail": part}})).matched_count

        if not await self._gate.commit(work):
            raise Stale(FeedbackMail.__name__, str(mail.number))
        return replaced

    async def outbox(self) -> Outbox:
        """As FeedbackStore.outbox."""
        waiting = {"$match": {"mail.due_at": {"$exists": True}}}
        summary = {"$group": {"_id": None, "waiting": {"$sum": 1}, "next": {"$min": "$mail.due_at"}}}

        async def work() -> list[dict[str, Any]]:
            return await (await self._feedbacks.aggregate([waiting, summary])).to_list()

        rows = await self._gate.call(work)
        return Outbox(rows[0]["waiting"], rows[0]["next"]) if rows else Outbox(0, None)
