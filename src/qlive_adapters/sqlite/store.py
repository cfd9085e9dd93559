"""All stores on one SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

from qlive_adapters.sqlite.accounts import SqliteAccounts
from qlive_adapters.sqlite.batch import seal
from qlive_adapters.sqlite.engine import CommitObserver, Engine
from qlive_adapters.sqlite.feedback import SqliteFeedback
from qlive_adapters.sqlite.pks import SqlitePks
from qlive_adapters.sqlite.places import SqlitePlaces
from qlive_adapters.sqlite.presences import SqlitePresences
from qlive_adapters.sqlite.rooms import SqliteRooms
from qlive_adapters.sqlite.sessions import SqliteSessions
from qlive_adapters.sqlite.sms import SqliteSendQuotas, SqliteSmsCodes
from qlive_core.ports import stores


class SqliteStores:
    """The embedded store: one attribute per port.

    ``path`` names the file, or is ":memory:". The folder is made if it is missing. ``on_commit`` is told, on
    the event loop's thread, how many operations shared a commit and how many seconds that took. ``commit`` ends
    a transaction.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        on_commit: CommitObserver | None = None,
        commit: Callable[[sqlite3.Connection], None] = seal,
        wait_s: float = 0.0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open or create the database. Raises CannotOpen with a text for the operator.

        If another process uses the file, waits ``wait_s`` seconds for it to end, having said so to ``tell``, and
        then raises FileInUse. Waits and opens without an event loop: call it before there is one.
        """
        self._engine = Engine(path, on_commit=on_commit, commit=commit, wait_s=wait_s, tell=tell)
        self.accounts = SqliteAccounts(self._engine)
        self.sms_codes = SqliteSmsCodes(self._engine)
        self.send_quotas = SqliteSendQuotas(self._engine)
        self.sessions = SqliteSessions(self._engine)
        self.rooms = SqliteRooms(self._engine)
        self.places = SqlitePlaces(self._engine)
        self.pks = SqlitePks(self._engine)
        self.presences = SqlitePresences(self._engine)
        self.feedback = SqliteFeedback(self._engine)

    async def taken(self) -> None:
        """Never return: the kernel lets nobody else have the file, however long this process is frozen."""
        await asyncio.Event().wait()

    async def ping(self) -> None:
        """Return if the file can be written now and is still where it was. Raises StoreUnavailable if not."""
        await self._engine.probe()

    async def close(self) -> None:
        """Write what is queued and let go of the file; later calls raise StoreUnavailable."""
        await self._engine.close()


# Read by the type checker: these classes are what the core asks for.
_ACCOUNTS: type[stores.AccountStore] = SqliteAccounts
_SMS_CODES: type[stores.SmsCodeStore] = SqliteSmsCodes
_SEND_QUOTAS: type[stores.SendQuotaStore] = SqliteSendQuotas
_SESSIONS: type[stores.SessionStore] = SqliteSessions
_ROOMS: type[stores.RoomStore] = SqliteRooms
_PLACES: type[stores.PlaceStore] = SqlitePlaces
_PKS: type[stores.PkStore] = SqlitePks
_PRESENCES: type[stores.PresenceStore] = SqlitePresences
_FEEDBACK: type[stores.FeedbackStore] = SqliteFeedback
