"""How facts lie in MongoDB: one document class per collection, with the indexes that guard and find them.

``accounts``, ``feedbacks`` and ``_counter`` are the original's, with its field names; what else it wrote into
them stays. The other collections are ours alone: the original's rooms, active users and codes cannot be
trusted after a restart, so they keep their names and are left to ``qlive migrate``.

What ends by itself is removed by the sweep; the TTL indexes over ``ttl_from`` only catch what a sweep never came
to. The one over ``removed`` buries the tombstones of facts (see ``facts.py``): they have no other field
than that, so the unique indexes leave out documents without the field that they guard.
"""

from datetime import datetime

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel

from qlive_adapters.mongo.times import EPOCH

DAY_S = 86_400


def _index(*fields: str) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields])


def _unique(field: str) -> IndexModel:
    return IndexModel([(field, ASCENDING)], unique=True, sparse=True)


def _ttl(after_s: int) -> IndexModel:
    return IndexModel([("ttl_from", ASCENDING)], expireAfterSeconds=after_s)


_TOMBSTONES = IndexModel([("removed", ASCENDING)], expireAfterSeconds=0, sparse=True)


class KeyedDocument(Document):
    """A document under a key of our own."""

    id: str  # type: ignore[assignment]  # Beanie's own default is an ObjectId


class AccountDocument(KeyedDocument):
    """An account. The original left the avatar out when it was empty, and knew no revisions: 0."""

    phone: str = Field("", alias="phoneNumber")
    nickname: str = ""
    gender: str = ""
    avatar: str = Field("", alias="avatarURL")
    register_time: datetime = Field(EPOCH, alias="registerTime")
    last_login_time: datetime = Field(EPOCH, alias="lastLoginTime")
    registered_at: float | None = None
    last_login_at: float | None = None
    rev: int = 0

    class Settings:
        name = "accounts"
        # All strings, the empty one too, but not rows of the original that lack a phone.
        indexes = (
            IndexModel(
                [("phoneNumber", ASCENDING)],
                unique=True,
                partialFilterExpression={"phoneNumber": {"$gte": ""}},
            ),
            _TOMBSTONES,
        )


class SmsCodeDocument(KeyedDocument):
    """The code of a phone; ``ttl_from`` is when the last one was sent."""

    salt: str
    code_hash: str
    expires_at: float
    attempts_left: int
    sent_at: list[float]
    ttl_from: datetime
    rev: int

    class Settings:
        name = "sms_codes"
        indexes = (_ttl(2 * DAY_S), _TOMBSTONES)


class SendQuotaDocument(KeyedDocument):
    """The sending quota of a client address; ``ttl_from`` is when the last code was asked for."""

    sent_at: list[float]
    ttl_from: datetime
    rev: int

    class Settings:
        name = "send_quotas"
        indexes = (_ttl(DAY_S), _TOMBSTONES)


class SessionDocument(KeyedDocument):
    """The session of a user; ``ttl_from`` is when it expires."""

    token_hash: str
    expires_at: float
    ttl_from: datetime
    rev: int

    class Settings:
        name = "sessions"
        indexes = (_unique("token_hash"), _ttl(DAY_S), _TOMBSTONES)


class RoomDocument(KeyedDocument):
    """A room. ``slot`` is its number among those that the limit allows; see ``MongoRooms``."""

    name: str
    type: str
    creator: str
    created_at: float
    locked_seats: tuple[int, ...] = ()
    rev: int
    slot: int | None = None

    class Settings:
        name = "live_rooms"
        indexes = (
            _unique("name"),
            _unique("creator"),
            IndexModel([("slot", ASCENDING)], unique=True, partialFilterExpression={"slot": {"$gt": 0}}),
            _TOMBSTONES,
        )


class PlaceDocument(KeyedDocument):
    """The place of a user. ``since`` is missing from places of the first version."""

    room_id: str
    kind: str
    since: float | None = None
    seat: int | None = None
    seat_until: float | None = None
    muted: bool = False
    rev: int

    class Settings:
        name = "places"
        indexes = (
            _index("room_id", "kind"),
            # The seat comes first: a refusal is told by the first field of its index.
            IndexModel(
                [("seat", ASCENDING), ("room_id", ASCENDING)],
                unique=True,
                partialFilterExpression={"seat": {"$gte": 0}},
            ),
            IndexModel([("seat_until", ASCENDING)], partialFilterExpression={"seat_until": {"$gt": 0}}),
            _TOMBSTONES,
        )


class PkDocument(KeyedDocument):
    """A live PK. ``rooms`` holds both room ids: a unique index over the list lets each be in one PK only."""

    state: str
    proposer_user: str
    target_user: str
    rooms: tuple[str, str]
    offer_expires_at: float
    rev: int

    class Settings:
        name = "pks"
        indexes = (_unique("rooms"), _index("offer_expires_at"), _TOMBSTONES)


class PresenceDocument(KeyedDocument):
    """The presence of a user."""

    connection_id: str
    node: str
    expires_at: float | None
    capabilities: tuple[str, ...] = ()
    rev: int
    im: bool = False

    class Settings:
        name = "presences"
        indexes = (_index("expires_at"), _TOMBSTONES)


class MailPart(BaseModel):
    """The mail about a piece of feedback. ``due_at`` is there only while it waits."""

    state: str
    due_at: float | None = None
    tries: int
    rev: int


class FeedbackDocument(KeyedDocument):
    """Feedback under its number, in decimal digits. ``mail`` is there only if there is to be one."""

    sender: str = ""
    content: str = ""
    attachment: str = ""
    send_time: datetime = Field(EPOCH, alias="sendTime")
    sent_at: float | None = None
    mail: MailPart | None = None

    class Settings:
        name = "feedbacks"
        indexes = (IndexModel([("mail.due_at", ASCENDING)], sparse=True),)


class CounterDocument(KeyedDocument):
    """What number comes next."""

    seq: int

    class Settings:
        name = "_counter"


DOCUMENTS = (
    AccountDocument,
    SmsCodeDocument,
    SendQuotaDocument,
    SessionDocument,
    RoomDocument,
    PlaceDocument,
    PkDocument,
    PresenceDocument,
    FeedbackDocument,
    CounterDocument,
)
