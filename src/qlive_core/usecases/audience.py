"""The audience: entering, leaving, and watching by polling."""

from attrs import evolve, frozen

from qlive_core.effects import Effect, Forget, Hold, Outcome
from qlive_core.errors import NoSuchRoom, Stale, UserBroadcasting, UserJoined
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.revision import first_revision
from qlive_core.model.room import Room, RoomType
from qlive_core.ports.stores import PlaceStore, RoomStore
from qlive_core.ports.world import Clock, SignsOfLife
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.races import redecided
from qlive_core.usecases.seating import Seating
from qlive_core.usecases.whereabouts import Whereabouts

_JOINED = (PlaceKind.ASKING, PlaceKind.SEATED)


@frozen
class Audience:
    """The use cases of a viewer."""

    rooms: RoomStore
    places: PlaceStore
    whereabouts: Whereabouts
    attendance: Attendance
    seating: Seating
    signs: SignsOfLife
    clock: Clock
    rules: Rules

    @redecided
    async def enter(self, user_id: str, room_id: str) -> Outcome[Room]:
        """Let the user watch a room; he leaves the one that he watched before, and its invitation if he had one.

        Raises NoSuchRoom; UserBroadcasting for a host, even at his own door; and UserJoined for who has a seat,
        or asks for one, in another room. In the same room he keeps it.
        """
        room = await self.rooms.get(room_id)
        if room is None:
            raise NoSuchRoom
        here = await self.whereabouts.of(user_id)
        if here.hosted_room is not None:
            raise UserBroadcasting
        elsewhere = here.place if here.room is not None and here.room.id != room_id else None
        if elsewhere is not None and elsewhere.kind in _JOINED:
            raise UserJoined
        leased = await self._watch(user_id, room_id, here.place)
        left = await self.seating.left_behind(elsewhere) if elsewhere is not None else ()
        stays = here.room is not None and here.room.id == room_id
        forgotten: tuple[Effect, ...] = () if stays else (Forget(user_id),)
        # Who watches a voice room is going to connect; what happens until then is kept.
        held: tuple[Effect, ...] = (Hold(user_id),) if leased and room.type is RoomType.VOICE else ()
        return Outcome(room, (*forgotten, *leased, *held, *left, *await self.seating.roster(room, user_id)))

    @redecided
    async def leave(self, user_id: str) -> Outcome[None]:
        """Take the user out of the room that he watches; it is no error to be in none.

        Raises UserBroadcasting: a host closes his room instead.
        """
        here = await self.whereabouts.of(user_id)
        if here.hosted_room is not None:
            raise UserBroadcasting
        if here.place is None:
            return Outcome(None)
        return Outcome(None, (Forget(user_id), *await self.seating.leave(here.place)))

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
        """Commit in this order: lease, place. Then look whether room and presence are still there."""
        effects = await self.attendance.lease(user_id, self.rules.audience_lease_s)
        place = await self._take_place(user_id, room_id, old)
        if await self.rooms.get(room_id) is None:
            await self.places.remove(place)
            raise NoSuchRoom
        return (*effects, *await self.attendance.attend(user_id))

    async def _take_place(self, user_id: str, room_id: str, old: Place | None) -> Place:
        """Write the place even if it stays the same, so that a departure at the same moment meets the newer one."""
        if old is not None and old.room_id == room_id and old.in_audience:
            return await self.places.replace(old)
        now = self.clock.now()
        place = Place(user_id, room_id, PlaceKind.WATCHING, since=now, rev=first_revision(now))
        if old is None:
            await self.places.add(place)
            return place
        return await self.places.replace(evolve(place, rev=old.rev))
