"""The mail round: deliver what is due, and sleep until something else is."""

import asyncio
from contextlib import suppress

import structlog

from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import Unavailable
from qlive_core.ports.world import Clock
from qlive_core.usecases.feedback_mails import FeedbackMails, MailFate, MailNews

_LONGEST_SLEEP_S = 10.0  # for mails that other nodes leave behind, and for a wall clock that is set
_AFTER_TROUBLE_S = 5.0
_LAST_MAIL_S = 1.5  # of the five seconds that the whole shutdown may take


class Mailing:
    """Looks after the outbox. Nobody waits for it, and its trouble is nobody else's."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._woken = asyncio.Event()
        self._stopping = False
        self._log = structlog.get_logger("qlive.mail")

    def wake(self) -> None:
        """Look into the outbox now, or again if that is being done: there is a new mail."""
        self._woken.set()

    async def run(self, mails: FeedbackMails) -> None:
        """Deliver until cancelled. A mail that is under way then has a moment to be taken and noted.

        Those behind it lie in the store, where the next life finds them.
        """
        self._stopping = False
        while True:
            self._woken.clear()
            looking = asyncio.create_task(self._round(mails))
            try:
                pause_s = await asyncio.shield(looking)
            except asyncio.CancelledError:
                self._stopping = True
                await asyncio.wait([looking], timeout=_LAST_MAIL_S)
                looking.cancel()
                await asyncio.wait([looking])
                raise
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()

    async def _round(self, mails: FeedbackMails) -> float:
        """Deliver one batch and return in how many seconds to look again."""
        try:
            await mails.deliver(self._tell)
            outbox = await mails.outbox()
        except Unavailable as error:
            self._log.warning("mails put off", error=str(error))
            return _AFTER_TROUBLE_S
        except Exception:  # noqa: BLE001 - whatever it is, it is not the last mail
            self._log.exception("mail round failed")
            return _AFTER_TROUBLE_S
        self._metrics.mails_waiting.set(outbox.waiting)
        if outbox.next_due_at is None:
            return _LONGEST_SLEEP_S
        return min(max(outbox.next_due_at - self._clock.now(), 0.0), _LONGEST_SLEEP_S)

    def _tell(self, news: MailNews) -> bool:
        self._metrics.count_mail(news.fate.value)
        what = {"feedback": news.mail.number, "tries": news.mail.tries}
        match news.fate:
            case MailFate.SENT:
                self._log.info("feedback mailed", **what)
            case MailFate.PUT_OFF:
                due_at = news.mail.due_at or 0.0
                self._log.warning(
                    "feedback not mailed yet", **what, again_in_s=round(due_at - self._clock.now(), 1)
                )
            case MailFate.GIVEN_UP:
                self._log.error("feedback not mailed, given up; it stays in the store", **what)
            case MailFate.REFUSED:
                self._log.error(
                    "feedback not mailed, the mail server refuses it; it stays in the store", **what
                )
        return not self._stopping
