"""Time, chance and turns, and the signs of life that are too many to store."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from attrs import frozen


class Clock(Protocol):
    """What time it is: ours, and everybody's."""

    def now(self) -> float:
        """Return seconds for deadlines, limits, leases and revisions.

        They look like Unix seconds and never step: whatever becomes of the machine's clock, they go on as fast as
        time passes. They stand still while the process is stopped, so that nobody is late because we were.
        """
        ...

    def wall(self) -> float:
        """Return Unix seconds as everybody else counts them, for what outsiders read. They may step."""
        ...


class Ids(Protocol):
    """Chance, from a cryptographic source."""

    def user_id(self) -> str:
        """Return 12 characters ``[0-9a-z]``."""
        ...

    def room_id(self) -> str:
        """Return 16 characters ``[0-9a-z]``."""
        ...

    def pk_id(self) -> str:
        """Return an id for a PK."""
        ...

    def session_token(self) -> str:
        """Return an opaque token of 256 random bits."""
        ...

    def sms_code(self) -> str:
        """Return 6 digits."""
        ...

    def salt(self) -> str:
        """Return a salt for a stored code."""
        ...

    def choose(self, options: Sequence[str]) -> str:
        """Return one of the options."""
        ...


class Turns(Protocol):
    """For facts that many callers write at once: who waits his turn does not lose a race.

    A courtesy among the callers of one process; what must hold is guarded by the store.
    """

    def of(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait until nobody else has the turn of that key, and have it within the context."""
        ...


class Allowances(Protocol):
    """How often something may still be tried. Each key has an allowance of its own, which fills again in an hour.

    Kept in memory and bounded: a restart forgives, and of very many keys those that were not used for longest are
    forgotten.
    """

    def take(self, key: str, limit: int) -> bool:
        """Take one of the ``limit`` tries that the key has when it is full; return whether there was one."""
        ...

    def give_back(self, key: str, limit: int) -> None:
        """Undo a ``take``."""
        ...

    def forget(self, key: str) -> None:
        """Make the key's allowance full again."""
        ...

    def remember(self, key: str, value: str) -> None:
        """Keep a value for a key, in place of an older one."""
        ...

    def recall(self, key: str) -> str | None:
        """Return the value that is kept for a key."""
        ...


@frozen
class ImSigns:
    """What is known of a user over IM. Times are Unix seconds.

    ``heard_at`` is when he last said anything. ``asked_at`` is when the cloud first took a ping to him since then,
    None if it took none.
    """

    heard_at: float
    asked_at: float | None


class SignsOfLife(Protocol):
    """When users without a connection were last heard of, in memory: no write per poll and none per message.

    A presence's stored deadline is looked at again when it comes; only then is it moved.
    """

    def saw(self, user_id: str, now: float) -> None:
        """Note a sign of life."""
        ...

    def last(self, user_id: str) -> float | None:
        """Return when the last one was, in Unix seconds, if this process knows of any."""
        ...

    def heard_over_im(self, user_id: str, at: float, now: float) -> None:
        """Note that something which the user sent over IM ``at`` came ``now``; only the newest counts."""
        ...

    def asked_over_im(self, user_id: str, since: float, now: float) -> None:
        """Note that the cloud took a ping to him, on its way from ``since`` to ``now``.

        Nothing is noted if he was heard meanwhile; of several pings without an answer the first counts.
        """
        ...

    def over_im(self, user_id: str) -> ImSigns | None:
        """Return what this process knows of the user over IM, if anything."""
        ...

    def forget(self, user_id: str) -> None:
        """Forget the user: his presence has ended."""
        ...
