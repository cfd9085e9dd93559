"""Which signalling code an error is answered with."""

from collections.abc import Mapping

from qlive_core.errors import (
    AlreadyJoined,
    AppUnfit,
    InvalidParameter,
    InvalidSeat,
    NoSuchRoom,
    NoSuchUser,
    NotInPk,
    NotInRoom,
    NotJoined,
    NotYourPk,
    NotYourRoom,
    QliveError,
    Refused,
    RoomBusy,
    RoomTypeUnfit,
    SeatTaken,
    Unauthenticated,
)
from qlive_core.signalling import AnswerPk, EndPk, Request, SignalCode, StartPk

CODES: dict[type[QliveError], SignalCode] = {
    Unauthenticated: SignalCode.TOKEN_INVALID,
    NotYourPk: SignalCode.NO_PERMISSION,
    NotYourRoom: SignalCode.NO_PERMISSION,
    NoSuchRoom: SignalCode.ROOM_NOT_FOUND,
    RoomBusy: SignalCode.ROOM_IN_PK,
    NotInPk: SignalCode.ROOM_NOT_IN_PK,
    RoomTypeUnfit: SignalCode.ROOM_TYPE_UNSUITABLE,
    InvalidSeat: SignalCode.INVALID_POSITION,
    SeatTaken: SignalCode.POSITION_TAKEN,
    NoSuchUser: SignalCode.PLAYER_NOT_FOUND,
    NotInRoom: SignalCode.PLAYER_NOT_IN_ROOM,
    AlreadyJoined: SignalCode.PLAYER_ALREADY_JOINED,
    NotJoined: SignalCode.PLAYER_NOT_JOINED,
    AppUnfit: SignalCode.APP_UNSUITABLE,
    InvalidParameter: SignalCode.INVALID_PARAMETER,
    Refused: SignalCode.INVALID_PARAMETER,
}

_SURVIVED: Mapping[type[Request], SignalCode] = {
    StartPk: SignalCode.ROOM_IN_PK,
    AnswerPk: SignalCode.ROOM_NOT_IN_PK,
    EndPk: SignalCode.ROOM_IN_PK,
}
"""What the first apps are told when a request fails through no fault of theirs.

The first Android app ends its live on every code but 10011, 10012 and 10013. Later ones also know 10016, which has
them show that a seat cannot be had; so it is for all that is about seats.
"""


def code_of(error: Exception, request: type[Request], *, has_announced: bool) -> SignalCode:
    """Return the code for a request that failed; ``has_announced`` tells that its app is newer than the first ones.

    What is refused has the code of the error's nearest class. Everything else (a store that is away, a race that
    was lost too often, a fault of ours) means that the user may try again.
    """
    if isinstance(error, Refused):
        return next(CODES[cls] for cls in type(error).__mro__ if cls in CODES)
    if has_announced:
        return SignalCode.TRY_AGAIN
    return _SURVIVED.get(request, SignalCode.POSITION_TAKEN)
