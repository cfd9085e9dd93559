"""What answers say. The classes give the keys, their order and the published schemas."""

from collections.abc import Sequence
from typing import Any

from qlive_core.model.account import Account
from qlive_core.signalling.lenient_json import STRING, Shape, encode_fields, wire, wired
from qlive_core.usecases.directory import SeatHolder


def schema_reference(cls: type) -> dict[str, str]:
    """Return how the published document points to the schema of a class."""
    return {"$ref": f"#/components/schemas/{cls.__name__}"}


def _unread(value: Any) -> Any:
    # Answers are only ever written.
    raise TypeError(value)


def _nested(cls: type) -> Shape:
    return Shape(read=_unread, write=encode_fields, zero=None, schema=schema_reference(cls))


@wired
class ErrorAnswer:
    """What every error says. Act on `code`; `summary` names the kind and `message` says more, or nothing."""

    code: int = wire("code", example=404002)
    request_id: str = wire("requestID", example="CdSiiartgc4Ij-oY")
    summary: str = wire("summary", example="no such room")
    message: str = wire("message", example="")


@wired
class Person:
    """A user as others see him; all texts are empty for an account that is gone."""

    id: str = wire("id", example="gtqp8cmn2he8")
    nickname: str = wire("nickname", example="Ann")
    gender: str = wire("gender", example="female")
    avatar: str = wire("avatar", example="1.jpg")


def person(user_id: str, account: Account | None) -> Person:
    """Return the user as others see him."""
    if account is None:
        return Person(id=user_id, nickname="", gender="", avatar="")
    return Person(id=user_id, nickname=account.nickname, gender=account.gender, avatar=account.avatar)


@wired
class SeatPicture:
    """Who sits on a seat of a voice room."""

    position: int = wire("position", example=3, doc="The seat, 0 to 7.")
    id: str = wire("id", example="gtqp8cmn2he8")
    nickname: str = wire("nickname", example="Ann")
    gender: str = wire("gender", example="female")
    avatar: str = wire("avatar", example="1.jpg")


def seat_pictures(seats: Sequence[SeatHolder]) -> Sequence[SeatPicture] | None:
    """Return those who sit there; None, which is left out, if nobody does: apps crash on null."""
    pictures = [_seat_picture(seat.position, person(seat.user_id, seat.account)) for seat in seats]
    return pictures or None


def _seat_picture(position: int, who: Person) -> SeatPicture:
    return SeatPicture(
        position=position, id=who.id, nickname=who.nickname, gender=who.gender, avatar=who.avatar
    )


def _write_seats(pictures: Sequence[SeatPicture]) -> str:
    return "[" + ",".join(map(encode_fields, pictures)) + "]"


def _joined_audiences() -> Sequence[SeatPicture] | None:
    schema = {"type": "array", "items": schema_reference(SeatPicture)}
    field: Sequence[SeatPicture] | None = wire(
        "joinedAudiences",
        default=None,
        omit_empty=True,
        shape=Shape(read=_unread, write=_write_seats, zero=None, schema=schema),
        doc="Who sits on the seats of a voice room, in their order; absent if nobody does, and in lists.",
    )
    return field


@wired
class LoginAnswer:
    """The user's account and session, and where he is."""

    id: str = wire("id", example="gtqp8cmn2he8")
    nickname: str = wire("nickname", example="Ann")
    gender: str = wire("gender", example="")
    avatar: str = wire("avatar", example="1.jpg")
    token: str = wire("token", doc="For the Authorization header; the user's older token is dead.")
    status: str = wire(
        "status", example="idle", doc="idle, watching, singleLive, pkWait, pkLive, joinWait or joined."
    )
    room: str = wire("room", default="", omit_empty=True, doc="The room that the user is in, if any.")


@wired
class RoomPicture:
    """A room as its viewers see it."""

    id: str = wire("id", example="z97so92w0cnhkyz9")
    name: str = wire("name", example="Ann's room")
    type: str = wire("type", example="pk", doc="pk or voice.")
    creator: Person = wire("creator", shape=_nested(Person))
    play_url: str = wire("playURL", example="rtmp://play.example.com/hub/gtqp8cmn2he8")
    audience_number: int = wire("audienceNumber", example=0)
    status: str = wire("status", example="single", doc="single, waitPK, PK or voiceLive.")
    pk_anchor: Person | None = wire(
        "pkAnchor",
        default=None,
        omit_empty=True,
        shape=_nested(Person),
        doc="The other host, while the status is PK.",
    )
    joined_audiences: Sequence[SeatPicture] | None = _joined_audiences()


def _write_rooms(pictures: Sequence[str]) -> str:
    return "[" + ",".join(pictures) + "]"


_ROOMS = Shape(
    read=_unread,
    write=_write_rooms,
    zero=None,
    schema={"type": ["array", "null"], "items": schema_reference(RoomPicture)},
)


@wired
class RoomListAnswer:
    """Rooms. `rooms` takes the pictures as they were written before, for they are written once and shown often."""

    rooms: Sequence[str] | None = wire(
        "rooms", shape=_ROOMS, doc="null if there are none; of a page, an empty list."
    )
    next_cursor: str = wire(
        "nextCursor", default="", omit_empty=True, doc="Where the next page begins, while there is more."
    )


@wired
class HostedRoomAnswer:
    """What a host needs to go live."""

    room_id: str = wire("roomID", example="z97so92w0cnhkyz9")
    room_name: str = wire("roomName", example="Ann's room")
    rtc_room: str = wire("rtcRoom", example="z97so92w0cnhkyz9")
    rtc_room_token: str = wire("rtcRoomToken")
    ws_url: str = wire("wsURL", example="ws://qlive.example.com:8082/qlive")


@wired
class RenamedRoomAnswer:
    """The room under its new name."""

    room_id: str = wire("roomID", example="z97so92w0cnhkyz9")
    room_name: str = wire("roomName", example="Ann's room")


@wired
class EnteredRoomAnswer:
    """What a viewer needs. Only the audience of a voice room joins the RTC room and needs signalling."""

    room_id: str = wire("roomID", example="z97so92w0cnhkyz9")
    room_name: str = wire("roomName", example="Ann's room")
    room_type: str = wire("roomType", example="pk", doc="pk or voice.")
    play_url: str = wire("playURL", example="rtmp://play.example.com/hub/gtqp8cmn2he8")
    rtc_room_token: str = wire("rtcRoomToken", default="", omit_empty=True, doc="Voice rooms only.")
    creator: Person = wire("creator", shape=_nested(Person))
    status: str = wire("status", example="single", doc="single, waitPK, PK or voiceLive.")
    pk_anchor: Person | None = wire(
        "pkAnchor",
        default=None,
        omit_empty=True,
        shape=_nested(Person),
        doc="The other host, while the status is PK.",
    )
    joined_audiences: Sequence[SeatPicture] | None = _joined_audiences()
    ws_url: str = wire("wsURL", default="", omit_empty=True, doc="Voice rooms only.")


@wired
class ImTokenAnswer:
    """What a client needs to connect to the IM cloud."""

    user_id: str = wire("userID", example="gtqp8cmn2he8")
    token: str = wire("token")


@wired
class NothingAnswer:
    """An object without keys, which is what IM clouds want to hear."""


@wired
class UploadTokenAnswer:
    """A permission to upload one file until `expireAt` (Unix seconds)."""

    token: str = wire("token")
    expire_at: int = wire("expireAt", example=1700000000)


@wired
class FeedbackAnswer:
    """The number under which the feedback is kept, as text."""

    feedback_id: str = wire("feedbackID", example="1")


@wired
class HealthAnswer:
    """The process answers."""

    status: str = wire("status", example="ok")


def _write_texts(texts: Sequence[str]) -> str:
    return "[" + ",".join(map(STRING.write, texts)) + "]"


_TEXTS = Shape(
    read=_unread, write=_write_texts, zero=None, schema={"type": "array", "items": {"type": "string"}}
)


@wired
class ReadinessAnswer:
    """Whether the process can do its work, and what is wrong. `degraded` serves, but not all of it."""

    status: str = wire("status", example="ok", doc="ok, degraded or unready.")
    problems: Sequence[str] = wire("problems", shape=_TEXTS)


NESTED = (Person, SeatPicture, RoomPicture)
"""The classes that appear only within others."""
