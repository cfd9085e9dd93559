"""Where a user is."""

import enum

from attrs import frozen


class PlaceKind(enum.Enum):
    """What a user does in the room that his place names."""

    HOSTING = "hosting"
    WATCHING = "watching"
    ASKING = "asking"
    """Watches, and asks the host for a seat."""
    INVITED = "invited"
    """Watches, and is invited to a seat by the host."""
    SEATED = "seated"
    LAPSED = "lapsed"
    """Nowhere, but watched here until his lease ran out: the next poll lets him in again."""


AUDIENCE = (PlaceKind.WATCHING, PlaceKind.ASKING, PlaceKind.INVITED, PlaceKind.SEATED)
"""What those do who count as a room's audience."""


@frozen
class Place:
    """The one place of a user. Without one, or if the room is gone, the user is nowhere.

    ``since`` (Unix seconds) is when the user came into this room as its host or as audience. ``seat`` is the
    one that he asks for, is invited to or sits on; no two places of a room have the same. ``seat_until``
    (Unix seconds) is when an open request or invitation ends. ``muted`` counts for who is seated.
    """

    user_id: str
    room_id: str
    kind: PlaceKind
    since: float = 0.0
    seat: int | None = None
    seat_until: float | None = None
    muted: bool = False
    rev: int = 1

    @property
    def in_audience(self) -> bool:
        """Tell whether the user counts as audience of the room."""
        return self.kind in AUDIENCE
