"""The life of a mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import BACKOFF_MAX_S, FeedbackMail, MailState, backoff_s

MAIL = FeedbackMail(1, Feedback("user", "text", "", 5.0), MailState.WAITING, 5.0)


@pytest.mark.parametrize(
    ("tries", "interval_s", "wait_s"),
    [(1, 5, 5), (2, 5, 10), (3, 5, 20), (10, 5, 2560), (11, 5, 3600), (1001, 5, 3600), (4, 7200, 7200)],
)
def test_backoff(tries: int, interval_s: float, wait_s: float) -> None:
    """The interval doubles from try to try, up to an hour, or stays if it is longer than that."""
    assert backoff_s(tries, interval_s) == wait_s


@given(retry_times=st.integers(0, 40), interval_s=st.floats(0.01, 100))
def test_every_mail_comes_to_an_end(retry_times: int, interval_s: float) -> None:
    """A mail that always fails is tried once and then as often again as is wanted, ever later."""
    mail, waits = MAIL, [0.0]
    while mail.due_at is not None:
        waits.append(mail.due_at)
        mail = mail.taken(until=20).failed(0, retry_times=retry_times, retry_interval_s=interval_s)
    assert (mail.state, mail.tries) == (MailState.GIVEN_UP, 1 + retry_times)
    assert len(waits[2:]) == retry_times
    assert waits[2:] == sorted(waits[2:])
    assert max(waits) <= max(MAIL.due_at or 0, BACKOFF_MAX_S)


def test_a_crash_gives_up_nothing() -> None:
    """A mail that was taken by somebody who died is due again, even if that was to be the last try."""
    taken = MAIL.taken(30.0)
    assert (taken.state, taken.due_at, taken.tries) == (MailState.WAITING, 30.0, 1)
    again = taken.taken(60.0)
    assert (again.state, again.due_at) == (MailState.WAITING, 60.0)
    assert again.failed(60.0, retry_times=0, retry_interval_s=5).state is MailState.GIVEN_UP


def test_what_is_over_is_not_due() -> None:
    """Neither a sent mail nor one that was given up is due any more."""
    assert (MAIL.sent().state, MAIL.sent().due_at) == (MailState.SENT, None)
    assert (MAIL.given_up().state, MAIL.given_up().due_at) == (MailState.GIVEN_UP, None)
