"""Leaving: what ends with a room, and what ends with a person."""

from contextlib import suppress

from attrs import evolve, frozen

from qlive_core.effects import (
    CloseChat,
    Count,
    CountSeat,
    Disarm,
    Effect,
    Forget,
    LetGo,
    Notify,
    Outcome,
    StopComposing,
)
from qlive_core.errors import LostRace, Unavailable
from qlive_core.model.pk import Pk, PkEvent, PkState, Role, decide
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room
from qlive_core.model.seat import SeatOutcome
from qlive_core.ports.stores import PkStore, PlaceStore, PresenceStore, RoomStore
from qlive_core.ports.world import Clock, SignsOfLife
from qlive_core.signalling.messages import OnRoomClose
from qlive_core.usecases.pk_news import news_of, offer_deadline
from qlive_core.usecases.races import redecided
from qlive_core.usecases.seating import Seating


@frozen
class Seen:
    """How a user was there at one moment; None for what there was not."""

    user_id: str
    presence: Presence | None
    place: Place | None


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
        own commit and finds it gone. From then on the room is closed, whatever fails; the sweep does and tells the
        rest. Raises Stale if the room changed meanwhile.
        """
        await self.rooms.remove(room)
        told: tuple[Effect, ...] = ()
        with suppress(Unavailable):
            told += await self.end_pk_of(room.id)
            told += await self.empty_closed(room.id)
        return Outcome(None, (Forget(room.creator), *told, CloseChat(room.id)))

    async def empty_closed(self, room_id: str) -> tuple[Effect, ...]:
        """Take everybody out of a room that is closed, and tell the audience.

        They are told even if their places cannot be removed now: the room is closed all the same.
        """
        audience = [place for place in await self.places.in_room(room_id) if place.in_audience]
        with suppress(Unavailable):
            await self.places.clear_room(room_id)
        told = [Notify(place.user_id, OnRoomClose(room_id=room_id)) for place in audience]
        seats = [CountSeat(SeatOutcome.CLOSED) for place in audience if place.seat is not None]
        return (*told, *seats)

    async def seen(self, user_id: str) -> Seen:
        """Return how the user is there now."""
        return Seen(user_id, await self.presences.get(user_id), await self.places.get(user_id))

    async def leave(self, seen: Seen) -> Outcome[None]:
        """Take the user out of where they were seen, by their own word; what they began since then stays."""
        if seen.presence is not None:
            await self._end_presence(seen.presence)
        if seen.place is not None:
            return await self.vacate(seen.place, lapse=False)
        gone = await self.presences.get(seen.user_id) is None
        return Outcome(None, (LetGo(seen.user_id),) if gone else ())

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

    @redecided
    async def forget_app(self, user_id: str) -> None:
        """Forget what the user's app can show: another one may have taken its place."""
        presence = await self.presences.get(user_id)
        if presence is not None and presence.capabilities:
            await self.presences.replace(presence.able(()))

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
    async def _end_presence(self, seen: Presence) -> None:
        """Remove the presence, unless there is a newer connection since it was seen."""
        presence = await self.presences.get(seen.user_id)
        if presence is not None and presence.connection_id == seen.connection_id:
            await self.presences.remove(presence)
            self.signs.forget(seen.user_id)
