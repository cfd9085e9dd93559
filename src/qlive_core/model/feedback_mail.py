"""The mail about a piece of feedback: waiting, until it is sent or given up."""

import enum

from attrs import evolve, frozen

from qlive_core.model.feedback import Feedback

BACKOFF_MAX_S = 3600.0
_DOUBLINGS_MAX = 32  # more than it takes to get from any interval to the longest one


class MailState(enum.Enum):
    """What has become of the mail."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@frozen
class FeedbackMail:
    """One mail to the operators, a part of the feedback that it is about.

    ``tries`` counts how often it was begun to be sent. ``due_at`` (Unix seconds) is when it may be tried next,
    None once it is sent or given up.
    """

    number: int
    feedback: Feedback
    state: MailState
    due_at: float | None
    tries: int = 0
    rev: int = 1

    def taken(self, until: float) -> "FeedbackMail":
        """Return the mail in the hands of somebody who sends it, and has to be done by then.

        Should he die over it, it is due again at that time.
        """
        return evolve(self, due_at=until, tries=self.tries + 1)

    def sent(self) -> "FeedbackMail":
        """Return the mail after the mail server took it."""
        return evolve(self, state=MailState.SENT, due_at=None)

    def given_up(self) -> "FeedbackMail":
        """Return the mail after the last try."""
        return evolve(self, state=MailState.GIVEN_UP, due_at=None)

    def failed(self, now: float, *, retry_times: int, retry_interval_s: float) -> "FeedbackMail":
        """Return the mail after a try that failed: given up, or due again later than the time before.

        Only what failed is given up, not what was never heard of again: a crash is no reason to lose a mail.
        """
        if self.tries > retry_times:
            return self.given_up()
        return evolve(self, due_at=now + backoff_s(self.tries, retry_interval_s))

    def unheard(self, now: float, *, retry_interval_s: float) -> "FeedbackMail":
        """Return the mail after the mail server could not be reached: not a try, for it knows of no mail.

        Due again when it has waited about as long once more, from the interval up to an hour.
        """
        waited_s = now - self.feedback.sent_at
        return evolve(self, due_at=now + max(min(waited_s, BACKOFF_MAX_S), retry_interval_s))


def backoff_s(tries: int, interval_s: float) -> float:
    """Return how long to wait after that many tries: the interval, doubled each time, up to an hour."""
    doubled = interval_s * 2.0 ** min(max(tries - 1, 0), _DOUBLINGS_MAX)
    return min(doubled, max(interval_s, BACKOFF_MAX_S))


@frozen
class Outbox:
    """How many mails wait, and when the first of them is due (Unix seconds), if there is any."""

    waiting: int
    next_due_at: float | None
