"""All stores on one MongoDB database."""

from qlive_adapters.mongo.accounts import MongoAccounts
from qlive_adapters.mongo.database import Database
from qlive_adapters.mongo.feedback import MongoFeedback
from qlive_adapters.mongo.gate import CommitObserver
from qlive_adapters.mongo.lease import Tell
from qlive_adapters.mongo.pks import MongoPks
from qlive_adapters.mongo.places import MongoPlaces
from qlive_adapters.mongo.presences import MongoPresences
from qlive_adapters.mongo.rooms import MongoRooms
from qlive_adapters.mongo.sessions import MongoSessions
from qlive_adapters.mongo.sms import MongoSendQuotas, MongoSmsCodes
from qlive_core.ports import stores


class MongoStores:
    """The store of record: one attribute per port.

    ``uri`` names the server or the servers and ``database`` the database there. Each call is answered within
    ``timeout_s`` seconds, with StoreUnavailable if need be. At most ``in_flight`` calls are on their way at a
    time, over at most ``pool_size`` connections per server. ``on_commit`` is told how many operations shared
    a commit and how many seconds that took.

    An ``exclusive`` one is the only one of its database, by a lease (see ``lease.py``). ``tell`` hears what an
    operator should know of a start that takes long.
    """

    def __init__(
        self,
        uri: str,
        database: str,
        *,
        timeout_s: float = 3.0,
        pool_size: int = 32,
        in_flight: int = 16,
        on_commit: CommitObserver | None = None,
        exclusive: bool = False,
        tell: Tell = lambda _: None,
    ) -> None:
        """Connects to nothing yet. Raises CannotOpen, with a text for the operator, if a name is malformed."""
        self._database = Database(
            uri,
            database,
            timeout_s=timeout_s,
            pool_size=pool_size,
            in_flight=in_flight,
            on_commit=on_commit,
            exclusive=exclusive,
            tell=tell,
        )
        self.accounts = MongoAccounts(self._database)
        self.sms_codes = MongoSmsCodes(self._database)
        self.send_quotas = MongoSendQuotas(self._database)
        self.sessions = MongoSessions(self._database)
        self.rooms = MongoRooms(self._database)
        self.places = MongoPlaces(self._database)
        self.pks = MongoPks(self._database)
        self.presences = MongoPresences(self._database)
        self.feedback = MongoFeedback(self._database)

    async def claim(self) -> None:
        """Become the only one of the database; nothing if this is not meant to be exclusive.

        Raises InUse and CannotOpen, with a text for the operator.
        """
        await self._database.claim()

    async def open(self) -> None:
        """Claim the database and create the indexes that are missing, before anything is read or written.

        Raises InUse and CannotOpen, with a text for the operator.
        """
        await self._database.open()

    async def taken(self) -> None:
        """Return once another process has taken the database over."""
        await self._database.taken()

    async def ping(self) -> None:
        """Return if the database can be written now. Raises StoreUnavailable if it cannot."""
        await self._database.ping()

    async def close(self) -> None:
        """Finish what is on its way and disconnect; later calls raise StoreUnavailable."""
        await self._database.close()


# Read by the type checker: these classes are what the core asks for.
_ACCOUNTS: type[stores.AccountStore] = MongoAccounts
_SMS_CODES: type[stores.SmsCodeStore] = MongoSmsCodes
_SEND_QUOTAS: type[stores.SendQuotaStore] = MongoSendQuotas
_SESSIONS: type[stores.SessionStore] = MongoSessions
_ROOMS: type[stores.RoomStore] = MongoRooms
_PLACES: type[stores.PlaceStore] = MongoPlaces
_PKS: type[stores.PkStore] = MongoPks
_PRESENCES: type[stores.PresenceStore] = MongoPresences
_FEEDBACK: type[stores.FeedbackStore] = MongoFeedback
