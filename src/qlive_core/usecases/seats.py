"""Asking for a seat in a voice room, and what becomes of the request and of the seat."""

from attrs import frozen

from qlive_core.effects import Arm, DeadlineKind, Effect, Outcome
from qlive_core.errors import NoSuchRoom, NoSuchUser, NotInRoom, NotJoined, NotYourRoom, SeatTaken
from qlive_core.model.place import PlaceKind
from qlive_core.model.seat import Party, SeatEvent, decide_seat, seat_number
from qlive_core.ports.stores import AccountStore, PlaceStore, RoomStore
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules
from qlive_core.usecases.races import redecided
from qlive_core.usecases.seating import Seating

_ENDS = {PlaceKind.SEATED: SeatEvent.LEAVE_SEAT, PlaceKind.ASKING: SeatEvent.WITHDRAW}


@frozen
class Seats:
    """The use cases of seats that every app knows."""

    rooms: RoomStore
    places: PlaceStore
    accounts: AccountStore
    seating: Seating
    clock: Clock
    rules: Rules

    @redecided
    async def ask(self, user_id: str, room_id: str, position: int) -> Outcome[None]:
        """Ask the host of the voice room that the user watches for a seat.

        Raises, in this order: NoSuchRoom, RoomTypeUnfit, NotInRoom, AlreadyJoined (the host, too), InvalidSeat,
        SeatTaken (a locked one, too).
        """
        room = await self.seating.voice_room(room_id)
        place = await self.seating.place_in(room, user_id)
        now = self.clock.now()
        until = now + self.rules.join_request_timeout_s
        decision = decide_seat(place, SeatEvent.ASK, Party.LISTENER, now=now, seat=position, until=until)
        if seat_number(position) in room.locked_seats:
            raise SeatTaken
        await self.seating.check_free(room, position, place)
        return Outcome(None, await self.seating.carry_out(room, decision))

    @redecided
    async def answer(self, host_id: str, room_id: str, user_id: str, *, accept: bool) -> Outcome[None]:
        """Give the seat that the user asks for, a locked one too, or refuse it.

        Raises, in this order: NoSuchRoom, RoomTypeUnfit, NotYourRoom, NoSuchUser, NotInRoom, and NotJoined if he
        does not ask for one any more.
        """
        room = await self.seating.voice_room(room_id)
        if room.creator != host_id:
            raise NotYourRoom
        if await self.accounts.get(user_id) is None:
            raise NoSuchUser
        place = await self.seating.place_in(room, user_id)
        event = SeatEvent.ACCEPT if accept else SeatEvent.REJECT
        decision = decide_seat(place, event, Party.HOST, now=self.clock.now())
        return Outcome(None, await self.seating.carry_out(room, decision))

    @redecided
    async def end(self, user_id: str, room_id: str) -> Outcome[None]:
        """Leave the user's seat, or withdraw his request; he goes on watching.

        Raises NotJoined if he has neither, and NotInRoom if it is in another room than the named one.
        """
        place = await self.places.get(user_id)
        room = await self.rooms.get(place.room_id) if place else None
        if place is None or room is None or place.kind not in _ENDS:
            raise NotJoined
        if room_id != room.id:
            raise NotInRoom
        decision = decide_seat(place, _ENDS[place.kind], Party.LISTENER, now=self.clock.now())
        try:
            return Outcome(None, await self.seating.carry_out(room, decision))
        except NoSuchRoom:
            raise NotJoined from None

    @redecided
    async def expire(self, user_id: str) -> Outcome[bool]:
        """Let the user's request or invitation end if it is due and still open; the reply tells whether it did.

        Safe to call by anybody at any time: exactly one caller's write succeeds, and only that one tells. When
        the store fails, to be called again: should the write have taken place, the next call tells.
        """
        told = await self.seating.expired_unnoticed(user_id)
        if told is not None:
            return Outcome(True, told)
        place = await self.places.get(user_id)
        room = await self.rooms.get(place.room_id) if place else None
        if place is None or place.seat_until is None or room is None:
            return Outcome(False)
        now = self.clock.now()
        if now < place.seat_until:
            return Outcome(False, (Arm(DeadlineKind.SEAT_REQUEST, user_id, place.seat_until),))
        decision = decide_seat(place, SeatEvent.EXPIRE, Party.CLOCK, now=now)
        try:
            return Outcome(True, await self.seating.carry_out(room, decision))
        except NoSuchRoom:
            return Outcome(False)

    async def roster(self, user_id: str) -> tuple[Effect, ...]:
        """Return the push that tells the user about locks and mutes of the voice room that he is in, if he is."""
        place = await self.places.get(user_id)
        if place is None or place.kind is PlaceKind.LAPSED:
            return ()
        room = await self.rooms.get(place.room_id)
        return await self.seating.roster(room, user_id) if room else ()
