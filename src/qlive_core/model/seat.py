"""The seat machine: somebody in the audience of a voice room, and the seat that he asks for, is offered or holds.

Rules
  1. Everything that may happen between a listener, the host and a seat stands in ``TABLE``: what the listener's
     place is down the side, events across. What is not in the table cannot happen; it is answered with an
     error and changes nothing.
  2. The seat is part of the listener's one place, so nobody has two, and nobody has one where he is not.
  3. That a seat has at most one holder is not decided here. The store refuses the second one.
  4. A room that closes ends all of this at once; its audience hears that, and nothing more about seats.

As for the PK, the machine decides and does nothing else, and the diagram in the documentation is drawn from
its table.
"""

import enum

from attrs import evolve, frozen

from qlive_core.errors import AlreadyJoined, InvalidSeat, NotJoined
from qlive_core.model.place import Place, PlaceKind

SEAT_COUNT = 8
"""The apps draw so many and crash on a position beyond them."""

GONE = None


class SeatEvent(enum.Enum):
    """What may happen."""

    ASK = "ask"
    ACCEPT = "accept"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    INVITE = "invite"
    TAKE_UP = "take up"
    DECLINE = "decline"
    EXPIRE = "expire"
    MOVE = "move"
    MUTE = "mute"
    LEAVE_SEAT = "leave seat"
    EMPTY = "empty"
    LEAVE_ROOM = "leave room"
    """The listener goes, by his own word or by staying away."""


class Party(enum.Enum):
    """Who makes an event happen, or is told of it."""

    LISTENER = "listener"
    HOST = "host"
    OTHERS = "others"
    """The rest of the audience; it is only told."""
    CLOCK = "clock"
    """It is never told."""


class SeatNews(enum.Enum):
    """What somebody is told."""

    ASKED = "on-join-request"
    ACCEPTED = "on-join-answer"
    REJECTED = "on-join-answer (no)"
    TIMED_OUT = "on-join-timeout"
    SEATED = "on-audience-join"
    UNSEATED = "on-join-end"
    INVITED = "on-join-invite"
    TAKEN_UP = "on-invite-answer"
    DECLINED = "on-invite-answer (no)"
    LAPSED = "on-invite-timeout"
    MOVED = "on-seat-move"
    MUTED = "on-seat-mute"


class SeatOutcome(enum.Enum):
    """What operators count: how requests and invitations begin and end, and how seats are given up."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed_out"
    INVITED = "invited"
    TAKEN_UP = "taken_up"
    DECLINED = "declined"
    LAPSED = "lapsed"
    LEFT = "left"
    EMPTIED = "emptied"
    CLOSED = "closed"
    """The room closed over a request, an invitation or a seat."""


@frozen
class SeatTransition:
    """One cell of the table: the next kind of place, who may bring it about, what it counts as, who is told what.

    News are told in this order.
    """

    target: PlaceKind | None
    by: Party
    outcome: SeatOutcome | None = None
    tell: tuple[tuple[Party, SeatNews], ...] = ()


def _told(news: SeatNews, *parties: Party) -> tuple[tuple[Party, SeatNews], ...]:
    return tuple((party, news) for party in parties)


# Short names, so that a cell is a line and the table one screen.
_Cell, _Is, _Out, _News = SeatTransition, PlaceKind, SeatOutcome, SeatNews
_LISTENER, _HOST, _OTHERS, _CLOCK = Party.LISTENER, Party.HOST, Party.OTHERS, Party.CLOCK
_SEATED = _told(_News.SEATED, _OTHERS, _HOST)
_UNSEATED = _told(_News.UNSEATED, _OTHERS, _HOST)

TABLE: dict[PlaceKind, dict[SeatEvent, SeatTransition]] = {
    PlaceKind.WATCHING: {
        SeatEvent.ASK: _Cell(_Is.ASKING, _LISTENER, _Out.ASKED, _told(_News.ASKED, _HOST)),
        SeatEvent.INVITE: _Cell(_Is.INVITED, _HOST, _Out.INVITED, _told(_News.INVITED, _LISTENER)),
        SeatEvent.LEAVE_ROOM: _Cell(GONE, _LISTENER),
    },
    PlaceKind.ASKING: {
        SeatEvent.ACCEPT: _Cell(_Is.SEATED, _HOST, _Out.ACCEPTED, _told(_News.ACCEPTED, _LISTENER) + _SEATED),
        SeatEvent.REJECT: _Cell(_Is.WATCHING, _HOST, _Out.REJECTED, _told(_News.REJECTED, _LISTENER)),
        SeatEvent.WITHDRAW: _Cell(_Is.WATCHING, _LISTENER, _Out.WITHDRAWN, _told(_News.TIMED_OUT, _HOST)),
        SeatEvent.EXPIRE: _Cell(
            _Is.WATCHING, _CLOCK, _Out.TIMED_OUT, _told(_News.TIMED_OUT, _LISTENER, _HOST)
        ),
        SeatEvent.LEAVE_ROOM: _Cell(GONE, _LISTENER, _Out.WITHDRAWN, _told(_News.TIMED_OUT, _HOST)),
    },
    PlaceKind.INVITED: {
        SeatEvent.TAKE_UP: _Cell(
            _Is.SEATED, _LISTENER, _Out.TAKEN_UP, _told(_News.TAKEN_UP, _HOST) + _SEATED
        ),
        SeatEvent.DECLINE: _Cell(_Is.WATCHING, _LISTENER, _Out.DECLINED, _told(_News.DECLINED, _HOST)),
        SeatEvent.EXPIRE: _Cell(_Is.WATCHING, _CLOCK, _Out.LAPSED, _told(_News.LAPSED, _LISTENER, _HOST)),
        SeatEvent.LEAVE_ROOM: _Cell(GONE, _LISTENER, _Out.DECLINED, _told(_News.LAPSED, _HOST)),
    },
    PlaceKind.SEATED: {
        SeatEvent.MOVE: _Cell(_Is.SEATED, _HOST, None, _told(_News.MOVED, _LISTENER, _OTHERS, _HOST)),
        SeatEvent.MUTE: _Cell(_Is.SEATED, _HOST, None, _told(_News.MUTED, _LISTENER, _OTHERS, _HOST)),
        SeatEvent.LEAVE_SEAT: _Cell(_Is.WATCHING, _LISTENER, _Out.LEFT, _UNSEATED),
        SeatEvent.EMPTY: _Cell(
            _Is.WATCHING, _HOST, _Out.EMPTIED, _told(_News.UNSEATED, _LISTENER) + _UNSEATED
        ),
        SeatEvent.LEAVE_ROOM: _Cell(GONE, _LISTENER, _Out.LEFT, _UNSEATED),
    },
}

_ANSWERS = frozenset(
    {SeatEvent.ACCEPT, SeatEvent.REJECT, SeatEvent.WITHDRAW, SeatEvent.TAKE_UP, SeatEvent.DECLINE}
)
_BEGINNINGS = frozenset({SeatEvent.ASK, SeatEvent.INVITE})


@frozen
class SeatDecision:
    """What comes of an event: the place before and after it, None if the listener is gone, and the cell."""

    before: Place
    after: Place | None
    transition: SeatTransition


def seat_number(position: int) -> int:
    """Return the seat at that position. Raises InvalidSeat for one that no room has."""
    if not 0 <= position < SEAT_COUNT:
        raise InvalidSeat
    return position


def decide_seat(
    place: Place,
    event: SeatEvent,
    by: Party,
    *,
    now: float,
    seat: int | None = None,
    until: float | None = None,
    muted: bool = False,
) -> SeatDecision:
    """Return what ``event`` does to ``place``.

    ``seat`` is the one asked for, offered or moved to, ``until`` when a request or an invitation that begins
    now ends, ``muted`` what a mute sets. Raises, if the table has no such transition or not for this party,
    AlreadyJoined for what would begin something and NotJoined for all else. A request can be answered before
    its deadline and expires from then on, so that exactly one of the two is ever possible.
    """
    transition = TABLE.get(place.kind, {}).get(event)
    if transition is None or transition.by is not by or not _in_time(place, event, now):
        raise AlreadyJoined if event in _BEGINNINGS else NotJoined
    return SeatDecision(place, _after(place, transition.target, event, seat, until, muted=muted), transition)


def _in_time(place: Place, event: SeatEvent, now: float) -> bool:
    until = place.seat_until
    if event in _ANSWERS:
        return until is not None and now < until
    return event is not SeatEvent.EXPIRE or (until is not None and now >= until)


def _after(
    place: Place,
    kind: PlaceKind | None,
    event: SeatEvent,
    seat: int | None,
    until: float | None,
    *,
    muted: bool,
) -> Place | None:
    if kind is GONE:
        return None
    if event in _BEGINNINGS:
        return evolve(place, kind=kind, seat=seat, seat_until=until)
    if event is SeatEvent.MOVE:
        return evolve(place, seat=seat)
    if event is SeatEvent.MUTE:
        return evolve(place, muted=muted)
    if kind is PlaceKind.SEATED:
        return evolve(place, kind=kind, seat_until=None)
    return evolve(place, kind=kind, seat=None, seat_until=None, muted=False)
