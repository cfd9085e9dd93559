"""What a command wants done after its commit, as data.

A use case returns an ``Outcome``: the reply, and effects in the order in which they are to happen. It never
performs one itself. If the process dies between the commit and the effects, a notification is lost and the
truth is not.
"""

import enum
from typing import Generic, TypeVar

from attrs import frozen

from qlive_core.model.pk import Pk, PkState
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
    """Look at the fact ``key`` again at ``at`` (Unix seconds). Looking is harmless, whatever has become of it."""

    kind: DeadlineKind
    key: str
    at: float


@frozen
class Disarm:
    """There is nothing to look at any more. Saves the look, no more: a deadline that stays armed does no harm."""

    arm: Arm


class HangUpReason(enum.Enum):
    """Why the server ends a connection that could go on."""

    REPLACED = "replaced by a newer connection"
    LOGGED_OUT = "logged out"
    LEFT = "left over another channel"


@frozen
class HangUp:
    """Close the user's connection, if it is the one that is meant.

    ``connection_id`` means that connection, ``opened_by`` the one of that session (the hash of its token), and
    ``not_opened_by`` any but that session's. What is "" means nothing; without any, it is whichever there is.
    """

    user_id: str
    reason: HangUpReason
    connection_id: str = ""
    opened_by: str = ""
    not_opened_by: str = ""


@frozen
class Hold:
    """From now on keep what is pushed to this user while no connection exists; he is expected.

    ``back`` says that he had a connection and is expected back on one.
    """

    user_id: str
    back: bool = False


@frozen
class ReachByIm:
    """From now on push to this user over IM while no connection exists, beginning with what was kept."""

    user_id: str


@frozen
class LetGo:
    """Keep nothing for this user any more, drop what was kept, and do not try to reach him."""

    user_id: str


@frozen
class Forget:
    """Drop what is kept for this user: they have gone elsewhere, and it was about the room before."""

    user_id: str


@frozen
class Count:
    """Count, for the operators, that a PK has come to this state."""

    state: PkState


@frozen
class CountSeat:
    """Count, for the operators, how a request, an invitation or the holding of a seat began or ended."""

    outcome: SeatOutcome


@frozen
class OpenChat:
    """Make the chat room of a room that has opened."""

    room_id: str
    name: str


@frozen
class CloseChat:
    """Remove the chat room of a room that has closed."""

    room_id: str


@frozen
class Compose:
    """Show both hosts in the streams of both, on the media cloud's side: the PK has begun."""

    pk: Pk


@frozen
class StopComposing:
    """Let each stream show its own host again: the PK is over."""

    pk: Pk


@frozen
class MailQueued:
    """A mail waits in the store: whoever sends them need not wait until he looks by himself."""


Effect = (
    Notify
    | Arm
    | Disarm
    | HangUp
    | Hold
    | ReachByIm
    | LetGo
    | Forget
    | Count
    | CountSeat
    | OpenChat
    | CloseChat
    | Compose
    | StopComposing
    | MailQueued
)


@frozen
class Outcome(Generic[Reply]):
    """What a use case returns once its commit stands."""

    reply: Reply
    effects: tuple[Effect, ...] = ()
