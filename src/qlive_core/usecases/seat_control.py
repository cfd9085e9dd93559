"""What a host does with the seats of his voice room beyond answering: only for apps that have announced it."""

from attrs import frozen

from qlive_core.effects import Notify, Outcome
from qlive_core.errors import AppUnfit, NoSuchUser, NotJoined, NotYourRoom
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.room import Room
from qlive_core.model.seat import Party, SeatEvent, decide_seat, seat_number
from qlive_core.ports.stores import AccountStore, PlaceStore, RoomStore
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules
from qlive_core.signalling.seat_messages import OnSeatLock
from qlive_core.usecases.races import redecided
from qlive_core.usecases.seating import Seating


@frozen
class SeatControl:
    """The use cases of a host who directs, and of those whom he invites.

    Each of the host's raises first, in this order: NoSuchRoom, RoomTypeUnfit, NotYourRoom, and AppUnfit if the
    host's app has not announced that it shows this. Those towards somebody in the audience then raise NoSuchUser,
    NotInRoom, and AppUnfit if his has not. Asking for what is so already changes nothing and tells nobody.
    """

    rooms: RoomStore
    places: PlaceStore
    accounts: AccountStore
    seating: Seating
    clock: Clock
    rules: Rules

    @redecided
    async def invite(self, host_id: str, room_id: str, user_id: str, position: int) -> Outcome[None]:
        """Invite somebody to a seat, a locked one too. Raises also AlreadyJoined, InvalidSeat, SeatTaken."""
        room = await self._directed(host_id, room_id)
        place = await self._listener(room, user_id)
        now = self.clock.now()
        until = now + self.rules.join_request_timeout_s
        decision = decide_seat(place, SeatEvent.INVITE, Party.HOST, now=now, seat=position, until=until)
        await self.seating.check_free(room, seat_number(position), place)
        return Outcome(None, await self.seating.carry_out(room, decision))

    @redecided
    async def answer_invite(self, user_id: str, room_id: str, *, accept: bool) -> Outcome[None]:
        """Take the seat that the user is invited to, or decline.

        Raises, in this order: NoSuchRoom, RoomTypeUnfit, NotInRoom, and NotJoined if he is not invited any more.
        """
        room = await self.seating.voice_room(room_id)
        place = await self.seating.place_in(room, user_id)
        event = SeatEvent.TAKE_UP if accept else SeatEvent.DECLINE
        decision = decide_seat(place, event, Party.LISTENER, now=self.clock.now())
        return Outcome(None, await self.seating.carry_out(room, decision))

    @redecided
    async def move(self, host_id: str, room_id: str, user_id: str, position: int) -> Outcome[None]:
        """Move somebody to another seat, a locked one too. Raises also NotJoined, InvalidSeat, SeatTaken."""
        room = await self._directed(host_id, room_id)
        place = await self._listener(room, user_id)
        decision = decide_seat(place, SeatEvent.MOVE, Party.HOST, now=self.clock.now(), seat=position)
        if seat_number(position) == place.seat:
            return Outcome(None)
        await self.seating.check_free(room, position, place)
        return Outcome(None, await self.seating.carry_out(room, decision))

    @redecided
    async def mute(self, host_id: str, room_id: str, user_id: str, *, muted: bool) -> Outcome[None]:
        """Mute somebody on a seat, or let him be heard again. Raises also NotJoined."""
        room = await self._directed(host_id, room_id)
        place = await self._listener(room, user_id)
        decision = decide_seat(place, SeatEvent.MUTE, Party.HOST, now=self.clock.now(), muted=muted)
        if decision.after == place:
            return Outcome(None)
        return Outcome(None, await self.seating.carry_out(room, decision))

    @redecided
    async def lock(self, host_id: str, room_id: str, position: int, *, locked: bool) -> Outcome[None]:
        """Let nobody ask for a seat, or let them again; who sits there stays. Raises also InvalidSeat."""
        room = await self._directed(host_id, room_id)
        if (seat_number(position) in room.locked_seats) is locked:
            return Outcome(None)
        room = await self.rooms.replace(room.with_lock(position, locked=locked))
        news = OnSeatLock(room_id=room.id, position=position, locked=locked)
        able = await self.seating.able_in(room)
        return Outcome(None, tuple(Notify(user_id, news) for user_id in sorted(able)))

    @redecided
    async def empty(self, host_id: str, room_id: str, position: int) -> Outcome[None]:
        """Take the seat from whoever sits there, whatever his app. Raises also InvalidSeat, NotJoined."""
        room = await self._directed(host_id, room_id)
        seat = seat_number(position)
        held = [p for p in await self.places.seats(room.id) if p.seat == seat and p.kind is PlaceKind.SEATED]
        if not held:
            raise NotJoined
        decision = decide_seat(held[0], SeatEvent.EMPTY, Party.HOST, now=self.clock.now())
        return Outcome(None, await self.seating.carry_out(room, decision))

    async def _directed(self, host_id: str, room_id: str) -> Room:
        room = await self.seating.voice_room(room_id)
        if room.creator != host_id:
            raise NotYourRoom
        if not await self.seating.is_able(host_id):
            raise AppUnfit
        return room

    async def _listener(self, room: Room, user_id: str) -> Place:
        if await self.accounts.get(user_id) is None:
            raise NoSuchUser
        place = await self.seating.place_in(room, user_id)
        if not await self.seating.is_able(user_id):
            raise AppUnfit
        return place
