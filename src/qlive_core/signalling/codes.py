"""The numbers that clients act on: codes of replies and of close frames."""

from enum import IntEnum
from typing import Self

__all__ = ["CloseCode", "SignalCode"]


class SignalCode(IntEnum):
    """The code of a reply; ``text`` is what goes beside it. Apps act on the number, some show the text."""

    text: str

    def __new__(cls, value: int, text: str) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    OK = 0, ""
    UNKNOWN_MESSAGE = 10001, "unknown message"
    TOKEN_INVALID = 10002, "token invalid"
    NO_PERMISSION = 10003, "no permission"
    ROOM_NOT_FOUND = 10011, "room no exist"
    ROOM_IN_PK = 10012, "room in PK"
    ROOM_NOT_IN_PK = 10013, "room not in PK"
    ROOM_TYPE_UNSUITABLE = 10014, "room type does not support the request"
    INVALID_POSITION = 10015, "invalid join position"
    POSITION_TAKEN = 10016, "join position already ocuppied or requested by another audience"
    PLAYER_NOT_FOUND = 10021, "player no exist"
    PLAYER_OFFLINE = 10022, "player offline"
    PLAYER_NOT_IN_ROOM = 10023, "player not in room"
    PLAYER_ALREADY_JOINED = 10024, "player already joined or requested to join"
    PLAYER_NOT_JOINED = 10025, "player not joined"
    APP_UNSUITABLE = 10026, "player's app does not support the request"
    INVALID_PARAMETER = 10031, "invalid parameter"
    TRY_AGAIN = 10032, "cannot be done now, try again"
    """Nothing is wrong with the request. Only for apps that have announced something."""


class CloseCode(IntEnum):
    """Why the server closes a connection; ``reason`` goes into the close frame, if there is to be one."""

    reason: str

    def __new__(cls, value: int, reason: str) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.reason = reason
        return member

    NORMAL = 1000, "goodbye"
    """After ``disconnect``."""
    UNSUPPORTED_DATA = 1003, "binary frames are not supported"
    INVALID_FRAME = 1007, "not a type=body frame"
    POLICY_VIOLATION = 1008, "policy violation"
    """Not authorised in time, or flooding; the reason sent says which."""
    TOO_LONG = 1009, "message too long"
    SERVICE_RESTART = 1012, "shutting down"
    """The server goes away, or cannot tell now whether a token is good; connect again."""
    REPLACED = 4001, "replaced by a newer connection"
    LOGGED_OUT = 4002, "logged out"
    """The session ended, by logout or by a login elsewhere."""
    PONG_TIMEOUT = 4003, "pong timeout"
