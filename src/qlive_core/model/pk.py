"""The PK machine: two hosts, one offer, one battle, one outcome.

Rules
  1. Everything that may happen to a PK stands in ``TABLE``: states down the side, events across. What is not
     in the table cannot happen; it is answered with an error and changes nothing.
  2. The machine decides and does nothing else: no clock, no store, no message. ``decide`` returns the next
     value and who is to be told what; a use case commits first and tells afterwards.
  3. That a room is in at most one live PK is not decided here. The store refuses the second one.

Tooling reads the table: the diagram in the README is drawn from it, and a test fails when that is stale.
"""

import enum

from attrs import frozen

from qlive_core.errors import NotInPk


class PkState(enum.Enum):
    """Where a PK is. OFFERED and LIVE hold both rooms; the others are outcomes."""

    OFFERED = "offered"
    LIVE = "live"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    ENDED = "ended"


class PkEvent(enum.Enum):
    """What may happen to a PK."""

    ACCEPT = "accept"
    REJECT = "reject"
    EXPIRE = "expire"
    END = "end"
    HOST_LEAVES = "host leaves"


class Role(enum.Enum):
    """Who makes an event happen."""

    PROPOSER = "proposer"
    TARGET = "target"
    CLOCK = "clock"


class News(enum.Enum):
    """What a side of the PK is told."""

    ACCEPTED = "on-pk-answer"
    REJECTED = "on-pk-answer (no)"
    TIMED_OUT = "on-pk-timeout"
    ENDED = "on-pk-end"


_HOSTS = frozenset({Role.PROPOSER, Role.TARGET})


@frozen
class Transition:
    """One cell of the table: the next state, who may bring it about, and what the *other* hosts are told."""

    target: PkState
    by: frozenset[Role]
    news: News


TABLE: dict[PkState, dict[PkEvent, Transition]] = {
    PkState.OFFERED: {
        PkEvent.ACCEPT: Transition(PkState.LIVE, frozenset({Role.TARGET}), News.ACCEPTED),
        PkEvent.REJECT: Transition(PkState.REJECTED, frozenset({Role.TARGET}), News.REJECTED),
        PkEvent.EXPIRE: Transition(PkState.TIMED_OUT, frozenset({Role.CLOCK}), News.TIMED_OUT),
        PkEvent.HOST_LEAVES: Transition(PkState.CANCELLED, _HOSTS, News.TIMED_OUT),
    },
    PkState.LIVE: {
        PkEvent.END: Transition(PkState.ENDED, _HOSTS, News.ENDED),
        PkEvent.HOST_LEAVES: Transition(PkState.ENDED, _HOSTS, News.ENDED),
    },
    PkState.REJECTED: {},
    PkState.TIMED_OUT: {},
    PkState.CANCELLED: {},
    PkState.ENDED: {},
}


@frozen
class Side:
    """One of the two: a host and the host's room."""

    user_id: str
    room_id: str


@frozen
class Pk:
    """A PK between two rooms. ``offer_expires_at`` (Unix seconds) counts while the state is OFFERED."""

    id: str
    state: PkState
    proposer: Side
    target: Side
    offer_expires_at: float
    rev: int = 1

    def role_of(self, room_id: str) -> Role | None:
        """Return which side the room is, if it is one."""
        if room_id == self.proposer.room_id:
            return Role.PROPOSER
        return Role.TARGET if room_id == self.target.room_id else None

    def side(self, role: Role) -> Side:
        """Return the side in that role."""
        return self.proposer if role is Role.PROPOSER else self.target

    def moved_to(self, state: PkState) -> "Pk":
        """Return the PK in another state."""
        return Pk(self.id, state, self.proposer, self.target, self.offer_expires_at, self.rev)

    def opponent_of(self, room_id: str) -> Side:
        """Return the side that is not this room."""
        return self.target if room_id == self.proposer.room_id else self.proposer


@frozen
class Decision:
    """What comes of an event: the PK's next value, and the roles that are told ``news``."""

    pk: Pk
    tell: tuple[Role, ...]
    news: News


def decide(pk: Pk, event: PkEvent, by: Role, *, now: float) -> Decision:
    """Return what ``event`` does to ``pk``.

    Raises NotInPk if the table has no such transition or not for this role. An offer can be answered before
    its deadline and expires from then on, so that exactly one of the two is ever possible.
    """
    transition = TABLE[pk.state].get(event)
    if transition is None or by not in transition.by or not _in_time(pk, event, now):
        raise NotInPk
    tell = tuple(role for role in (Role.TARGET, Role.PROPOSER) if role is not by)
    return Decision(pk.moved_to(transition.target), tell, transition.news)


def _in_time(pk: Pk, event: PkEvent, now: float) -> bool:
    if event in (PkEvent.ACCEPT, PkEvent.REJECT):
        return now < pk.offer_expires_at
    return event is not PkEvent.EXPIRE or now >= pk.offer_expires_at
