"""Who is connected to this process, and what waits for those who will be back."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from qlive_core.signalling import CloseCode

MAILBOX_PUSHES = 256


class Connection(Protocol):
    """What the hub knows of an authorised connection."""

    connection_id: str
    opened_by: str
    """The hash of the token that it authenticated with."""

    def push(self, text: str) -> None:
        """Queue a push. Never waits."""
        ...

    def hang_up(self, code: CloseCode) -> None:
        """Say why and close."""
        ...

    def undelivered(self, *, ended: bool) -> list[str]:
        """Return, once, the pushes that its client cannot be taken to have received.

        ``ended`` tells that the connection is over, rather than given up for a newer one.
        """
        ...


def _nobody_is_there(_user_id: str, _text: str) -> None:
    """Send over IM where there is none: then nobody is reached by it."""


class Hub:
    """Delivers pushes to users: to the one connection that counts, else over IM, else into the mailbox.

    Over IM goes what is for users who are seen there; the mailbox is for the others who are expected. Whoever
    loses a connection is expected to be back on one, unless he spoke to us over IM in the last
    ``im_pong_timeout_s`` seconds of ``now``: apps that signal over connections chat over IM, and hear no pushes
    there. Everything here happens at once, without waiting; so between a commit and its pushes nothing can slip in.
    """

    def __init__(
        self,
        send_over_im: Callable[[str, str], None] = _nobody_is_there,
        *,
        im_pong_timeout_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections: dict[str, tuple[int, Connection]] = {}
        self._mailboxes: dict[str, deque[str]] = {}
        # Whose mailboxes wait for another connection, not for a first sign.
        self._coming_back: set[str] = set()
        self._send_over_im = send_over_im
        self._im_pong_timeout_s = im_pong_timeout_s
        self._now = now
        # When he last spoke to us there; in an order that hardly changes.
        self._over_im: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def connection_of(self, user_id: str) -> Connection | None:
        """Return the connection that counts."""
        entry = self._connections.get(user_id)
        return entry[1] if entry else None

    def is_connected(self, user_id: str, connection_id: str) -> bool:
        """Tell whether that connection of the user is the one that counts."""
        connection = self.connection_of(user_id)
        return connection is not None and connection.connection_id == connection_id

    def counts(self, user_id: str, connection: Connection) -> bool:
        """Tell whether this is the connection that counts."""
        return self.connection_of(user_id) is connection

    def attach(self, user_id: str, connection: Connection, revision: int) -> list[str] | None:
        """Make ``connection`` the one that counts and return the pushes that wait for it, oldest first.

        ``revision`` is that of the presence that names this connection. Returns None if a newer connection is
        already there: then this one has been replaced before it began. An older one is hung up; what it did
        not deliver comes along.
        """
        entry = self._connections.get(user_id)
        if entry is not None and entry[0] > revision:
            return None
        self._connections[user_id] = (revision, connection)
        waiting = self._emptied(user_id)
        if entry is None or entry[1] is connection:
            return list(waiting)
        older = entry[1]
        pending = [*waiting, *older.undelivered(ended=False)]
        older.hang_up(CloseCode.REPLACED)
        return pending

    def detach(self, user_id: str, connection: Connection) -> bool:
        """Note that the connection has ended; from now on its user's pushes are kept.

        Returns whether it was the one that counted; if not, nothing changes.
        """
        if not self.counts(user_id, connection):
            return False
        del self._connections[user_id]
        undelivered = connection.undelivered(ended=True)
        if self._over_im.get(user_id, -math.inf) > self._now() - self._im_pong_timeout_s:
            self._send_all_over_im(user_id, undelivered)
        else:
            self._mailboxes[user_id] = deque(undelivered, MAILBOX_PUSHES)
            self._coming_back.add(user_id)
        return True

    def deliver(self, user_id: str, text: str) -> str:
        """Push to a user; return what becomes of it.

        "sent"; "im", given to be sent over IM; "kept" for his return; "crowded", which is kept in the place of the
        oldest one; or "dropped", as nobody expects him.
        """
        connection = self.connection_of(user_id)
        if connection is not None:
            connection.push(text)
            return "sent"
        mailbox = self._mailboxes.get(user_id)
        if mailbox is None:
            if user_id not in self._over_im:
                return "dropped"
            self._send_over_im(user_id, text)
            return "im"
        crowded = len(mailbox) == MAILBOX_PUSHES
        mailbox.append(text)
        return "crowded" if crowded else "kept"

    def hang_up(
        self,
        user_id: str,
        code: CloseCode,
        *,
        connection_id: str = "",
        opened_by: str = "",
        not_opened_by: str = "",
    ) -> None:
        """Close the user's connection, if it is the one that is meant; see the effect ``HangUp``."""
        connection = self.connection_of(user_id)
        if (
            connection is not None
            and connection_id in ("", connection.connection_id)
            and opened_by in ("", connection.opened_by)
            and not_opened_by != connection.opened_by
        ):
            connection.hang_up(code)

    def hang_up_all(self, code: CloseCode) -> None:
        """Close every connection."""
        for _, connection in list(self._connections.values()):
            connection.hang_up(code)

    def hold(self, user_id: str, *, back: bool = False) -> None:
        """Keep pushes for a user who is expected to connect; ``back`` tells that he did so before."""
        if user_id in self._connections or (user_id in self._over_im and not back):
            return
        self._mailboxes.setdefault(user_id, deque(maxlen=MAILBOX_PUSHES))
        if back:
            self._coming_back.add(user_id)

    def reach_by_im(self, user_id: str) -> None:
        """From now on send over IM what nobody is to be back on a connection for, beginning with what was kept."""
        self._over_im.setdefault(user_id, -math.inf)
        if user_id not in self._coming_back:
            self._send_all_over_im(user_id, self._emptied(user_id))

    def spoke_over_im(self, user_id: str) -> None:
        """Note that the user said something to us over IM: if he is reached there, he hears us there."""
        if user_id in self._over_im:
            self._over_im[user_id] = self._now()
            self._send_all_over_im(user_id, self._emptied(user_id))

    def is_reached_over_im(self, user_id: str) -> bool:
        """Tell whether pushes to the user go over IM, as long as he has no connection."""
        return user_id in self._over_im

    def only_by_im(self) -> list[str]:
        """Return those who are reached over IM and in no other way, in an order that hardly changes."""
        return [user_id for user_id in self._over_im if user_id not in self._connections]

    def forget(self, user_id: str) -> None:
        """Drop what is kept for the user, who goes on being expected."""
        mailbox = self._mailboxes.get(user_id)
        if mailbox is not None:
            mailbox.clear()

    def let_go(self, user_id: str) -> None:
        """Drop what was kept, keep no more, and do not try to reach the user."""
        self._emptied(user_id)
        self._over_im.pop(user_id, None)

    def _emptied(self, user_id: str) -> Iterable[str]:
        """Return what is in the user's mailbox, which is gone after that."""
        self._coming_back.discard(user_id)
        return self._mailboxes.pop(user_id, ())

    def _send_all_over_im(self, user_id: str, texts: Iterable[str]) -> None:
        for text in texts:
            self._send_over_im(user_id, text)
