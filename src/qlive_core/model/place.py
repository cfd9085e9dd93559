"""Where a user is."""

import enum

from attrs import frozen


class PlaceKind(enum.Enum):
    """What a user does in the room that his place names."""

    HOSTING = "hosting"
    WATCHING = "watching"
    LAPSED = "lapsed"
    """Nowhere, but watched here until his lease ran out: the next poll lets him in again."""


@frozen
class Place:
    """The one place of a user. Without one, or if the room is gone, the user is nowhere."""

    user_id: str
    room_id: str
    kind: PlaceKind
    rev: int = 1
