"""From a decision about a seat to its commit, and to what everybody in the room is told."""

from attrs import evolve, field, frozen

from qlive_core.effects import Arm, CountSeat, DeadlineKind, Effect, Notify
from qlive_core.errors import (
    Duplicate,
    NoSuchRoom,
    NotInRoom,
    RoomTypeUnfit,
    SeatTaken,
    Stale,
    StoreUnavailable,
)
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import SHOWS_SEATS
from qlive_core.model.room import Room, RoomType
from qlive_core.model.seat import Party, SeatDecision, SeatEvent, SeatNews, decide_seat
from qlive_core.ports.stores import AccountStore, PlaceStore, PresenceStore, RoomStore
from qlive_core.signalling.seat_messages import OnSeats
from qlive_core.usecases.seat_news import Company, news_of

_TOLD_BY_ABILITY = frozenset({SeatNews.MOVED, SeatNews.MUTED})


@frozen
class Seating:
    """What the use cases of seats have in common with those of leaving."""

    rooms: RoomStore
    places: PlaceStore
    accounts: AccountStore
    presences: PresenceStore
    _perhaps_expired: dict[str, SeatDecision] = field(factory=dict, init=False, eq=False, repr=False)
    """Expiries, by user id, that the store failed to commit: nobody knows whether they took place."""

    # Looking.

    async def voice_room(self, room_id: str) -> Room:
        """Return the voice room. Raises NoSuchRoom, and RoomTypeUnfit for another type of room."""
        room = await self.rooms.get(room_id)
        if room is None:
            raise NoSuchRoom
        if room.type is not RoomType.VOICE:
            raise RoomTypeUnfit
        return room

    async def place_in(self, room: Room, user_id: str) -> Place:
        """Return the place of somebody who is in the room, the host too. Raises NotInRoom."""
        place = await self.places.get(user_id)
        if place is not None and place.room_id == room.id and place.kind is not PlaceKind.LAPSED:
            return place
        # He may have been there until the room closed, a moment ago.
        raise NotInRoom if await self.rooms.get(room.id) else NoSuchRoom

    async def check_free(self, room: Room, seat: int, place: Place) -> None:
        """Raises SeatTaken if anybody but who has this place has the seat, asks for it or is invited to it."""
        for holder in await self.places.seats(room.id):
            if holder.seat == seat:
                raise SeatTaken if holder.user_id != place.user_id else Stale("Place", place.user_id)

    async def is_able(self, user_id: str) -> bool:
        """Tell whether the user's app shows more about seats than the first ones did."""
        presence = await self.presences.get(user_id)
        return presence is not None and SHOWS_SEATS in presence.capabilities

    async def able_in(self, room: Room) -> frozenset[str]:
        """Return those in the room, host included, whose apps show more than the first ones did."""
        here = [place.user_id for place in await self.places.in_room(room.id) if place.in_audience]
        presences = await self.presences.get_many([*here, room.creator])
        return frozenset(user_id for user_id, each in presences.items() if SHOWS_SEATS in each.capabilities)

    async def roster(self, room: Room, user_id: str) -> tuple[Effect, ...]:
        """Return the push that tells somebody about locks and mutes, if it is a voice room and his app shows them."""
        if room.type is not RoomType.VOICE or not await self.is_able(user_id):
            return ()
        muted = tuple(p.seat for p in await self.places.seats(room.id) if p.muted and p.seat is not None)
        seats = OnSeats(room_id=room.id, locked=tuple(sorted(room.locked_seats)), muted=muted)
        return (Notify(user_id, seats),)

    # Changing.

    async def carry_out(self, room: Room, decision: SeatDecision) -> tuple[Effect, ...]:
        """Commit the decision and return what is to be told.

        Raises SeatTaken if somebody else was quicker, and NoSuchRoom if the room closes at the same moment: then
        nobody is left to be told.
        """
        # Asked for first: once the commit stands, nothing may fail any more.
        people = await self.accounts.get_many({decision.before.user_id, room.creator})
        await self._commit(decision)
        if await self.rooms.get(room.id) is None:
            raise NoSuchRoom  # whoever closes it has yet to clear it
        listener, host = people.get(decision.before.user_id), people.get(room.creator)
        return await self._told(decision, Company(room, listener, host))

    async def leave(self, place: Place) -> tuple[Effect, ...]:
        """Remove the place of somebody in the audience; return what the room is told of his seat."""
        room = await self.rooms.get(place.room_id) if place.seat is not None else None
        if room is None:
            await self.places.remove(place)
            return ()
        try:
            return await self.carry_out(room, _leaving(place))
        except NoSuchRoom:
            return ()

    async def left_behind(self, place: Place) -> tuple[Effect, ...]:
        """Return what is told of an invitation whose place was given up by a write of the caller's own."""
        room = await self.rooms.get(place.room_id)
        self._perhaps_expired.pop(place.user_id, None)
        if room is None or place.seat is None:
            return ()
        return await self._told(_leaving(place), Company(room))

    async def expired_unnoticed(self, user_id: str) -> tuple[Effect, ...] | None:
        """Return what is to be told of an expiry that took place although the store failed; None if none did."""
        decision = self._perhaps_expired.get(user_id)
        if decision is None:
            return None
        place, before = await self.places.get(user_id), decision.before
        if place is not None and (place.seat, place.seat_until) == (before.seat, before.seat_until):
            return None
        del self._perhaps_expired[user_id]
        room = await self.rooms.get(before.room_id)
        if room is None:
            return ()
        told = await self._told(decision, Company(room))
        if place is not None and place.room_id == room.id and place.in_audience:
            return told
        return tuple(each for each in told if not isinstance(each, Notify) or each.user_id != user_id)

    async def _commit(self, decision: SeatDecision) -> None:
        before, after = decision.before, decision.after
        try:
            if after is None:
                await self.places.remove(before)
            else:
                await self.places.replace(after)
        except Duplicate:
            raise SeatTaken from None
        except StoreUnavailable:
            if decision.transition.by is Party.CLOCK:
                self._perhaps_expired[before.user_id] = decision
            raise
        if before.seat_until is not None:
            self._perhaps_expired.pop(before.user_id, None)

    async def _told(self, decision: SeatDecision, company: Company) -> tuple[Effect, ...]:
        transition, after = decision.transition, decision.after
        effects: list[Effect] = []
        if after is not None and after.seat_until is not None:
            effects.append(Arm(DeadlineKind.SEAT_REQUEST, after.user_id, after.seat_until))
        effects += news_of(decision, await self._with_others(decision, company))
        if transition.outcome is not None:
            effects.append(CountSeat(transition.outcome))
        return tuple(effects)

    async def _with_others(self, decision: SeatDecision, company: Company) -> Company:
        """Return the company with as many of those in the room as the news is for."""
        room, tell = company.room, decision.transition.tell
        if all(party is not Party.OTHERS for party, _ in tell):
            return company
        here = [place.user_id for place in await self.places.in_room(room.id) if place.in_audience]
        others = tuple(user_id for user_id in here if user_id != decision.before.user_id)
        by_ability = any(news in _TOLD_BY_ABILITY for _, news in tell)
        return evolve(company, others=others, able=await self.able_in(room) if by_ability else company.able)


def _leaving(place: Place) -> SeatDecision:
    return decide_seat(place, SeatEvent.LEAVE_ROOM, Party.LISTENER, now=0.0)
