"""The audience: entering, leaving, and watching by polling."""

from attrs import evolve, frozen

from qlive_core.effects import Effect, Outcome
from qlive_core.errors import NoSuchRoom, Stale, UserBroadcasting
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.revision import first_revision
from qlive_core.model.room import Room
from qlive_core.ports.stores import PlaceStore, RoomStore
from qlive_core.ports.world import Clock, SignsOfLife
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.races import redecided
from qlive_core.usecases.whereabouts import Whereabouts


@frozen
class Audience:
    """The use cases of a viewer."""

    rooms: RoomStore
    places: PlaceStore
    whereabouts: Whereabouts
    attendance: Attendance
    signs: SignsOfLife
    clock: Clock
    rules: Rules

    @redecided
    async def enter(self, user_id: str, room_id: str) -> Outcome[Room]:
        """Let the user watch a room; he leaves the one that he watched before.

        Raises NoSuchRoom, and UserBroadcasting for a host, even at his own door.
        """
        room = await self.rooms.get(room_id)
        if room is None:
            raise NoSuchRoom
        here = await self.whereabouts.of(user_id)
        if here.hosted_room is not None:
            raise UserBroadcasting
        return Outcome(room, await self._watch(user_id, room_id, here.place))

    @redecided
    async def leave(self, user_id: str) -> Outcome[None]:
        """Take the user out of the room that he watches; it is no error to be in none.

        Raises UserBroadcasting: a host closes his room instead.
        """
        here = await self.whereabouts.of(user_id)
        if here.hosted_room is not None:
            raise UserBroadcasting
        if here.place is not None:
            await self.places.remove(here.place)
        return Outcome(None)

    async def poll(self, user_id: str, room_id: str) -> tuple[Effect, ...]:
        """Note that the user asked for the room: it renews a viewer's lease and re-admits a lapsed one."""
        place = await self.places.get(user_id)
        if place is None or place.room_id != room_id:
            return ()
        if place.kind is PlaceKind.LAPSED:
            return await self._readmit(place)
        self.signs.saw(user_id, self.clock.now())
        return ()

    async def _readmit(self, place: Place) -> tuple[Effect, ...]:
        if await self.rooms.get(place.room_id) is None:
            return ()
        try:
            return await self._watch(place.user_id, place.room_id, place)
        except (NoSuchRoom, Stale):
            return ()  # the room closed, or the user went elsewhere, at the same moment

    async def _watch(self, user_id: str, room_id: str, old: Place | None) -> tuple[Effect, ...]:
        """Commit in this order: lease, place. Then look whether the room is still there."""
        effects = await self.attendance.lease(user_id, self.rules.audience_lease_s)
        place = await self._take_place(
            Place(user_id, room_id, PlaceKind.WATCHING, first_revision(self.clock.now())), old
        )
        if await self.rooms.get(room_id) is None:
            await self.places.remove(place)
            raise NoSuchRoom
        return effects

    async def _take_place(self, place: Place, old: Place | None) -> Place:
        """Write the place even if it stays the same, so that a departure at the same moment meets the newer one."""
        if old is None:
            await self.places.add(place)
            return place
        return await self.places.replace(evolve(place, rev=old.rev))
