"""Whether a user is there: a connection, the grace after one was lost, or a lease without one.

Who is seen over the instant-message cloud is there as well, with or without a connection. His signs of life are
too many to be part of the fact; it only says that he gives them, and its deadline is moved when it comes.

A user who has a place has a presence. When it ends, the use cases make him leave; so no room and no audience
outlives the person behind it, whatever crashed in between.
"""

import enum
from collections.abc import Iterable

from attrs import evolve, frozen


class PresenceState(enum.Enum):
    """Derived from the fact's fields; see ``Presence.state``."""

    LEASE = "lease"
    OPEN = "open"
    GRACE = "grace"


class PresenceEvent(enum.Enum):
    """What may happen to a presence."""

    CONNECT = "connect"
    DROP = "drop"
    RENEW = "renew"
    TAKE_PLACE = "take place"
    SEEN = "seen over IM"
    EXPIRE = "expire"
    LEAVE = "leave"


GONE = None

SHOWS_SEATS = "seats"
"""The capability of an app that shows invitations, moves, mutes and locks of seats."""
CAPABILITIES = frozenset({SHOWS_SEATS})
"""What an app may announce that it can show; pushes that the first apps do not know go only to those that can."""

TABLE: dict[PresenceState, dict[PresenceEvent, PresenceState | None]] = {
    PresenceState.LEASE: {
        PresenceEvent.CONNECT: PresenceState.OPEN,
        PresenceEvent.RENEW: PresenceState.LEASE,
        PresenceEvent.TAKE_PLACE: PresenceState.LEASE,
        PresenceEvent.SEEN: PresenceState.LEASE,
        PresenceEvent.EXPIRE: GONE,
        PresenceEvent.LEAVE: GONE,
    },
    PresenceState.OPEN: {
        PresenceEvent.CONNECT: PresenceState.OPEN,
        PresenceEvent.DROP: PresenceState.GRACE,
        PresenceEvent.TAKE_PLACE: PresenceState.OPEN,
        PresenceEvent.SEEN: PresenceState.OPEN,
        PresenceEvent.LEAVE: GONE,
    },
    PresenceState.GRACE: {
        PresenceEvent.CONNECT: PresenceState.OPEN,
        PresenceEvent.RENEW: PresenceState.GRACE,
        PresenceEvent.TAKE_PLACE: PresenceState.LEASE,
        PresenceEvent.SEEN: PresenceState.GRACE,
        PresenceEvent.EXPIRE: GONE,
        PresenceEvent.LEAVE: GONE,
    },
}


@frozen
class Presence:
    """How a user is there.

    ``connection_id`` is the connection that counts, or the last one that did, or "" if there was none;
    ``node`` is the process that holds it. ``expires_at`` (Unix seconds) is None while it is open.
    ``im`` says that the user was seen over IM since this presence began.
    ``capabilities`` are those of ``CAPABILITIES`` that the user's app has announced.
    """

    user_id: str
    connection_id: str
    node: str
    expires_at: float | None
    capabilities: frozenset[str] = frozenset()
    im: bool = False
    rev: int = 1

    @property
    def state(self) -> PresenceState:
        """Return the row of the table that this fact stands in."""
        if self.expires_at is None:
            return PresenceState.OPEN
        return PresenceState.GRACE if self.connection_id else PresenceState.LEASE

    def connected(self, connection_id: str, node: str) -> "Presence":
        """Return the presence with this connection as the one that counts."""
        return evolve(self, connection_id=connection_id, node=node, expires_at=None)

    def until(self, expires_at: float) -> "Presence":
        """Return the presence with a deadline: dropped if it was open, renewed if it was not."""
        return evolve(self, expires_at=expires_at)

    def leased(self, expires_at: float, node: str) -> "Presence":
        """Return a lease that does not depend on any connection."""
        return evolve(self, connection_id="", node=node, expires_at=expires_at)

    def seen_over_im(self, expires_at: float) -> "Presence":
        """Return the presence of a user who gives signs of life over IM.

        ``expires_at`` takes the place of a lease's deadline: who was to connect in that time has done so.
        """
        return evolve(
            self, im=True, expires_at=expires_at if self.state is PresenceState.LEASE else self.expires_at
        )

    def able(self, capabilities: Iterable[str]) -> "Presence":
        """Return the presence of an app that can do these, as far as they are known."""
        return evolve(self, capabilities=CAPABILITIES.intersection(capabilities))
