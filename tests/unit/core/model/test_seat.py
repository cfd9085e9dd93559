"""The seat machine: what the table allows, and nothing else."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from qlive_core.errors import AlreadyJoined, InvalidSeat, NotJoined
from qlive_core.model.place import AUDIENCE, Place, PlaceKind
from qlive_core.model.seat import (
    TABLE,
    Party,
    SeatDecision,
    SeatEvent,
    SeatNews,
    SeatOutcome,
    decide_seat,
    seat_number,
)

DEADLINE = 1000.0
SEAT, OTHER_SEAT = 3, 5
WATCHER = Place("listener", "room-1", PlaceKind.WATCHING, since=7.0, rev=4)
ROWS = {
    PlaceKind.WATCHING: WATCHER,
    PlaceKind.ASKING: evolve(WATCHER, kind=PlaceKind.ASKING, seat=SEAT, seat_until=DEADLINE),
    PlaceKind.INVITED: evolve(WATCHER, kind=PlaceKind.INVITED, seat=SEAT, seat_until=DEADLINE),
    PlaceKind.SEATED: evolve(WATCHER, kind=PlaceKind.SEATED, seat=SEAT, muted=True),
    PlaceKind.HOSTING: evolve(WATCHER, kind=PlaceKind.HOSTING),
    PlaceKind.LAPSED: evolve(WATCHER, kind=PlaceKind.LAPSED),
}
ANSWERS = (SeatEvent.ACCEPT, SeatEvent.REJECT, SeatEvent.WITHDRAW, SeatEvent.TAKE_UP, SeatEvent.DECLINE)


def in_time(event: SeatEvent, now: float) -> bool:
    """Say independently when an event may come: answers before the deadline, the expiry from then on."""
    if event in ANSWERS:
        return now < DEADLINE
    return now >= DEADLINE if event is SeatEvent.EXPIRE else True


def decided(kind: PlaceKind, event: SeatEvent, party: Party, now: float) -> SeatDecision:
    """Decide, with something given for all that an event may need."""
    return decide_seat(ROWS[kind], event, party, now=now, seat=OTHER_SEAT, until=DEADLINE + 10, muted=False)


def test_everybody_in_the_audience_has_a_row() -> None:
    """The table names what those in the audience may be, and no other place."""
    assert tuple(TABLE) == AUDIENCE


def test_the_whole_table() -> None:
    """These are all the transitions there are; None is gone."""
    watching, asking, invited, seated = AUDIENCE
    cells = {(kind, event): cell.target for kind, row in TABLE.items() for event, cell in row.items()}
    assert cells == {
        (watching, SeatEvent.ASK): asking,
        (watching, SeatEvent.INVITE): invited,
        (asking, SeatEvent.ACCEPT): seated,
        (asking, SeatEvent.REJECT): watching,
        (asking, SeatEvent.WITHDRAW): watching,
        (asking, SeatEvent.EXPIRE): watching,
        (invited, SeatEvent.TAKE_UP): seated,
        (invited, SeatEvent.DECLINE): watching,
        (invited, SeatEvent.EXPIRE): watching,
        (seated, SeatEvent.MOVE): seated,
        (seated, SeatEvent.MUTE): seated,
        (seated, SeatEvent.LEAVE_SEAT): watching,
        (seated, SeatEvent.EMPTY): watching,
        **{(kind, SeatEvent.LEAVE_ROOM): None for kind in AUDIENCE},
    }


@pytest.mark.parametrize("kind", PlaceKind)
@pytest.mark.parametrize("party", Party)
@pytest.mark.parametrize("now", [DEADLINE - 1, DEADLINE])
def test_what_is_not_in_the_table_is_refused(kind: PlaceKind, party: Party, now: float) -> None:
    """An event that the table does not know, of the wrong party or at the wrong time, has no result."""
    for event in SeatEvent:
        cell = TABLE.get(kind, {}).get(event)
        if cell is not None and cell.by is party and in_time(event, now):
            decision = decided(kind, event, party, now)
            assert (decision.before, decision.transition) == (ROWS[kind], cell)
            assert (decision.after.kind if decision.after else None) is cell.target
        else:
            with pytest.raises(AlreadyJoined if event in (SeatEvent.ASK, SeatEvent.INVITE) else NotJoined):
                decided(kind, event, party, now)


CELLS = [(kind, event, cell.by) for kind, row in TABLE.items() for event, cell in row.items()]


@given(st.sampled_from(CELLS), st.floats(DEADLINE - 20, DEADLINE + 20))
def test_a_place_holds_just_what_its_kind_needs(cell: tuple[PlaceKind, SeatEvent, Party], now: float) -> None:
    """A seat while one is asked for, offered or held; a deadline while it is open; muted only when seated."""
    kind, event, party = cell
    if not in_time(event, now):
        return
    after = decided(kind, event, party, now).after
    if after is None:
        return
    assert (after.user_id, after.room_id, after.since, after.rev) == ("listener", "room-1", 7.0, 4)
    assert (after.seat is None) is (after.kind is PlaceKind.WATCHING)
    assert (after.seat_until is not None) is (after.kind in (PlaceKind.ASKING, PlaceKind.INVITED))
    assert not after.muted or after.kind is PlaceKind.SEATED


def test_which_seat_it_is() -> None:
    """Who begins or moves gets the seat that was named; who is let in gets the one that was asked for."""
    seats = {
        event: decided(kind, event, party, DEADLINE - 1).after
        for kind, event, party in CELLS
        if event not in (SeatEvent.EXPIRE, SeatEvent.LEAVE_ROOM)
    }
    assert {event: place.seat for event, place in seats.items() if place and place.seat is not None} == {
        SeatEvent.ASK: OTHER_SEAT,
        SeatEvent.INVITE: OTHER_SEAT,
        SeatEvent.MOVE: OTHER_SEAT,
        SeatEvent.ACCEPT: SEAT,
        SeatEvent.TAKE_UP: SEAT,
        SeatEvent.MUTE: SEAT,
    }


def test_every_request_and_invitation_has_one_outcome() -> None:
    """Each way out of an open one is counted as something, and no way to begin one is counted as an end."""
    beginnings = {SeatOutcome.ASKED, SeatOutcome.INVITED}
    for kind, row in TABLE.items():
        for cell in row.values():
            if kind in (PlaceKind.ASKING, PlaceKind.INVITED):
                assert cell.outcome not in (None, *beginnings)
            begins = cell.target in (PlaceKind.ASKING, PlaceKind.INVITED)
            assert (cell.outcome in beginnings) is begins


def test_news_that_old_apps_do_not_know_follow_an_invitation_or_a_host() -> None:
    """Nothing that somebody in the audience does by the original's requests is told in new words."""
    new = {
        SeatNews.INVITED,
        SeatNews.TAKEN_UP,
        SeatNews.DECLINED,
        SeatNews.LAPSED,
        SeatNews.MOVED,
        SeatNews.MUTED,
    }
    for kind in (PlaceKind.ASKING, PlaceKind.SEATED):
        for event, cell in TABLE[kind].items():
            told = {news for _, news in cell.tell}
            assert bool(told & new) is (event in (SeatEvent.MOVE, SeatEvent.MUTE))


@pytest.mark.parametrize("position", [-1, 8, 100, -(2**63)])
def test_there_are_eight_seats(position: int) -> None:
    """0 to 7 are seats, all else is none."""
    assert [seat_number(seat) for seat in range(8)] == list(range(8))
    with pytest.raises(InvalidSeat):
        seat_number(position)
