"""Leaving: what ends with a room, and what ends with a person."""

from attrs import evolve, frozen

from qlive_core.effects import (
    CloseChat,
    Count,
    CountSeat,
    Disarm,
    Effect,
    LetGo,
    Notify,
    Outcome,
    StopComposing,
)
from qlive_core.errors import LostRace
from qlive_core.model.pk import Pk, PkEvent, PkState, Role, decide
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.room import Room
from qlive_core.model.seat import SeatOutcome
from qlive_core.ports.stores import PkStore, PlaceStore, PresenceStore, RoomStore
from qlive_core.ports.world import Clock, SignsOfLife
from qlive_core.signalling.messages import OnRoomClose
from qlive_core.usecases.pk_news import news_of, offer_deadline
from qlive_core.usecases.races import redecided
from qlive_core.usecases.seating import Seating


@frozen
class Departure:
    """Ends rooms and takes people out of them; every step may run twice and then does nothing."""

    rooms: RoomStore
    places: PlaceStore
    pks: PkStore
    presences: PresenceStore
    seating: Seating
    signs: SignsOfLife
    clock: Clock

    async def close_room(self, room: Room) -> Outcome[None]:
        """Close the room, end its PK, and tell the opponent and the audience.

        The room goes first: whoever starts a PK with it or enters it at the same time looks again after his
        own commit and finds it gone. Raises Stale if the room changed meanwhile.
        """
        await self.rooms.remove(room)
        ended = await self.end_pk_of(room.id)
        audience = [place for place in await self.places.in_room(room.id) if place.in_audience]
        await self.places.clear_room(room.id)
        told = [Notify(place.user_id, OnRoomClose(room_id=room.id)) for place in audience]
        seats = [CountSeat(SeatOutcome.CLOSED) for place in audience if place.seat is not None]
        return Outcome(None, (*ended, *told, *seats, CloseChat(room.id)))

    async def leave_everything(self, user_id: str) -> Outcome[None]:
        """Take the user out of wherever he is, by his own word."""
        await self._remove_presence(user_id)
        return await self.leave_place(user_id)

    @redecided
    async def leave_place(self, user_id: str) -> Outcome[None]:
        """Empty the user's place, wherever that is."""
        place = await self.places.get(user_id)
        if place is None:
            return Outcome(None, (LetGo(user_id),))
        return await self._empty(place, lapse=False)

    @redecided
    async def vacate(self, seen: Place, *, lapse: bool) -> Outcome[None]:
        """Empty the place of a user whose presence has ended, unless he is back or elsewhere since it was seen.

        That its seat has changed is no sign of him: the host may have done that. With ``lapse`` a mere
        watcher's place remembers the room, so that his next poll lets him in again.
        """
        place = await self.places.get(seen.user_id)
        if place is None:
            return Outcome(None, (LetGo(seen.user_id),))
        same_stay = (place.room_id, place.since) == (seen.room_id, seen.since)
        if not same_stay or await self.presences.get(seen.user_id) is not None:
            return Outcome(None)
        return await self._empty(place, lapse=lapse)

    async def end_pk_of(self, room_id: str) -> tuple[Effect, ...]:
        """End the live PK of a room whose host leaves, if there is one."""
        while (pk := await self.pks.of_room(room_id)) is not None:
            try:
                return await self._end(pk, room_id)
            except LostRace:
                continue
        return ()

    async def _end(self, pk: Pk, room_id: str) -> tuple[Effect, ...]:
        role = Role.PROPOSER if pk.proposer.room_id == room_id else Role.TARGET
        decision = decide(pk, PkEvent.HOST_LEAVES, role, now=self.clock.now())
        await self.pks.remove(pk)
        told: tuple[Effect, ...] = (*news_of(decision, named_room=room_id), Count(decision.pk.state))
        return (*told, StopComposing(pk) if pk.state is PkState.LIVE else Disarm(offer_deadline(pk)))

    async def _empty(self, place: Place, *, lapse: bool) -> Outcome[None]:
        room = await self.rooms.get(place.room_id) if place.kind is PlaceKind.HOSTING else None
        told: tuple[Effect, ...] = ()
        if room is not None:
            told = (await self.close_room(room)).effects
        elif not lapse or place.kind not in (PlaceKind.WATCHING, PlaceKind.LAPSED):
            told = await self.seating.leave(place)
        elif place.kind is PlaceKind.WATCHING:
            await self.places.replace(evolve(place, kind=PlaceKind.LAPSED))
        return Outcome(None, (*told, LetGo(place.user_id)))

    @redecided
    async def _remove_presence(self, user_id: str) -> None:
        presence = await self.presences.get(user_id)
        if presence is not None:
            await self.presences.remove(presence)
        self.signs.forget(user_id)
