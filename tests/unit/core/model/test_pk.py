"""The PK machine: what the table allows, and nothing else."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qlive_core.errors import NotInPk
from qlive_core.model.pk import TABLE, News, Pk, PkEvent, PkState, Role, Side, decide

PROPOSER = Side("user-p", "room-p")
TARGET = Side("user-t", "room-t")
DEADLINE = 1000.0
OFFER = Pk("pk-1", PkState.OFFERED, PROPOSER, TARGET, DEADLINE, rev=3)

ANSWERS = (PkEvent.ACCEPT, PkEvent.REJECT)
states, events, roles = st.sampled_from(PkState), st.sampled_from(PkEvent), st.sampled_from(Role)
times = st.floats(min_value=DEADLINE - 20, max_value=DEADLINE + 20)


def in_time(event: PkEvent, now: float) -> bool:
    """Say independently when an event may come: answers before the deadline, the expiry from then on."""
    if event in ANSWERS:
        return now < DEADLINE
    return now >= DEADLINE if event is PkEvent.EXPIRE else True


def test_every_state_has_a_row() -> None:
    """The table names every state, in the order in which it is declared."""
    assert list(TABLE) == list(PkState)


def test_outcomes_have_empty_rows() -> None:
    """Nothing can happen to a PK that is over; the rows are there and empty."""
    over = {state for state, row in TABLE.items() if not row}
    assert over == {PkState.REJECTED, PkState.TIMED_OUT, PkState.CANCELLED, PkState.ENDED}


def test_the_whole_table() -> None:
    """These are all the transitions there are."""
    cells = {(state, event): cell.target for state, row in TABLE.items() for event, cell in row.items()}
    assert cells == {
        (PkState.OFFERED, PkEvent.ACCEPT): PkState.LIVE,
        (PkState.OFFERED, PkEvent.REJECT): PkState.REJECTED,
        (PkState.OFFERED, PkEvent.EXPIRE): PkState.TIMED_OUT,
        (PkState.OFFERED, PkEvent.HOST_LEAVES): PkState.CANCELLED,
        (PkState.LIVE, PkEvent.END): PkState.ENDED,
        (PkState.LIVE, PkEvent.HOST_LEAVES): PkState.ENDED,
    }


@pytest.mark.parametrize("state", PkState)
@pytest.mark.parametrize("event", PkEvent)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("now", [DEADLINE - 1, DEADLINE, DEADLINE + 1])
def test_what_is_not_in_the_table_is_refused(state: PkState, event: PkEvent, role: Role, now: float) -> None:
    """An event that the table does not know, of the wrong side or at the wrong time, changes nothing."""
    pk = evolve(OFFER, state=state)
    before = evolve(pk)
    cell = TABLE[state].get(event)
    if cell is not None and role in cell.by and in_time(event, now):
        assert decide(pk, event, role, now=now).pk == evolve(before, state=cell.target)
    else:
        with pytest.raises(NotInPk):
            decide(pk, event, role, now=now)
    assert pk == before


@given(states, events, roles, times)
def test_a_decision_changes_the_state_alone(state: PkState, event: PkEvent, role: Role, now: float) -> None:
    """Rooms, hosts, deadline and revision of a PK stay what they were."""
    pk = evolve(OFFER, state=state)
    try:
        decision = decide(pk, event, role, now=now)
    except NotInPk:
        return
    assert evolve(decision.pk, state=state) == pk
    assert decision.pk.state is not state


@given(times, st.sampled_from(ANSWERS))
def test_the_deadline_parts_answer_and_expiry(now: float, answer: PkEvent) -> None:
    """At every moment an open offer can either be answered or expire, never both and never neither."""
    possible = []
    for event, role in ((answer, Role.TARGET), (PkEvent.EXPIRE, Role.CLOCK)):
        try:
            decide(OFFER, event, role, now=now)
        except NotInPk:
            continue
        possible.append(event)
    assert possible == ([answer] if now < DEADLINE else [PkEvent.EXPIRE])


@given(states, events, roles, times)
def test_whoever_acts_is_answered_and_the_others_are_told(
    state: PkState, event: PkEvent, role: Role, now: float
) -> None:
    """A host's act is told to the other side alone; the clock's to both."""
    try:
        decision = decide(evolve(OFFER, state=state), event, role, now=now)
    except NotInPk:
        return
    assert role not in decision.tell
    assert {*decision.tell, role} - {Role.CLOCK} == {Role.PROPOSER, Role.TARGET}


@pytest.mark.parametrize(
    ("state", "event", "role", "news"),
    [
        (PkState.OFFERED, PkEvent.ACCEPT, Role.TARGET, News.ACCEPTED),
        (PkState.OFFERED, PkEvent.REJECT, Role.TARGET, News.REJECTED),
        (PkState.OFFERED, PkEvent.EXPIRE, Role.CLOCK, News.TIMED_OUT),
        (PkState.OFFERED, PkEvent.HOST_LEAVES, Role.PROPOSER, News.TIMED_OUT),
        (PkState.OFFERED, PkEvent.HOST_LEAVES, Role.TARGET, News.TIMED_OUT),
        (PkState.LIVE, PkEvent.END, Role.PROPOSER, News.ENDED),
        (PkState.LIVE, PkEvent.END, Role.TARGET, News.ENDED),
        (PkState.LIVE, PkEvent.HOST_LEAVES, Role.TARGET, News.ENDED),
    ],
)
def test_what_is_told(state: PkState, event: PkEvent, role: Role, news: News) -> None:
    """A host who leaves an open offer looks like a timeout to the other; in a live PK it is its end."""
    now = DEADLINE if event is PkEvent.EXPIRE else DEADLINE - 1
    assert decide(evolve(OFFER, state=state), event, role, now=now).news is news


def test_sides() -> None:
    """A PK knows which side a room is, and who is opposite."""
    assert OFFER.role_of("room-p") is Role.PROPOSER
    assert OFFER.role_of("room-t") is Role.TARGET
    assert OFFER.role_of("room-x") is None
    assert OFFER.side(Role.PROPOSER) == OFFER.opponent_of("room-t") == PROPOSER
    assert OFFER.side(Role.TARGET) == OFFER.opponent_of("room-p") == TARGET
