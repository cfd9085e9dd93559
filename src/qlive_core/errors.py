"""Everything that can be refused, as one small tree.

QliveError
├── Refused                 a user asked for something that the rules do not allow
│   ├── Invalid             the request itself is wrong
│   ├── Unauthenticated     nobody, or nobody that we know
│   ├── Forbidden           somebody else's business
│   ├── NotFound
│   ├── Conflict            right in itself, but not in the present state
│   └── Limited             too often, too many
├── LostRace                a guarded write met a newer truth; decide again
│   ├── Stale
│   └── Duplicate
└── Unavailable             an outside part did not do its work in time
    └── MailRefused         and never will

Each class at the leaves has a stable machine ``code``. The core knows neither HTTP statuses nor signalling
numbers: the app maps codes to both, in one table each.
"""

from typing import ClassVar


class QliveError(Exception):
    """Root of all errors that qlive raises on purpose."""

    code: ClassVar[str] = "internal"


class Refused(QliveError):
    """The rules say no. ``detail`` is for the person who asked and holds nothing secret."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(Refused):
    """The request is wrong in itself, whatever the state."""


class Unauthenticated(Refused):
    """The caller is not known."""


class Forbidden(Refused):
    """The caller is known and may not."""


class NotFound(Refused):
    """What is named does not exist, or not for this caller."""


class Conflict(Refused):
    """Right in itself, but the present state does not allow it."""


class Limited(Refused):
    """Too often or too many."""


class BadRequest(Invalid):
    code = "request.malformed"


class InvalidPhoneNumber(Invalid):
    code = "phone.invalid"


class InvalidRoomName(Invalid):
    code = "room.name_invalid"


class UnsupportedRoomType(Invalid):
    code = "room.type_unsupported"


class UnsupportedLoginType(Invalid):
    code = "login.type_unsupported"


class InvalidParameter(Invalid):
    """A PK that cannot be: against oneself, or without a room of one's own."""

    code = "parameter.invalid"


class RoomTypeUnfit(Invalid):
    """The room is of a kind that does not know this request."""

    code = "room.type_unfit"


class InvalidSeat(Invalid):
    """No room has a seat at that position."""

    code = "seat.invalid"


class NotLoggedIn(Unauthenticated):
    code = "session.missing"


class BadToken(Unauthenticated):
    """The token is unknown, expired, replaced or revoked; the apps log out on it."""

    code = "session.bad_token"


class WrongSmsCode(Unauthenticated):
    code = "sms.wrong_code"


class OwnsAnotherRoom(Forbidden):
    code = "room.one_per_host"


class NotYourPk(Forbidden):
    code = "pk.not_yours"


class NotYourRoom(Forbidden):
    code = "room.not_yours"


class NoSuchRoom(NotFound):
    code = "room.not_found"


class NoSuchUser(NotFound):
    code = "user.not_found"


class RoomNameTaken(Conflict):
    code = "room.name_taken"


class UserBroadcasting(Conflict):
    code = "user.broadcasting"


class UserWatching(Conflict):
    code = "user.watching"


class UserJoined(Conflict):
    """The user has a seat, or asks for one, in another room."""

    code = "user.joined"


class NotInRoom(Conflict):
    """The user who is meant is not in that room."""

    code = "user.not_in_room"


class AppUnfit(Conflict):
    """An app that would have to show this has not announced that it can."""

    code = "user.app_unfit"


class SeatTaken(Conflict):
    """Somebody else has the seat, asks for it or is invited to it, or it is locked."""

    code = "seat.taken"


class AlreadyJoined(Conflict):
    """The user has a seat, asks for one or is invited to one; or is the host, who needs none."""

    code = "seat.already_joined"


class NotJoined(Conflict):
    """There is no seat, no request and no invitation that this could concern."""

    code = "seat.not_joined"


class RoomBusy(Conflict):
    """The room is in a PK or waits for one."""

    code = "pk.room_busy"


class NotInPk(Conflict):
    """There is no PK, or no open offer, that this request could concern."""

    code = "pk.not_in_pk"


class SmsCodeLimited(Limited):
    code = "sms.limited"


class RoomLimitReached(Limited):
    code = "room.limit"


class LostRace(QliveError):
    """A guarded write met a newer truth. Use cases load again and decide again, a bounded number of times."""

    code = "store.lost_race"


class Stale(LostRace):
    """The revision that the decision was made on is not the stored one any more.

    ``fact`` is the name of the fact's class and ``key`` its identity.
    """

    code = "store.stale"

    def __init__(self, fact: str, key: str) -> None:
        super().__init__(f"{fact} {key} has moved on")
        self.fact = fact
        self.key = key


class Duplicate(LostRace):
    """Something else holds what must be unique.

    ``fact`` is the name of the fact's class and ``unique`` the name of the field that must be unique.
    """

    code = "store.duplicate"

    def __init__(self, fact: str, unique: str) -> None:
        super().__init__(f"{fact}.{unique} is taken")
        self.fact = fact
        self.unique = unique


class Unavailable(QliveError):
    """An outside part failed or was too slow."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The store did not commit; whether the write took place is not known."""

    code = "store.unavailable"


class ProviderUnavailable(Unavailable):
    """A cloud (SMS, RTC, IM, mail) did not answer as needed. ``provider`` names it; its own words stay in the log."""

    code = "provider.unavailable"

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self.provider = provider


class MailRefused(Unavailable):
    """The mail server will take this mail neither now nor later; its own words stay in the log."""

    code = "mail.refused"
