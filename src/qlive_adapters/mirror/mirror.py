"""All stores, mirrored."""

from collections.abc import Iterable

from qlive_adapters.mirror.recent import CAPACITY, MirroredAccounts, MirroredSessions
from qlive_adapters.mirror.whole import MirroredPks, MirroredPlaces, MirroredPresences, MirroredRooms
from qlive_adapters.mirror.wrapped import Stores
from qlive_core.ports import stores


class Mirror:
    """The wrapped stores with a local cache in front: one attribute per port.

    Rooms, places, PKs and presences are in memory as a whole, accounts and sessions as far as ``capacity``
    goes; codes, quotas and feedback pass through. The wrapped stores remain the caller's to close.
    """

    def __init__(self, wrapped: Stores, *, capacity: int = CAPACITY) -> None:
        self.version = 0
        """Counts the changes of rooms, places, PKs and accounts; what was computed from them can be reused
        as long as it stays the same."""
        self.accounts = MirroredAccounts(wrapped.accounts, self._count, capacity=capacity)
        self.sms_codes = wrapped.sms_codes
        self.send_quotas = wrapped.send_quotas
        self.sessions = MirroredSessions(wrapped.sessions, capacity=capacity)
        self.presences = MirroredPresences(wrapped.presences)
        self.rooms = MirroredRooms(wrapped.rooms, self._count, placeless=self._placeless)
        self.places = MirroredPlaces(
            wrapped.places,
            self._count,
            roomless=self.rooms.correct_absence,
            unattended=self.presences.correct_absence,
        )
        self.pks = MirroredPks(wrapped.pks, self._count, roomless=self.rooms.correct_absence)
        self.feedback = wrapped.feedback

    async def load(self) -> None:
        """Take in what the wrapped stores hold. To be called once, before anything is read or written."""
        for mirrored in (self.rooms, self.places, self.pks, self.presences):
            await mirrored.load()

    async def reload(self) -> None:
        """Find out what changed in the wrapped stores without our hearing of it.

        To be called after they could not be reached: writes of that time may or may not have taken place.
        """
        for mirrored in (self.accounts, self.sessions, self.rooms, self.places, self.pks, self.presences):
            await mirrored.reload()

    async def _placeless(self, user_ids: Iterable[str]) -> None:
        await self.places.correct_absence(user_ids)

    def _count(self) -> None:
        self.version += 1


# Read by the type checker: these classes are what the core asks for.
_ACCOUNTS: type[stores.AccountStore] = MirroredAccounts
_SESSIONS: type[stores.SessionStore] = MirroredSessions
_ROOMS: type[stores.RoomStore] = MirroredRooms
_PLACES: type[stores.PlaceStore] = MirroredPlaces
_PKS: type[stores.PkStore] = MirroredPks
_PRESENCES: type[stores.PresenceStore] = MirroredPresences
