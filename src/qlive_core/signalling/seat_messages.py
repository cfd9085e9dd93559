"""The messages about seats in voice rooms, and the announcement of what an app can show.

The first half is the original's, with its order of keys. The second half is for apps that have announced the
capability "seats"; nobody else is sent any of it.
"""

from types import MappingProxyType

from qlive_core.signalling.lenient_json import INTEGER, STRING, Shape, wire
from qlive_core.signalling.messages import FLAG, Push, Reply, Request, message

__all__ = [
    "Announce",
    "AnnounceRes",
    "AnswerInvite",
    "AnswerInviteRes",
    "AnswerJoin",
    "AnswerJoinRes",
    "EmptySeat",
    "EmptySeatRes",
    "EndJoin",
    "EndJoinRes",
    "InviteJoin",
    "InviteJoinRes",
    "LockSeat",
    "LockSeatRes",
    "MoveSeat",
    "MoveSeatRes",
    "MuteSeat",
    "MuteSeatRes",
    "OnAudienceJoin",
    "OnInviteAnswer",
    "OnInviteTimeout",
    "OnJoinAnswer",
    "OnJoinEnd",
    "OnJoinInvite",
    "OnJoinRequest",
    "OnJoinTimeout",
    "OnSeatLock",
    "OnSeatMove",
    "OnSeatMute",
    "OnSeats",
    "StartJoin",
    "StartJoinRes",
]


def _list_of(item: Shape) -> Shape:
    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise TypeError
        return tuple(item.read(each) for each in value)

    def write(values: tuple[object, ...]) -> str:
        return "[" + ",".join(map(item.write, values)) + "]"

    schema = MappingProxyType({"type": "array", "items": dict(item.schema)})
    return Shape(read=read, write=write, zero=(), schema=schema)


_TEXTS, _NUMBERS = _list_of(STRING), _list_of(INTEGER)


def _room_id() -> str:
    field: str = wire("roomID", example="20fz8422yf6ta3j2", doc="The voice room.")
    return field


def _listener() -> str:
    field: str = wire("reqUserID", example="n6efsu3kjbvt", doc="The one in the audience who is concerned.")
    return field


def _position() -> int:
    field: int = wire("position", example=3, doc="The seat, 0 to 7.")
    return field


def _nickname() -> str:
    field: str = wire("nickname", example="用户_1001", doc="His nickname; empty for an account that is gone.")
    return field


def _gender() -> str:
    field: str = wire("gender", example="", doc="His gender, as his app chose it.")
    return field


def _avatar() -> str:
    field: str = wire("avatar", example="2.jpg", doc="His picture.")
    return field


def _remark() -> str:
    field: str = wire("message", default="", example="", doc="Read and passed on to nobody.")
    return field


# --- asking for a seat --------------------------------------------------------------------------------------------


@message
class StartJoinRes(Reply):
    """Whether the request for a seat was passed on."""

    TYPE = "start-join-res"


@message
class StartJoin(Request):
    """Ask the host of the voice room that one watches for a seat."""

    TYPE = "start-join"
    REPLY = StartJoinRes

    room_id: str = _room_id()
    position: int = _position()
    message: str = _remark()


@message
class AnswerJoinRes(Reply):
    """Whether the answer to the request counted."""

    TYPE = "answer-join-res"


@message
class AnswerJoin(Request):
    """Give the seat that somebody asks for, or refuse it."""

    TYPE = "answer-join"
    REPLY = AnswerJoinRes

    room_id: str = _room_id()
    req_user_id: str = _listener()
    accept: bool = wire("accept", shape=FLAG, example=True, doc="Absent means false.")
    message: str = _remark()


@message
class EndJoinRes(Reply):
    """Whether the seat was left, or the request withdrawn."""

    TYPE = "end-join-res"


@message
class EndJoin(Request):
    """Leave one's seat, or withdraw one's request for one; the sender goes on watching."""

    TYPE = "end-join"
    REPLY = EndJoinRes

    room_id: str = _room_id()
    req_user_id: str = wire(
        "reqUserID", default="", example="n6efsu3kjbvt", doc="Not looked at: everybody leaves his own seat."
    )


@message
class OnJoinRequest(Push):
    """Somebody asks the host for a seat."""

    TYPE = "on-join-request"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    nickname: str = _nickname()
    gender: str = _gender()
    avatar: str = _avatar()
    position: int = _position()


@message
class OnJoinAnswer(Push):
    """The host answered one's request for a seat."""

    TYPE = "on-join-answer"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    accept: bool = wire("accept", example=True, doc="Whether the seat is his.")
    position: int = wire("position", example=3, doc="The seat, 0 to 7; 0 if it was refused.")


@message
class OnAudienceJoin(Push):
    """Somebody has taken a seat; he himself is not told this."""

    TYPE = "on-audience-join"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    position: int = _position()
    gender: str = _gender()
    nickname: str = _nickname()
    avatar: str = _avatar()


@message
class OnJoinEnd(Push):
    """Somebody has no seat any more. He himself is told this only if the host took it from him."""

    TYPE = "on-join-end"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    position: int = _position()
    gender: str = _gender()
    nickname: str = _nickname()
    avatar: str = _avatar()


@message
class OnJoinTimeout(Push):
    """A request for a seat ended without an answer; the host hears the same when it was withdrawn."""

    TYPE = "on-join-timeout"

    room_id: str = _room_id()
    req_user_id: str = _listener()


# --- what an app can show -----------------------------------------------------------------------------------------


@message
class AnnounceRes(Reply):
    """What this server could send of what was announced, and of what was not."""

    TYPE = "announce-res"

    capabilities: tuple[str, ...] = wire(
        "capabilities", default=(), shape=_TEXTS, example=["seats"], doc="All that this server knows."
    )


@message
class Announce(Request):
    """Say what one's app can show beyond the first apps. Counts until the user leaves, on later connections too."""

    TYPE = "announce"
    REPLY = AnnounceRes

    capabilities: tuple[str, ...] = wire(
        "capabilities",
        shape=_TEXTS,
        example=["seats"],
        doc='In place of what was announced before. "seats": invitations, moves, mutes and locks of seats.',
    )


@message
class OnSeats(Push):
    """What else there is to know of the seats of the voice room that one is in; after announcing and entering."""

    TYPE = "on-seats"

    room_id: str = _room_id()
    locked: tuple[int, ...] = wire(
        "locked", shape=_NUMBERS, example=[7], doc="Seats that cannot be asked for."
    )
    muted: tuple[int, ...] = wire("muted", shape=_NUMBERS, example=[3], doc="Seats whose holders are muted.")


# --- what hosts do with seats; needs "seats" on both sides ---------------------------------------------------------


@message
class InviteJoinRes(Reply):
    """Whether the invitation was passed on."""

    TYPE = "invite-join-res"


@message
class InviteJoin(Request):
    """Invite somebody in the audience to a seat; a locked one, too."""

    TYPE = "invite-join"
    REPLY = InviteJoinRes

    room_id: str = _room_id()
    req_user_id: str = _listener()
    position: int = _position()


@message
class AnswerInviteRes(Reply):
    """Whether the answer to the invitation counted."""

    TYPE = "answer-invite-res"


@message
class AnswerInvite(Request):
    """Take the seat that one is invited to, or decline."""

    TYPE = "answer-invite"
    REPLY = AnswerInviteRes

    room_id: str = _room_id()
    accept: bool = wire("accept", shape=FLAG, example=True, doc="Absent means false.")


@message
class OnJoinInvite(Push):
    """The host invites one to a seat."""

    TYPE = "on-join-invite"

    room_id: str = _room_id()
    user_id: str = wire("userID", example="2l2veq8448ae", doc="The host.")
    nickname: str = wire("nickname", example="用户_1000", doc="The host's nickname.")
    position: int = _position()


@message
class OnInviteAnswer(Push):
    """Whom the host invited has answered."""

    TYPE = "on-invite-answer"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    accept: bool = wire("accept", example=True, doc="Whether he takes the seat.")
    position: int = _position()


@message
class OnInviteTimeout(Push):
    """An invitation ended without an answer; the host hears the same when the invited one has left."""

    TYPE = "on-invite-timeout"

    room_id: str = _room_id()
    req_user_id: str = _listener()


@message
class MoveSeatRes(Reply):
    """Whether the move took place."""

    TYPE = "move-seat-res"


@message
class MoveSeat(Request):
    """Move somebody from his seat to a free one; a locked one, too."""

    TYPE = "move-seat"
    REPLY = MoveSeatRes

    room_id: str = _room_id()
    req_user_id: str = _listener()
    position: int = _position()


@message
class OnSeatMove(Push):
    """Somebody sits elsewhere now. Other apps are told that he left the one seat and took the other."""

    TYPE = "on-seat-move"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    from_position: int = wire("from", example=3, doc="The seat that is free now.")
    position: int = _position()


@message
class MuteSeatRes(Reply):
    """Whether it is so now."""

    TYPE = "mute-seat-res"


@message
class MuteSeat(Request):
    """Mute somebody on a seat, or let him be heard again; his app does it."""

    TYPE = "mute-seat"
    REPLY = MuteSeatRes

    room_id: str = _room_id()
    req_user_id: str = _listener()
    muted: bool = wire("muted", shape=FLAG, example=True, doc="Absent means false.")


@message
class OnSeatMute(Push):
    """Somebody on a seat is muted, or heard again."""

    TYPE = "on-seat-mute"

    room_id: str = _room_id()
    req_user_id: str = _listener()
    position: int = _position()
    muted: bool = wire("muted", example=True, doc="Whether he is muted.")


@message
class LockSeatRes(Reply):
    """Whether it is so now."""

    TYPE = "lock-seat-res"


@message
class LockSeat(Request):
    """Let nobody ask for a seat, or let them again. Who sits there stays."""

    TYPE = "lock-seat"
    REPLY = LockSeatRes

    room_id: str = _room_id()
    position: int = _position()
    locked: bool = wire("locked", shape=FLAG, example=True, doc="Absent means false.")


@message
class OnSeatLock(Push):
    """A seat can be asked for no more, or again."""

    TYPE = "on-seat-lock"

    room_id: str = _room_id()
    position: int = _position()
    locked: bool = wire("locked", example=True, doc="Whether it is locked.")


@message
class EmptySeatRes(Reply):
    """Whether the seat was emptied."""

    TYPE = "empty-seat-res"


@message
class EmptySeat(Request):
    """Take the seat from whoever sits there; he goes on watching."""

    TYPE = "empty-seat"
    REPLY = EmptySeatRes

    room_id: str = _room_id()
    position: int = _position()
