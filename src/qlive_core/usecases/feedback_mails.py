"""Feedback by mail: what is due is handed to the mail server, and what came of it is noted."""

import enum
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import frozen

from qlive_core.errors import LostRace, MailRefused, ProviderUnavailable
from qlive_core.model.account import Account
from qlive_core.model.feedback_mail import FeedbackMail, MailState, Outbox
from qlive_core.model.sms import masked_phone
from qlive_core.ports.clouds import Mail, Mailer, MailLine
from qlive_core.ports.stores import AccountStore, FeedbackStore
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules

BATCH_MAX = 20
_NOTING_S = 5.0  # that the store may take, beside what the mail server may


class MailFate(enum.Enum):
    """What came of one try."""

    SENT = "sent"
    PUT_OFF = "put_off"
    GIVEN_UP = "given_up"
    REFUSED = "refused"
    """Given up too, but at once: the mail server will never take it."""


@frozen
class MailNews:
    """What came of a try, as it was noted."""

    mail: FeedbackMail
    fate: MailFate


@frozen
class FeedbackMails:
    """The outbox. It lies in the store, so any life of any node may go on with it.

    Who sends a mail takes it first, by a guarded write: several nodes see the same mail become due, one sends
    it. A mail is sent again if a crash, or the loss of the store, came between its acceptance and the note of
    it; it is the same then to the letter, under the same id.
    """

    feedback: FeedbackStore
    accounts: AccountStore
    mailer: Mailer
    clock: Clock
    rules: Rules

    async def deliver(self, tell: Callable[[MailNews], bool]) -> None:
        """Send what is due, up to BATCH_MAX mails over one connection.

        ``tell`` hears of each as soon as it is noted, and says whether to go on with the next one. A failure
        ends the batch too: what is left of it is due still, and gets a fresh connection the next time.
        """
        due = await self.feedback.mails_due(self.clock.now(), limit=BATCH_MAX)
        if not due:
            return
        senders = await self.accounts.get_many({mail.feedback.sender for mail in due})
        try:
            async with self.mailer.connected() as line:
                for mail in due:
                    news = await self._try(line, mail, senders.get(mail.feedback.sender))
                    if news is not None and not (tell(news) and news.fate is MailFate.SENT):
                        return
        except ProviderUnavailable:
            # One connection was tried for all of them. None is given up for that, however long it lasts.
            now, interval_s = self.clock.now(), self.rules.mail_retry_interval_s
            for mail in due:
                news = await self._note(mail.unheard(now, retry_interval_s=interval_s), MailFate.PUT_OFF)
                if news is not None:
                    tell(news)

    async def outbox(self) -> Outbox:
        """Return how much is waiting, and until when."""
        return await self.feedback.outbox()

    async def _try(self, line: MailLine, mail: FeedbackMail, sender: Account | None) -> MailNews | None:
        until = self.clock.now() + self.rules.mail_timeout_s + _NOTING_S
        try:
            taken = await self.feedback.replace_mail(mail.taken(until))
        except LostRace:
            return None  # somebody else sends it
        try:
            await line.send(letter(taken, sender))
        except MailRefused:
            return await self._note(taken.given_up(), MailFate.REFUSED)
        except ProviderUnavailable:
            return await self._failed(taken)
        return await self._note(taken.sent(), MailFate.SENT)

    async def _failed(self, mail: FeedbackMail) -> MailNews | None:
        failed = mail.failed(
            self.clock.now(),
            retry_times=self.rules.mail_retry_times,
            retry_interval_s=self.rules.mail_retry_interval_s,
        )
        given_up = failed.state is MailState.GIVEN_UP
        return await self._note(failed, MailFate.GIVEN_UP if given_up else MailFate.PUT_OFF)

    async def _note(self, mail: FeedbackMail, fate: MailFate) -> MailNews | None:
        try:
            return MailNews(await self.feedback.replace_mail(mail), fate)
        except LostRace:
            return None  # it took so long that somebody else is at work on it


def letter(mail: FeedbackMail, sender: Account | None) -> Mail:
    """Return the mail as its readers see it. No word of a user's is in its subject; his phone is masked."""
    feedback = mail.feedback
    sent_at = datetime.fromtimestamp(feedback.sent_at, UTC)
    lines = [f"Feedback {mail.number}", "", f"User id:    {feedback.sender}"]
    if sender is not None:
        lines += [f"Nickname:   {_one_line(sender.nickname)}", f"Phone:      {masked_phone(sender.phone)}"]
    lines.append(f"Time:       {sent_at:%Y-%m-%d %H:%M:%S} UTC")
    if feedback.attachment:
        lines.append(f"Attachment: {_one_line(feedback.attachment)}")
    return Mail(
        # Numbers begin at 1 in every store, so they alone would not tell two installations apart.
        id=f"feedback.{mail.number}.{round(feedback.sent_at * 1000)}",
        subject=f"Feedback {mail.number}",
        text="\n".join((*lines, "", feedback.content, "")),
        written_at=feedback.sent_at,
    )


def _one_line(text: str) -> str:
    """Return the text without line ends, so that it cannot pass for further lines."""
    return " ".join(text.split())
