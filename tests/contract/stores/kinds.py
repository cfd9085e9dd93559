"""The eight kinds of facts, so that what holds for all of them is said once."""

from collections.abc import Callable
from typing import Any, Protocol

from attrs import evolve, frozen

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.model.account import Account
from qlive_core.model.pk import Pk, PkState, Side
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room, RoomType
from qlive_core.model.session import Session
from qlive_core.model.sms import SendQuota, SmsCode


class Ground(Protocol):
    """A fresh set of stores, and a way to open the same one anew."""

    @property
    def stores(self) -> Stores:
        """The stores that are open now."""
        ...

    async def reopen(self) -> None:
        """Close the stores; from then on ``stores`` are new ones over the same data."""
        ...

    async def close(self) -> None:
        """Close the stores."""
        ...


@frozen(repr=False)
class Kind:
    """One kind of fact.

    ``make`` returns a fact with number ``n`` in all that is unique and ``text`` in its words; ``change``
    returns it with another value in a field that is not unique. ``take`` returns the second fact with the
    first one's value in a field that must be unique, by the name of that field.
    """

    name: str
    key: str
    make: Callable[[int, str], Any]
    change: Callable[[Any, float], Any]
    take: dict[str, Callable[[Any, Any], Any]]

    def __repr__(self) -> str:
        return self.name

    def store(self, stores: Stores) -> Any:
        """Return the store of this kind."""
        return getattr(stores, self.name)

    def key_of(self, fact: Any) -> str:
        """Return the fact's identity."""
        key: str = getattr(fact, self.key)
        return key

    async def add(self, stores: Stores, fact: Any) -> None:
        """Add the fact; rooms without any limit."""
        limit = {"limit": 0} if self.name == "rooms" else {}
        await self.store(stores).add(fact, **limit)

    async def get(self, stores: Stores, fact: Any) -> Any:
        """Return what is stored under the fact's identity."""
        return await self.store(stores).get(self.key_of(fact))


def _with(field: str) -> Callable[[Any, Any], Any]:
    return lambda taken, fact: evolve(fact, **{field: getattr(taken, field)})


def a_room(n: int, text: str = "", *, created_at: float = 0.0) -> Room:
    """Return room ``n``, which user ``n`` hosts."""
    return Room(f"room{n}", f"name{n}{text}", RoomType.PK, f"user{n}", created_at)


def a_pk(
    n: int, proposer: int, target: int, *, state: PkState = PkState.OFFERED, expires: float = 10.0
) -> Pk:
    """Return PK ``n`` between two rooms, given by their numbers."""
    sides = Side(f"user{proposer}", f"room{proposer}"), Side(f"user{target}", f"room{target}")
    return Pk(f"pk{n}", state, *sides, expires)


def _sides_swapped(taken: Pk, pk: Pk) -> Pk:
    return evolve(pk, target=taken.proposer)


def _seat_of(taken: Place, place: Place) -> Place:
    return evolve(place, room_id=taken.room_id, seat=taken.seat)


ACCOUNTS = Kind(
    "accounts",
    "id",
    lambda n, text: Account(f"user{n}", f"phone{n}{text}", text, f"g{text}", f"a{text}", 1.5, 2.25),
    lambda account, value: account.logged_in(value),
    {"phone": _with("phone")},
)
SMS_CODES = Kind(
    "sms_codes",
    "phone",
    lambda n, text: SmsCode(f"phone{n}{text}", text, f"h{text}", 99.5, 5, (1.1, 2.2, 1763881262.123456)),
    lambda code, value: evolve(code, attempts_left=code.attempts_left - 1, sent_at=(*code.sent_at, value)),
    {},
)
SEND_QUOTAS = Kind(
    "send_quotas",
    "address",
    lambda n, text: SendQuota(f"address{n}{text}", ()),
    lambda quota, value: evolve(quota, sent_at=(*quota.sent_at, value)),
    {},
)
SESSIONS = Kind(
    "sessions",
    "user_id",
    lambda n, text: Session(f"user{n}{text}", f"hash{n}{text}", 50.125),
    lambda session, value: evolve(session, expires_at=value),
    {"token_hash": _with("token_hash")},
)
ROOMS = Kind(
    "rooms",
    "id",
    a_room,
    lambda room, value: evolve(room, type=RoomType.VOICE, created_at=value, locked_seats=frozenset({0, 7})),
    {"name": _with("name"), "creator": _with("creator")},
)
PLACES = Kind(
    "places",
    "user_id",
    lambda n, text: Place(
        f"user{n}{text}", f"room{text}", PlaceKind.SEATED, 1763881262.123456, n, 1763881272.5, muted=True
    ),
    lambda place, value: Place(place.user_id, f"room{value}", PlaceKind.HOSTING, since=value, rev=place.rev),
    {"seat": _seat_of},
)
PKS = Kind(
    "pks",
    "id",
    lambda n, text: Pk(
        f"pk{n}", PkState.OFFERED, Side(f"h{text}", f"home{n}{text}"), Side(f"a{text}", f"away{n}{text}"), 7.5
    ),
    lambda pk, value: evolve(pk, state=PkState.LIVE, offer_expires_at=value),
    {"room_id": _sides_swapped},
)
PRESENCES = Kind(
    "presences",
    "user_id",
    lambda n, text: Presence(f"user{n}{text}", text, f"n{text}", None),
    lambda presence, value: evolve(presence.until(value).able(["seats"]), im=True),
    {},
)

KINDS = (ACCOUNTS, SMS_CODES, SEND_QUOTAS, SESSIONS, ROOMS, PLACES, PKS, PRESENCES)
UNIQUES = tuple((kind, unique) for kind in KINDS for unique in kind.take)
