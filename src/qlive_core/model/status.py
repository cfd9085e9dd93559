"""Statuses, computed from facts. They are never stored, so they cannot be wrong."""

import enum

from qlive_core.model.pk import Pk, PkState
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.room import Room, RoomType


class RoomStatus(enum.Enum):
    """What a room is doing, in the words of the wire protocol."""

    SINGLE = "single"
    WAIT_PK = "waitPK"
    PK = "PK"
    VOICE_LIVE = "voiceLive"


class UserStatus(enum.Enum):
    """What a user is doing, in the words of the wire protocol."""

    IDLE = "idle"
    WATCHING = "watching"
    SINGLE_LIVE = "singleLive"
    PK_WAIT = "pkWait"
    PK_LIVE = "pkLive"
    JOIN_WAIT = "joinWait"
    JOINED = "joined"


_OF_AUDIENCE = {
    PlaceKind.WATCHING: UserStatus.WATCHING,
    PlaceKind.ASKING: UserStatus.JOIN_WAIT,
    PlaceKind.INVITED: UserStatus.WATCHING,
    PlaceKind.SEATED: UserStatus.JOINED,
    PlaceKind.LAPSED: UserStatus.IDLE,
}


def room_status(room: Room, pk: Pk | None) -> RoomStatus:
    """Return the status of a room whose live PK, if any, is ``pk``."""
    if room.type is RoomType.VOICE:
        return RoomStatus.VOICE_LIVE
    if pk is None:
        return RoomStatus.SINGLE
    return RoomStatus.WAIT_PK if pk.state is PkState.OFFERED else RoomStatus.PK


def user_status(place: Place | None, room: Room | None, pk: Pk | None) -> UserStatus:
    """Return the status of a user at ``place``, where ``room`` is the place's room, if it still exists."""
    if place is None or room is None:
        return UserStatus.IDLE
    if place.kind is not PlaceKind.HOSTING:
        return _OF_AUDIENCE[place.kind]
    if pk is None:
        return UserStatus.SINGLE_LIVE
    return UserStatus.PK_WAIT if pk.state is PkState.OFFERED else UserStatus.PK_LIVE


def shown_room(room: Room, pk: Pk | None) -> str:
    """Return the room id that a host's login answer names: during a PK both hosts are in the target's."""
    return pk.target.room_id if pk is not None and pk.state is PkState.LIVE else room.id
