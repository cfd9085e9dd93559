"""A whole core on the embedded store in memory, with a clock that the test sets by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar, cast

from qlive_adapters.local import FairTurns, HourlyAllowances, RecentSigns
from qlive_adapters.sqlite.store import SqliteStores
from qlive_core.effects import Effect, Notify, Outcome
from qlive_core.errors import ProviderUnavailable, QliveError
from qlive_core.ports import stores as ports
from qlive_core.ports.clouds import Permission
from qlive_core.rules import Rules
from qlive_core.signalling.messages import Push
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.audience import Audience
from qlive_core.usecases.battles import Battles
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.directory import Directory
from qlive_core.usecases.rooms import Rooms
from qlive_core.usecases.seat_control import SeatControl
from qlive_core.usecases.seating import Seating
from qlive_core.usecases.seats import Seats
from qlive_core.usecases.sessions import Sessions
from qlive_core.usecases.sweep import Sweep
from qlive_core.usecases.uploads import Uploads
from qlive_core.usecases.whereabouts import Whereabouts

T = TypeVar("T")
BeforeCall = Callable[[str, str], Awaitable[None]]
"""Is called before a store is, with the names of the store and of the method."""

LOOP = asyncio.new_event_loop()
WRITES = frozenset({"add", "replace", "remove", "clear_room"})
FIXED_CODE = "000000"
FIXED_PHONES = tuple(f"1390000000{n}" for n in range(6))
RULES = Rules(attachment_url_prefix="http://files.test", fixed_codes=dict.fromkeys(FIXED_PHONES, FIXED_CODE))


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, from a test that is not one itself."""
    return LOOP.run_until_complete(coroutine)


class HandClock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.wrong_by = 0.0

    def now(self) -> float:
        """Return the time as set."""
        return self.time

    def wall(self) -> float:
        """Return what the machine's clock shows, which somebody may have set wrong."""
        return self.time + self.wrong_by

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds


class CountedIds:
    """Counts where the real ones draw."""

    def __init__(self) -> None:
        self._drawn = 0

    def _next(self) -> int:
        self._drawn += 1
        return self._drawn

    def user_id(self) -> str:
        """Return 12 characters."""
        return f"user{self._next():08d}"

    def room_id(self) -> str:
        """Return 16 characters."""
        return f"room{self._next():012d}"

    def pk_id(self) -> str:
        """Return an id for a PK."""
        return f"pk{self._next()}"

    def session_token(self) -> str:
        """Return a token."""
        return f"token{self._next()}"

    def sms_code(self) -> str:
        """Return 6 digits."""
        return f"{self._next():06d}"

    def salt(self) -> str:
        """Return a salt."""
        return f"salt{self._next()}"

    def choose(self, options: Sequence[str]) -> str:
        """Return the first option."""
        return options[0]


class Postbox:
    """Takes codes for delivery, or fails to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.fails = False

    async def send_code(self, phone: str, code: str) -> None:
        """Keep the message, or raise ProviderUnavailable."""
        if self.fails:
            raise ProviderUnavailable("postbox")
        self.sent.append((phone, code))


class ReadableRtc:
    """Tokens that show what they permit."""

    def room_token(self, *, room_id: str, user_id: str, permission: Permission, now: float) -> str:
        """Return a token that names room, user and permission."""
        return f"rtc:{room_id}:{user_id}:{permission}"

    def play_url(self, host_id: str) -> str:
        """Return where that host can be watched."""
        return f"rtmp://play.test/{host_id}"


class ReadableUploads:
    """Upload tokens that show what they permit."""

    def upload_token(self, *, filename: str, user_id: str, deadline: int) -> str:
        """Return a token that names file, user and deadline."""
        return f"up:{filename}:{user_id}:{deadline}"


class _Gate:
    """A store, with somebody asked before each call."""

    def __init__(self, store: object, name: str, before: BeforeCall) -> None:
        self._store, self._name, self._before = store, name, before

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        call = getattr(self._store, method)

        async def gated(*args: object, **kwargs: object) -> object:
            await self._before(self._name, method)
            return await call(*args, **kwargs)

        return gated


class World:
    """One process of the core. Several may share the stores, one after the other or side by side."""

    def __init__(
        self,
        rules: Rules = RULES,
        *,
        stores: SqliteStores | None = None,
        clock: HandClock | None = None,
        ids: CountedIds | None = None,
        signs: RecentSigns | None = None,
        node: str = "node-1",
        before: BeforeCall | None = None,
    ) -> None:
        self.stores = stores or SqliteStores(":memory:")
        self.clock, self.ids, self.node, self.rules = clock or HandClock(), ids or CountedIds(), node, rules
        self.signs, self.sms, self.rtc = signs or RecentSigns(), Postbox(), ReadableRtc()
        self._before = before
        self.tokens: dict[str, str] = {}
        self.allowances = HourlyAllowances(self.clock.now)
        self._wire()

    def close(self) -> None:
        """Let go of the stores."""
        run(self.stores.close())

    def beside(self, before: BeforeCall | None = None, *, node: str | None = None) -> "World":
        """Return the same process with another gate, or one that calls itself ``node``, on the same stores."""
        return World(
            self.rules,
            stores=self.stores,
            clock=self.clock,
            ids=self.ids,
            signs=self.signs if node in (None, self.node) else None,
            node=node or self.node,
            before=before,
        )

    def _gated(self, store: T, name: str) -> T:
        return cast("T", _Gate(store, name, self._before)) if self._before else store

    def _wire(self) -> None:
        stores, clock, ids, rules = self.stores, self.clock, self.ids, self.rules
        accounts: ports.AccountStore = self._gated(stores.accounts, "accounts")
        sessions: ports.SessionStore = self._gated(stores.sessions, "sessions")
        rooms: ports.RoomStore = self._gated(stores.rooms, "rooms")
        places: ports.PlaceStore = self._gated(stores.places, "places")
        pks: ports.PkStore = self._gated(stores.pks, "pks")
        presences: ports.PresenceStore = self._gated(stores.presences, "presences")
        sms_codes: ports.SmsCodeStore = self._gated(stores.sms_codes, "sms_codes")
        quotas: ports.SendQuotaStore = self._gated(stores.send_quotas, "send_quotas")
        signs = self.signs
        self.whereabouts = Whereabouts(places, rooms, pks)
        seating = Seating(rooms, places, accounts, presences)
        self.departure = Departure(rooms, places, pks, presences, seating, signs, clock)
        self.codes = Codes(sms_codes, quotas, self.sms, FairTurns(), self.allowances, clock, ids, rules)
        self.sessions = Sessions(
            accounts, sessions, self.codes, self.whereabouts, self.departure, clock, ids, rules
        )
        self.attendance = Attendance(
            presences,
            places,
            self.sessions,
            self.departure,
            self.whereabouts,
            signs,
            clock,
            rules,
            self.node,
        )
        self.rooms = Rooms(
            rooms, places, self.whereabouts, self.attendance, self.departure, self.rtc, clock, ids, rules
        )
        self.audience = Audience(
            rooms, places, self.whereabouts, self.attendance, seating, signs, clock, rules
        )
        self.seats = Seats(rooms, places, accounts, seating, clock, rules)
        self.seat_control = SeatControl(rooms, places, accounts, seating, clock, rules)
        self.battles = Battles(rooms, pks, accounts, self.rtc, clock, ids, rules)
        self.directory = Directory(rooms, accounts, places, pks)
        self.uploads = Uploads(ReadableUploads(), stores.feedback, clock, rules)
        self.sweep = Sweep(
            rooms,
            places,
            pks,
            presences,
            sessions,
            sms_codes,
            quotas,
            self.attendance,
            self.departure,
            clock,
            rules,
        )

    # What tests do again and again.

    async def login(self, phone: str) -> tuple[str, str]:
        """Log in; return the user's id and token."""
        code = self.rules.fixed_codes.get(phone)
        if code is None:
            await self.codes.send(phone, phone)
            code = self.sms.sent[-1][1]
        reply = (await self.sessions.login(phone, code)).reply
        self.tokens[reply.account.id] = reply.token
        return reply.account.id, reply.token

    async def logout(self, user_id: str) -> Outcome[None]:
        """Log out with the token of the user's last login here."""
        return await self.sessions.logout(self.tokens[user_id])

    async def user(self, number: int = 1) -> str:
        """Return the id of a new user."""
        return (await self.login(f"1380000{number:04d}"))[0]

    async def host(self, number: int = 1, *, kind: str = "pk") -> tuple[str, str]:
        """Return the ids of a new user and of his room, which is called "room NUMBER"."""
        user_id = await self.user(number)
        opened = await self.rooms.create(user_id, f"room {number}", kind)
        return user_id, opened.reply.room.id

    async def status(self, user_id: str) -> str:
        """Return the user's status in the words of the protocol."""
        return (await self.whereabouts.of(user_id)).status.value


def pushes(effects: Sequence[Effect]) -> list[tuple[str, Push]]:
    """Return who is told what, in order."""
    return [(effect.user_id, effect.message) for effect in effects if isinstance(effect, Notify)]


async def refusal(command: Awaitable[object]) -> type[QliveError] | None:
    """Return what the command is refused with, if it is."""
    try:
        await command
    except QliveError as error:
        return type(error)
    return None
