"""Feedback in SQLite, each with its mail in the same row."""

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from qlive_adapters.sqlite.engine import Engine
from qlive_core.errors import Stale
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, MailState, Outbox

_ADD = (
    "INSERT INTO feedback (sender, content, attachment, sent_at, mail_state, mail_due_at, mail_tries, mail_rev)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number"
)
_DUE = (
    "SELECT number, mail_state, mail_due_at, mail_tries, mail_rev, sender, content, attachment, sent_at"
    " FROM feedback WHERE mail_due_at <= ? ORDER BY mail_due_at, number LIMIT ?"
)
_REPLACE = (
    "UPDATE feedback SET mail_state = ?, mail_due_at = ?, mail_tries = ?, mail_rev = mail_rev + 1"
    " WHERE number = ? AND mail_rev = ?"
)
_OUTBOX = "SELECT count(*), min(mail_due_at) FROM feedback WHERE mail_due_at IS NOT NULL"


class SqliteFeedback:
    """Implements FeedbackStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, feedback: Feedback, *, mail_at: float | None = None) -> int:
        """As FeedbackStore.add."""
        mail = (None,) * 4 if mail_at is None else (MailState.WAITING.value, mail_at, 0, 1)
        row = (feedback.sender, feedback.content, feedback.attachment, feedback.sent_at, *mail)
        rows = await self._engine.write(lambda connection: connection.execute(_ADD, row).fetchall())
        number: int = rows[0][0]
        return number

    async def get(self, number: int) -> Feedback | None:
        """As FeedbackStore.get."""
        sql = "SELECT sender, content, attachment, sent_at FROM feedback WHERE number = ?"
        rows = self._engine.read(sql, (number,))
        return Feedback(*rows[0]) if rows else None

    async def mails_due(self, now: float, *, limit: int) -> Sequence[FeedbackMail]:
        """As FeedbackStore.mails_due."""
        return [_mail(*row) for row in self._engine.read(_DUE, (now, limit))]

    async def replace_mail(self, mail: FeedbackMail) -> FeedbackMail:
        """As FeedbackStore.replace_mail."""
        row = (mail.state.value, mail.due_at, mail.tries, mail.number, mail.rev)
        if not await self._engine.write(lambda connection: connection.execute(_REPLACE, row).rowcount):
            raise Stale(FeedbackMail.__name__, str(mail.number))
        return evolve(mail, rev=mail.rev + 1)

    async def outbox(self) -> Outbox:
        """As FeedbackStore.outbox."""
        return Outbox(*self._engine.read(_OUTBOX)[0])


def _mail(number: int, state: str, due_at: float, tries: int, rev: int, *feedback: Any) -> FeedbackMail:
    return FeedbackMail(number, Feedback(*feedback), MailState(state), due_at, tries, rev)
