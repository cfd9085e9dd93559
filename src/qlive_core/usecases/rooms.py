"""Rooms: opening, renaming, closing."""

from attrs import evolve, frozen

from qlive_core.effects import Effect, Forget, Hold, OpenChat, Outcome
from qlive_core.errors import (
    Duplicate,
    NoSuchRoom,
    OwnsAnotherRoom,
    RoomLimitReached,
    RoomNameTaken,
    Stale,
    UserJoined,
    UserWatching,
)
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.revision import first_revision
from qlive_core.model.room import Room, room_name, room_type
from qlive_core.model.status import UserStatus
from qlive_core.ports.clouds import Permission, RtcCloud
from qlive_core.ports.stores import PlaceStore, RoomStore
from qlive_core.ports.world import Clock, Ids
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.races import redecided
from qlive_core.usecases.whereabouts import Whereabouts


@frozen
class HostedRoom:
    """A room and the token with which its host joins the RTC room."""

    room: Room
    rtc_token: str


@frozen
class Rooms:
    """The use cases of a room's host."""

    rooms: RoomStore
    places: PlaceStore
    whereabouts: Whereabouts
    attendance: Attendance
    departure: Departure
    rtc: RtcCloud
    clock: Clock
    ids: Ids
    rules: Rules

    async def create(self, user_id: str, name: str, type_name: str) -> Outcome[HostedRoom]:
        """Open a room; asking again for one's own room by its name returns it.

        Raises, in this order: InvalidRoomName, UnsupportedRoomType, RoomLimitReached, RoomNameTaken,
        OwnsAnotherRoom, UserWatching, UserJoined.
        """
        wanted = room_name(name)
        kind = room_type(type_name)
        room = Room(self.ids.room_id(), wanted, kind, user_id, self.clock.now())
        return await self._open(room)

    async def refresh(self, user_id: str, room_id: str) -> HostedRoom:
        """Return the host's room with a new token. Raises NoSuchRoom, also if it is another's."""
        room = await self.rooms.get(room_id)
        if room is None or room.creator != user_id:
            raise NoSuchRoom(f"room {room_id} not found")
        return self._hosted(room)

    @redecided
    async def rename(self, user_id: str, room_id: str, name: str) -> Room:
        """Give the host's room another name. Raises InvalidRoomName, NoSuchRoom, RoomNameTaken."""
        wanted = room_name(name)
        room = await self.rooms.get(room_id)
        if room is None or room.creator != user_id:
            raise NoSuchRoom
        if room.name == wanted:
            return room
        try:
            return await self.rooms.replace(room.renamed(wanted))
        except Duplicate:
            raise RoomNameTaken from None

    @redecided
    async def close(self, user_id: str, room_id: str) -> Outcome[None]:
        """Close the host's room and tell everybody concerned. Raises NoSuchRoom, also if it is another's."""
        room = await self.rooms.get(room_id)
        if room is None or room.creator != user_id:
            raise NoSuchRoom
        return await self.departure.close_room(room)

    def token(self, room_id: str, user_id: str, permission: Permission) -> str:
        """Return a token for the RTC room."""
        return self.rtc.room_token(
            room_id=room_id, user_id=user_id, permission=permission, now=self.clock.wall()
        )

    def _hosted(self, room: Room) -> HostedRoom:
        return HostedRoom(room, self.token(room.id, room.creator, "admin"))

    @redecided
    async def _open(self, room: Room) -> Outcome[HostedRoom]:
        limit = self.rules.max_rooms
        full = limit and await self.rooms.count() >= limit
        namesake = await self.rooms.by_name(room.name)
        own = await self.rooms.by_creator(room.creator)
        if own is not None and own.name == room.name:
            return Outcome(self._hosted(own))
        if full:
            raise RoomLimitReached
        if namesake is not None:
            raise RoomNameTaken
        if own is not None:
            raise OwnsAnotherRoom
        return await self._open_first(room)

    async def _open_first(self, room: Room) -> Outcome[HostedRoom]:
        """Commit in this order: lease, place, room, and the place once more. Each alone is harmless and lapses."""
        here = await self.whereabouts.of(room.creator)
        if here.status is UserStatus.WATCHING:
            raise UserWatching
        if here.status in (UserStatus.JOIN_WAIT, UserStatus.JOINED):
            raise UserJoined
        if here.hosted_room is not None:
            raise Stale("Room", room.creator)  # it has come up since we looked for one
        leased = await self.attendance.lease(room.creator, self.rules.host_lease_s)
        place = await self._take_place(room, here.place)
        try:
            await self.rooms.add(room, limit=self.rules.max_rooms)
        except (Duplicate, RoomLimitReached):
            await self._release(place)
            raise
        await self._settle(room, place)
        leased += await self.attendance.attend(room.creator)
        held: tuple[Effect, ...] = (Hold(room.creator),) if leased else ()
        return Outcome(
            self._hosted(room), (Forget(room.creator), *leased, *held, OpenChat(room.id, room.name))
        )

    async def _take_place(self, room: Room, old: Place | None) -> Place:
        now = self.clock.now()
        place = Place(room.creator, room.id, PlaceKind.HOSTING, since=now, rev=first_revision(now))
        if old is None:
            await self.places.add(place)
            return place
        return await self.places.replace(evolve(place, rev=old.rev))

    async def _release(self, place: Place) -> None:
        try:
            await self.places.remove(place)
        except Stale:
            return  # the user has gone somewhere else meanwhile

    async def _settle(self, room: Room, place: Place) -> None:
        """Take the place again, or give the room up if its host was let into another one at the same moment.

        Who found the place without its room took the user for nowhere; the new revision makes him look again.
        """
        try:
            await self.places.replace(place)
        except Stale:
            await self.rooms.remove(room)  # whoever came meanwhile is told by the sweep
            raise
