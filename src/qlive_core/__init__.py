"""The rules of interactive live streaming, for any Python service: facts, machines, use cases, signalling.

Nothing here reads a clock, rolls dice, logs, waits for a socket or starts a task. Times and ids are arguments;
the world comes in through the ports of :mod:`qlive_core.ports`; what is to happen goes out as data.

Decisions are pure. A PK is offered, accepted and ended, with values alone; each decision says what the PK becomes
and who is told:

    >>> from qlive_core import NotInPk, Pk, PkEvent, PkState, Role, Side, decide
    >>> ada, bo = Side(user_id="ada", room_id="room-of-ada"), Side(user_id="bo", room_id="room-of-bo")
    >>> offer = Pk("pk-1", PkState.OFFERED, proposer=ada, target=bo, offer_expires_at=110.0)
    >>> accepted = decide(offer, PkEvent.ACCEPT, Role.TARGET, now=104.0)
    >>> accepted.pk.state, accepted.tell, accepted.news.value
    (<PkState.LIVE: 'live'>, (<Role.PROPOSER: 'proposer'>,), 'on-pk-answer')
    >>> ended = decide(accepted.pk, PkEvent.END, Role.PROPOSER, now=250.0)
    >>> ended.pk.state, ended.tell, ended.news.value
    (<PkState.ENDED: 'ended'>, (<Role.TARGET: 'target'>,), 'on-pk-end')

What the table of the machine does not know cannot happen, and changes nothing:

    >>> try:
    ...     decide(offer, PkEvent.ACCEPT, Role.PROPOSER, now=104.0)
    ... except NotInPk as refusal:
    ...     print(refusal.code)
    pk.not_in_pk

Statuses are functions of facts, never facts themselves:

    >>> from qlive_core import Room, RoomType, room_status
    >>> room = Room("room-of-ada", "Evening songs", RoomType.PK, creator="ada", created_at=90.0)
    >>> [room_status(room, pk).value for pk in (None, offer, accepted.pk)]
    ['single', 'waitPK', 'PK']

Signalling, in :mod:`qlive_core.signalling`, is frames to messages and back, for servers and clients alike:

    >>> from qlive_core.signalling import decode_server
    >>> decode_server('on-pk-end={"pkRoomID":"room-of-ada"}')
    OnPkEnd(pk_room_id='room-of-ada')

The use cases (``Battles``, ``Rooms``, ...) join all of this over the ports: load facts, decide, commit, and
return an ``Outcome`` of reply and effects. A service that brings its own stores gives them to these classes.
"""

from qlive_core.effects import (
    Arm,
    CloseChat,
    Compose,
    Count,
    CountSeat,
    DeadlineKind,
    Disarm,
    Effect,
    HangUp,
    HangUpReason,
    Hold,
    LetGo,
    MailQueued,
    Notify,
    OpenChat,
    Outcome,
    StopComposing,
)
from qlive_core.errors import (
    Conflict,
    Duplicate,
    Forbidden,
    Invalid,
    Limited,
    LostRace,
    MailRefused,
    NotFound,
    NotInPk,
    QliveError,
    Refused,
    Stale,
    Unauthenticated,
    Unavailable,
)
from qlive_core.model.account import Account
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, MailState, Outbox
from qlive_core.model.pk import Decision, News, Pk, PkEvent, PkState, Role, Side, decide
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence, PresenceEvent, PresenceState
from qlive_core.model.room import Room, RoomType
from qlive_core.model.seat import (
    Party,
    SeatDecision,
    SeatEvent,
    SeatNews,
    SeatOutcome,
    decide_seat,
    seat_number,
)
from qlive_core.model.session import Session
from qlive_core.model.sms import SendQuota, SmsCode
from qlive_core.model.status import RoomStatus, UserStatus, room_status, user_status
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.audience import Audience
from qlive_core.usecases.battles import Answered, Battles, Relay
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.directory import Directory, Page, Query, RoomFacts, SeatHolder
from qlive_core.usecases.feedback_mails import FeedbackMails, MailFate, MailNews
from qlive_core.usecases.rooms import HostedRoom, Rooms
from qlive_core.usecases.seat_control import SeatControl
from qlive_core.usecases.seating import Seating
from qlive_core.usecases.seats import Seats
from qlive_core.usecases.sessions import LoggedIn, Sessions
from qlive_core.usecases.sweep import Sweep
from qlive_core.usecases.uploads import UploadPermission, Uploads
from qlive_core.usecases.whereabouts import Here, Whereabouts

__all__ = [
    "Account",
    "Answered",
    "Arm",
    "Attendance",
    "Audience",
    "Battles",
    "CloseChat",
    "Codes",
    "Compose",
    "Conflict",
    "Count",
    "CountSeat",
    "DeadlineKind",
    "Decision",
    "Departure",
    "Directory",
    "Disarm",
    "Duplicate",
    "Effect",
    "Feedback",
    "FeedbackMail",
    "FeedbackMails",
    "Forbidden",
    "HangUp",
    "HangUpReason",
    "Here",
    "Hold",
    "HostedRoom",
    "Invalid",
    "LetGo",
    "Limited",
    "LoggedIn",
    "LostRace",
    "MailFate",
    "MailNews",
    "MailQueued",
    "MailRefused",
    "MailState",
    "News",
    "NotFound",
    "NotInPk",
    "Notify",
    "OpenChat",
    "Outbox",
    "Outcome",
    "Page",
    "Party",
    "Pk",
    "PkEvent",
    "PkState",
    "Place",
    "PlaceKind",
    "Presence",
    "PresenceEvent",
    "PresenceState",
    "QliveError",
    "Query",
    "Refused",
    "Relay",
    "Role",
    "Room",
    "RoomFacts",
    "RoomStatus",
    "RoomType",
    "Rooms",
    "Rules",
    "SeatControl",
    "SeatDecision",
    "SeatEvent",
    "SeatHolder",
    "SeatNews",
    "SeatOutcome",
    "Seating",
    "Seats",
    "SendQuota",
    "Session",
    "Sessions",
    "Side",
    "SmsCode",
    "Stale",
    "StopComposing",
    "Sweep",
    "Unauthenticated",
    "Unavailable",
    "UploadPermission",
    "Uploads",
    "UserStatus",
    "Whereabouts",
    "decide",
    "decide_seat",
    "room_status",
    "seat_number",
    "user_status",
]
