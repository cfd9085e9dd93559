"""Stores of facts: one atomic, guarded write per fact.

Every store enforces by itself, whoever else writes at the same time:

* ``add`` raises Duplicate if the identity or another unique field is taken;
* ``replace`` writes only if the stored revision is still the one in hand, and stores the next one;
* ``remove`` likewise removes only that revision.

Each write is durable when the call returns. Each method raises StoreUnavailable when the store cannot answer.
No method returns anything of a driver's; facts go in and come out.

What finds the remains of crashes (``hostless``, ``roomless``, ``unattended``) is asked again and again. A store that
holds very much may look at a part of it in each call, if a few calls see all of it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from qlive_core.model.account import Account
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, Outbox
from qlive_core.model.pk import Pk
from qlive_core.model.place import Place
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room
from qlive_core.model.session import Session
from qlive_core.model.sms import SendQuota, SmsCode

Fact = TypeVar("Fact")


class FactStore(Protocol[Fact]):
    """What every store of facts can do."""

    async def get(self, key: str) -> Fact | None:
        """Return the fact with that identity."""
        ...

    async def add(self, fact: Fact) -> None:
        """Keep a new fact, with the revision that it has. Raises Duplicate."""
        ...

    async def replace(self, fact: Fact) -> Fact:
        """Replace the fact whose revision is ``fact.rev``; return it with the next revision.

        Raises Stale if that revision is not the stored one (also if the fact is gone), and Duplicate if a
        unique field is taken.
        """
        ...

    async def remove(self, fact: Fact) -> None:
        """Remove the fact whose revision is ``fact.rev``. Raises Stale if that is not the stored one."""
        ...


class AccountStore(FactStore[Account], Protocol):
    """Accounts by id; ``phone`` is unique."""

    async def by_phone(self, phone: str) -> Account | None:
        """Return the account of that phone."""
        ...

    async def get_many(self, ids: Collection[str]) -> Mapping[str, Account]:
        """Return those accounts that exist, by id, in one query."""
        ...


class SmsCodeStore(FactStore[SmsCode], Protocol):
    """SMS codes by phone."""

    async def purge(self, sent_before: float) -> int:
        """Remove codes whose last sending lies before that time; return how many."""
        ...


class SendQuotaStore(FactStore[SendQuota], Protocol):
    """Sending quotas by client address."""

    async def purge(self, sent_before: float) -> int:
        """Remove quotas whose last sending lies before that time; return how many."""
        ...


class SessionStore(FactStore[Session], Protocol):
    """Sessions by user id; ``token_hash`` is unique."""

    async def by_token_hash(self, token_hash: str) -> Session | None:
        """Return the session that this token opens."""
        ...

    async def purge(self, expired_before: float) -> int:
        """Remove sessions that expired before that time; return how many."""
        ...


class RoomStore(Protocol):
    """Rooms by id; ``name`` and ``creator`` are unique."""

    async def get(self, key: str) -> Room | None:
        """Return the room with that id."""
        ...

    async def add(self, room: Room, *, limit: int) -> None:
        """Keep a new room. ``limit`` is the number of rooms there may be, 0 for any number.

        Raises Duplicate with ``unique`` "name", "creator" or "id", and RoomLimitReached, which is exact
        however many rooms are added at the same time.
        """
        ...

    async def replace(self, room: Room) -> Room:
        """As FactStore.replace."""
        ...

    async def remove(self, room: Room) -> None:
        """As FactStore.remove."""
        ...

    async def by_name(self, name: str) -> Room | None:
        """Return the room of that name."""
        ...

    async def by_creator(self, user_id: str) -> Room | None:
        """Return the room that this user hosts."""
        ...

    async def all(self) -> Sequence[Room]:
        """Return all rooms in creation order, oldest first; equal times in the order of ids."""
        ...

    async def count(self) -> int:
        """Return how many rooms there are."""
        ...

    async def hostless(self) -> Sequence[Room]:
        """Return rooms whose creator has no place that hosts them: what a crash left behind."""
        ...


class PlaceStore(FactStore[Place], Protocol):
    """Places by user id. No two places of a room have the same seat: Duplicate "seat"."""

    async def all(self) -> Sequence[Place]:
        """Return all places."""
        ...

    async def in_room(self, room_id: str) -> Sequence[Place]:
        """Return the places that name this room, lapsed ones too."""
        ...

    async def audience_numbers(self) -> Mapping[str, int]:
        """Return how many users are in the audience of each room; rooms without any are left out."""
        ...

    async def seats(self, room_id: str) -> Sequence[Place]:
        """Return the places in this room that have a seat, are invited to one or ask for one, in their order."""
        ...

    async def due(self, before: float) -> Sequence[Place]:
        """Return places whose request or invitation ends before that time."""
        ...

    async def clear_room(self, room_id: str) -> None:
        """Remove all places that name this room."""
        ...

    async def roomless(self) -> Sequence[Place]:
        """Return places whose room does not exist: what a crash left behind."""
        ...

    async def unattended(self) -> Sequence[Place]:
        """Return places, other than lapsed ones, of users who have no presence."""
        ...


class PkStore(FactStore[Pk], Protocol):
    """Live PKs by id. A room id may appear in at most one of them, on either side: Duplicate "room_id".

    A PK that is over is removed, so what the store holds is live.
    """

    async def of_room(self, room_id: str) -> Pk | None:
        """Return the live PK that this room is in."""
        ...

    async def all(self) -> Sequence[Pk]:
        """Return all live PKs."""
        ...

    async def due(self, before: float) -> Sequence[Pk]:
        """Return offers that expire before that time."""
        ...

    async def roomless(self) -> Sequence[Pk]:
        """Return live PKs one of whose rooms does not exist: what a crash or a lost race left behind."""
        ...


class PresenceStore(FactStore[Presence], Protocol):
    """Presences by user id."""

    async def get_many(self, user_ids: Collection[str]) -> Mapping[str, Presence]:
        """Return those presences that exist, by user id, in one query."""
        ...

    async def all(self) -> Sequence[Presence]:
        """Return all presences."""
        ...

    async def due(self, before: float) -> Sequence[Presence]:
        """Return presences that expire before that time."""
        ...

    async def expect_all(self, until: float, *, node: str) -> None:
        """Expect until then, in a few writes, whoever has a connection to another node than this, or a shorter lease."""
        ...


class FeedbackStore(Protocol):
    """Feedback, numbered from 1 without gaps that users could notice, and the mails about it."""

    async def add(self, feedback: Feedback, *, mail_at: float | None = None) -> int:
        """Keep it and return its number. With ``mail_at``, keep in the same write that a mail is due then."""
        ...

    async def get(self, number: int) -> Feedback | None:
        """Return the feedback of that number."""
        ...

    async def mails_due(self, now: float, *, limit: int) -> Sequence[FeedbackMail]:
        """Return the mails that are due by then, the longest due first, ``limit`` at most."""
        ...

    async def replace_mail(self, mail: FeedbackMail) -> FeedbackMail:
        """As FactStore.replace, for the mail; the feedback itself never changes."""
        ...

    async def outbox(self) -> Outbox:
        """Return how many mails wait, and until when."""
        ...
