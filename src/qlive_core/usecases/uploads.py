"""Files and feedback."""

from attrs import frozen

from qlive_core.effects import MailQueued, Outcome
from qlive_core.model.feedback import Feedback, attachment_url
from qlive_core.model.texts import ATTACHMENT, FEEDBACK, FILENAME
from qlive_core.ports.clouds import UploadTokens
from qlive_core.ports.stores import FeedbackStore
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules

UPLOAD_TTL_DEFAULT_S = 3600
UPLOAD_TTL_MAX_S = 86400


@frozen
class UploadPermission:
    """A signed permission to upload one file until ``expires_at`` (Unix seconds)."""

    token: str
    expires_at: int


@frozen
class Uploads:
    """The use cases of files and of what users tell the operators."""

    tokens: UploadTokens
    feedback: FeedbackStore
    clock: Clock
    rules: Rules

    def permit(self, user_id: str, filename: str, ttl_s: int) -> UploadPermission:
        """Let the user upload ``filename``; no or a negative time means an hour, a day is the most.

        Raises BadRequest if the name is too long.
        """
        FILENAME.checked(filename)
        wanted = ttl_s if ttl_s > 0 else UPLOAD_TTL_DEFAULT_S
        deadline = int(self.clock.wall()) + min(wanted, UPLOAD_TTL_MAX_S)
        token = self.tokens.upload_token(filename=filename, user_id=user_id, deadline=deadline)
        return UploadPermission(token, deadline)

    async def give_feedback(self, user_id: str, content: str, attachment: str) -> Outcome[int]:
        """Keep what the user has to say, and queue the mail about it if there is to be one; reply its number.

        Raises BadRequest if it is too long.
        """
        FEEDBACK.checked(content)
        url = attachment_url(ATTACHMENT.checked(attachment), self.rules.attachment_url_prefix)
        now = self.clock.now()
        feedback = Feedback(user_id, content, url, now)
        if not self.rules.mails_feedback:
            return Outcome(await self.feedback.add(feedback))
        return Outcome(await self.feedback.add(feedback, mail_at=now), (MailQueued(),))
