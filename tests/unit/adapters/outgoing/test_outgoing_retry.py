"""When a call is tried again, and how long an attempt may take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_adapters.outgoing import Operation, Outcome
from qlive_adapters.outgoing.retry import MAX_ATTEMPTS, attempt_s, retry_pause

ONCE = Operation("send", idempotent=False)
AGAIN = Operation("ask", idempotent=True)
PATIENT = Operation("send", idempotent=False, wait_if_limited_s=1.0)
OPERATIONS = [ONCE, AGAIN, PATIENT]


def pause(operation: Operation, outcome: Outcome, *, several: bool = True) -> float | None:
    """Decide after a first attempt, with time enough."""
    return retry_pause(operation, outcome, 1, left_s=4.0, several_hosts=several, chance=0.0)


@pytest.mark.parametrize("several", [True, False])
def test_what_was_never_sent_is_sent_again(several: bool) -> None:
    """Without a connection nothing was done: every operation is tried once more, the same host after a breath."""
    for operation in OPERATIONS:
        found = pause(operation, Outcome.UNREACHABLE, several=several)
        assert found is not None
        assert (found == 0) == several


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.FAILED])
def test_what_may_have_been_done(outcome: Outcome) -> None:
    """Only what is idempotent is done twice."""
    assert pause(AGAIN, outcome) == 0
    assert pause(ONCE, outcome) is None


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refusal_is_final(operation: Operation) -> None:
    """Who was refused, or was not let through, does not ask again."""
    assert pause(operation, Outcome.REFUSED) is None
    assert pause(operation, Outcome.BROKEN) is None


def test_too_often_is_the_operations_business() -> None:
    """After being asked too often a vendor is asked again only by operations that say when."""
    assert pause(ONCE, Outcome.LIMITED) is None
    assert pause(PATIENT, Outcome.LIMITED) == 1.0


@given(
    st.sampled_from(OPERATIONS),
    st.sampled_from(Outcome),
    st.integers(1, MAX_ATTEMPTS + 1),
    st.floats(0, 8),
    st.booleans(),
    st.floats(0, 1),
)
def test_bounds(
    operation: Operation, outcome: Outcome, attempt: int, left_s: float, several: bool, chance: float
) -> None:
    """No third attempt, no pause beyond the budget, and no attempt longer than what is left."""
    found = retry_pause(operation, outcome, attempt, left_s=left_s, several_hosts=several, chance=chance)
    if found is not None:
        assert attempt < MAX_ATTEMPTS
        assert 0 <= found < left_s
    assert 0 <= attempt_s(operation, attempt, left_s) <= left_s


def test_an_attempt_leaves_time_for_another() -> None:
    """Of what may be repeated, the first attempt does not use up the budget; everything else may."""
    assert 2.5 <= attempt_s(AGAIN, 1, 5.0) <= 3.5
    assert attempt_s(AGAIN, 2, 2.0) == 2.0
    assert attempt_s(ONCE, 1, 5.0) == 5.0
