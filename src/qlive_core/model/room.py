"""The room that a host opens to go live."""

import enum

from attrs import evolve, frozen

from qlive_core.errors import InvalidRoomName, UnsupportedRoomType
from qlive_core.model.texts import is_clean

NAME_MAX_CHARACTERS = 100
_QUOTED_MAX = 200
"""So much of what was asked for is repeated in a refusal."""


class RoomType(enum.Enum):
    """What a room is for."""

    PK = "pk"
    VOICE = "voice"


def room_name(text: str) -> str:
    """Return the name that ``text`` asks for, trimmed.

    Raises InvalidRoomName unless 1 to 100 characters are left and none of them is a control character.
    """
    name = text.strip()
    if not 1 <= len(name) <= NAME_MAX_CHARACTERS or not is_clean(name):
        raise InvalidRoomName(f"invalid room name {text[:_QUOTED_MAX]}")
    return name


def room_type(text: str) -> RoomType:
    """Return the type that ``text`` names; the first apps sent none and mean a PK room.

    Raises UnsupportedRoomType for anything else.
    """
    try:
        return RoomType(text or RoomType.PK.value)
    except ValueError:
        raise UnsupportedRoomType(f"unsupported room type: {text[:_QUOTED_MAX]}") from None


@frozen
class Room:
    """An open room. ``id`` has 16 characters ``[0-9a-z]``; ``name`` and ``creator`` are unique.

    The RTC room has the same id. ``locked_seats`` are those that the audience cannot ask for. A room that was
    closed is gone: nothing of it is kept.
    """

    id: str
    name: str
    type: RoomType
    creator: str
    created_at: float
    locked_seats: frozenset[int] = frozenset()
    rev: int = 1

    def renamed(self, name: str) -> "Room":
        """Return the room under another name."""
        return evolve(self, name=name)

    def with_lock(self, seat: int, *, locked: bool) -> "Room":
        """Return the room with that seat locked or not."""
        others = self.locked_seats - {seat}
        return evolve(self, locked_seats=others | {seat} if locked else others)
