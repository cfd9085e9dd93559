"""Time, chance, turns, and a memory for signs of life."""

import asyncio
import itertools
import secrets
import string
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from attrs import define

from qlive_core.ports.world import Clock, Ids, ImSigns, SignsOfLife, Turns

BEAT_S = 0.5
_PAUSE_S = 2.0
"""A process whose beat is so late was stopped, or its machine was."""

_ALPHABET = string.digits + string.ascii_lowercase


class SystemClock:
    """The time of this machine: its clock's when the process starts, and from then on a time that never steps.

    Call ``beat`` twice a second, and pauses of the process do not count.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._ahead = wall() - monotonic()
        self._last_beat: float | None = None
        self._latest = self._monotonic() + self._ahead

    def now(self) -> float:
        """Return seconds that never step."""
        at = self._monotonic()
        if self._last_beat is not None and at - self._last_beat > _PAUSE_S:
            self._ahead -= at - self._last_beat - BEAT_S
            self._last_beat = at
        # A pause is noticed some time after the last beat; what was told until then stands.
        self._latest = max(self._latest, at + self._ahead)
        return self._latest

    def wall(self) -> float:
        """Return Unix seconds by the machine's clock."""
        return self._wall()

    def beat(self) -> None:
        """Note that the process is running."""
        self.now()
        self._last_beat = self._monotonic()

    def not_before(self, at: float) -> None:
        """Go on from ``at`` if it is later than now: an earlier process has got as far as that."""
        self._ahead += max(0.0, at - self.now())


class RandomIds:
    """Ids and secrets from the operating system's random source."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(8)
        self._pks = itertools.count()

    def user_id(self) -> str:
        """Return 12 characters ``[0-9a-z]``."""
        return _word(12)

    def room_id(self) -> str:
        """Return 16 characters ``[0-9a-z]``."""
        return _word(16)

    def pk_id(self) -> str:
        """Return a random name for this process and a number: no client sees it, nobody could use it."""
        return f"{self._process}-{next(self._pks)}"

    def session_token(self) -> str:
        """Return 256 random bits as 43 URL-safe characters."""
        return secrets.token_urlsafe(32)

    def sms_code(self) -> str:
        """Return 6 digits."""
        return f"{secrets.randbelow(1_000_000):06d}"

    def salt(self) -> str:
        """Return 128 random bits."""
        return secrets.token_hex(16)

    def choose(self, options: Sequence[str]) -> str:
        """Return one of the options."""
        return secrets.choice(options)


def _word(length: int) -> str:
    # One call to the random source instead of one per character; the bias of 256 % 36 is
    # removed by drawing a number that is large against 36 ** length.
    number = int.from_bytes(secrets.token_bytes(length + 8), "big")
    characters = []
    for _ in range(length):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return "".join(characters)


class FairTurns:
    """Turns in the order in which they were asked for. A key is remembered while anybody wants it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Wait for the turn of the key, and have it within the context."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            yield


@define
class _OverIm:
    heard_at: float
    came_at: float
    asked_at: float | None = None


class RecentSigns:
    """Signs of life in memory. Bounded by the number of users with a presence: the core forgets the others."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._over_im: dict[str, _OverIm] = {}

    def saw(self, user_id: str, now: float) -> None:
        """Note a sign of life."""
        self._seen[user_id] = now

    def last(self, user_id: str) -> float | None:
        """Return when the last one was, in Unix seconds."""
        return self._seen.get(user_id)

    def forget(self, user_id: str) -> None:
        """Forget the user."""
        self._seen.pop(user_id, None)
        self._over_im.pop(user_id, None)

    def heard_over_im(self, user_id: str, at: float, now: float) -> None:
        """Note that something which the user sent over IM ``at`` came ``now``."""
        known = self._over_im.get(user_id)
        if known is None:
            self._over_im[user_id] = _OverIm(at, now)
        elif at > known.heard_at:
            known.heard_at, known.came_at, known.asked_at = at, now, None

    def asked_over_im(self, user_id: str, since: float, now: float) -> None:
        """Note that the cloud took a ping to him."""
        known = self._over_im.get(user_id)
        # Our own times are compared: the cloud's clock, which dates what users say, need not agree with ours.
        if known is not None and known.asked_at is None and known.came_at <= since:
            known.asked_at = now

    def over_im(self, user_id: str) -> ImSigns | None:
        """Return what is known of the user over IM."""
        known = self._over_im.get(user_id)
        return None if known is None else ImSigns(known.heard_at, known.asked_at)


_clock: type[Clock] = SystemClock
_ids: type[Ids] = RandomIds
_turns: type[Turns] = FairTurns
_signs: type[SignsOfLife] = RecentSigns
