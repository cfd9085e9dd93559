"""What requests say in their bodies. Fields are read leniently: absent or null is empty."""

from qlive_core.model.room import NAME_MAX_CHARACTERS
from qlive_core.model.texts import ATTACHMENT, AVATAR, FEEDBACK, FILENAME, GENDER, NICKNAME
from qlive_core.signalling.lenient_json import wire, wired


def _ignored() -> str:
    field: str = wire("userID", default="", example="gtqp8cmn2he8", doc="Ignored: the token says who calls.")
    return field


@wired
class LoginBody:
    """A phone and the code that was sent to it."""

    phone: str = wire("phoneNumber", example="13800000001")
    code: str = wire("smsCode", example="123456")


@wired
class ProfileBody:
    """The parts of a profile that change; empty ones stay as they are."""

    nickname: str = wire("nickname", default="", example="Ann", max_characters=NICKNAME.most)
    gender: str = wire("gender", default="", example="female", max_characters=GENDER.most)
    avatar: str = wire("avatar", default="", example="1.jpg", max_characters=AVATAR.most)


@wired
class CreateRoomBody:
    """The room that a host wants to open."""

    user_id: str = _ignored()
    name: str = wire(
        "roomName",
        example="Ann's room",
        max_characters=NAME_MAX_CHARACTERS,
        doc="1 to 100 characters, unique.",
    )
    type: str = wire("roomType", default="", example="pk", doc='"pk" or "voice"; empty means "pk".')


@wired
class RenameRoomBody:
    """The new name of a room."""

    name: str = wire(
        "roomName",
        example="Ann's room",
        max_characters=NAME_MAX_CHARACTERS,
        doc="1 to 100 characters, unique.",
    )


@wired
class RoomBody:
    """The room that is meant."""

    user_id: str = _ignored()
    room_id: str = wire("roomID", example="z97so92w0cnhkyz9")


@wired
class LeaveRoomBody:
    """Leaving needs no words; the room is not looked at."""

    user_id: str = _ignored()
    room_id: str = wire("roomID", default="", example="z97so92w0cnhkyz9")


@wired
class UploadTokenBody:
    """The file that is to be uploaded."""

    filename: str = wire("filename", default="", example="feedback/1.log", max_characters=FILENAME.most)
    expire_s: int = wire(
        "expireSeconds", default=0, example=3600, doc="0 or less means an hour; a day is the most."
    )


@wired
class FeedbackBody:
    """What a user tells the operators."""

    content: str = wire("content", default="", example="The picture freezes.", max_characters=FEEDBACK.most)
    attachment: str = wire(
        "attachment",
        default="",
        example="feedback/1.log",
        max_characters=ATTACHMENT.most,
        doc="URL or uploaded file.",
    )
