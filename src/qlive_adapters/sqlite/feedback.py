"""Feedback in SQLite."""

from qlive_adapters.sqlite.engine import Engine
from qlive_core.model.feedback import Feedback


class SqliteFeedback:
    """Implements FeedbackStore."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, feedback: Feedback) -> int:
        """As FeedbackStore.add."""
        row = (feedback.sender, feedback.content, feedback.attachment, feedback.sent_at)
        sql = (
            "INSERT INTO feedback (sender, content, attachment, sent_at) VALUES (?, ?, ?, ?) RETURNING number"
        )
        rows = await self._engine.write(lambda connection: connection.execute(sql, row).fetchall())
        number: int = rows[0][0]
        return number

    async def get(self, number: int) -> Feedback | None:
        """As FeedbackStore.get."""
        sql = "SELECT sender, content, attachment, sent_at FROM feedback WHERE number = ?"
        rows = self._engine.read(sql, (number,))
        return Feedback(*rows[0]) if rows else None
