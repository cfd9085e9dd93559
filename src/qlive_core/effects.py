"""What a command wants done after its commit, as data.

A use case returns an ``Outcome``: the reply, and effects in the order in which they are to happen. It never
performs one itself. If the process dies between the commit and the effects, a notification is lost and the
truth is not.
"""

import enum
from typing import Generic, TypeVar

from attrs import frozen

from qlive_core.model.pk import PkState
from qlive_core.model.seat import SeatOutcome
from qlive_core.signalling.messages import Push

Reply = TypeVar("Reply")


@frozen
class Notify:
    """Push ``message`` to a user: now if connected, after the next auth if held for, else not at all."""

    user_id: str
    message: Push


class DeadlineKind(enum.Enum):
    """What ends when a deadline comes."""

    PK_OFFER = "pk_offer"
    SEAT_REQUEST = "seat_request"
    PRESENCE = "presence"


@frozen
class Arm:
    """Look at the fact ``key`` again at ``at`` (Unix seconds). There is no disarming: looking is harmless."""

    kind: DeadlineKind
    key: str
    at: float


class HangUpReason(enum.Enum):
    """Why the server ends a connection that could go on."""

    REPLACED = "replaced by a newer connection"
    LOGGED_OUT = "logged out"


@frozen
class HangUp:
    """Close the user's connection: that one if ``connection_id`` is given, else whichever there is."""

    user_id: str
    reason: HangUpReason
    connection_id: str = ""


@frozen
class Hold:
    """From now on keep what is pushed to this user while no connection exists; he is expected."""

    user_id: str


@frozen
class LetGo:
    """Keep nothing for this user any more and drop what was kept."""

    user_id: str


@frozen
class Count:
    """Count, for the operators, that a PK has come to this state."""

    state: PkState


@frozen
class CountSeat:
    """Count, for the operators, how a request, an invitation or the holding of a seat began or ended."""

    outcome: SeatOutcome


Effect = Notify | Arm | HangUp | Hold | LetGo | Count | CountSeat


@frozen
class Outcome(Generic[Reply]):
    """What a use case returns once its commit stands."""

    reply: Reply
    effects: tuple[Effect, ...] = ()
