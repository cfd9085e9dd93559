"""Which signalling code an error is answered with."""

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
from qlive_core.signalling import SignalCode

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
    # The oldest app ends its stream on codes that it does not know; this one makes it show a message.
    Refused: SignalCode.INVALID_PARAMETER,
    QliveError: SignalCode.INVALID_PARAMETER,
}


def code_of(error: QliveError) -> SignalCode:
    """Return the code of the error's nearest class."""
    return next(CODES[cls] for cls in type(error).__mro__ if cls in CODES)
