"""The slow look around: what earlier lives, other nodes and crashes left behind."""

from collections.abc import AsyncIterator

from attrs import frozen

from qlive_core.effects import Arm, Compose, DeadlineKind, Effect, Hold
from qlive_core.errors import LostRace, Unavailable
from qlive_core.model.pk import PkState
from qlive_core.model.place import Place
from qlive_core.model.presence import PresenceState
from qlive_core.model.sms import DAY_S, HOUR_S
from qlive_core.ports.stores import (
    PkStore,
    PlaceStore,
    PresenceStore,
    RoomStore,
    SendQuotaStore,
    SessionStore,
    SmsCodeStore,
)
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance, absence_deadline
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.pk_news import offer_deadline


@frozen
class Sweep:
    """Heals and tidies. Every step is the same idempotent write that a timer or a command would make."""

    rooms: RoomStore
    places: PlaceStore
    pks: PkStore
    presences: PresenceStore
    sessions: SessionStore
    codes: SmsCodeStore
    quotas: SendQuotaStore
    attendance: Attendance
    departure: Departure
    clock: Clock
    rules: Rules

    async def newest(self) -> float:
        """Return the latest time that an earlier process is known to have got to, 0 if there was none."""
        offered_s, asked_s = self.rules.pk_offer_timeout_s, self.rules.join_request_timeout_s
        times = [0.0]
        times += [room.created_at for room in await self.rooms.all()]
        times += [pk.offer_expires_at - offered_s for pk in await self.pks.all()]
        for place in await self.places.all():
            times += [place.since, (place.seat_until or asked_s) - asked_s]
        return max(times)

    async def wake(self) -> tuple[Effect, ...]:
        """Take over from an earlier life of this process: its connections are gone, its deadlines are kept."""
        await self.attendance.adopt()
        effects: list[Effect] = []
        for presence in await self.presences.all():
            if presence.expires_at is not None:
                had_connection = presence.state is PresenceState.GRACE
                effects.append(Hold(presence.user_id, back=had_connection))
                effects.append(absence_deadline(presence.user_id, presence.expires_at))
        effects += await self.attendance.adopt_over_im()
        # What was to be done for them may have been lost with the earlier life.
        effects += [Compose(pk) for pk in await self.pks.all() if pk.state is PkState.LIVE]
        return tuple(effects)

    async def look_around(self, horizon_s: float) -> tuple[Effect, ...]:
        """Repair what cannot be, and arm what ends within ``horizon_s`` seconds.

        Of people only those who are overdue: there are many, and whoever gave them their time has armed it, too.
        """
        effects: list[Effect] = []
        try:
            async for told in self._repairs():
                effects += told
            effects += await self._due(horizon_s)
        except Unavailable:
            if not effects:
                raise
            # What was repaired is told; the next round goes on.
        return tuple(effects)

    async def _repairs(self) -> AsyncIterator[tuple[Effect, ...]]:
        """Repair one thing after the other; give what is to be told of each."""
        for pk in await self.pks.roomless():
            for side in (pk.proposer, pk.target):
                if await self.rooms.get(side.room_id) is None:
                    yield await self.departure.end_pk_of(side.room_id)
        for room in await self.rooms.hostless():
            yield await self._close_abandoned(room.id)
        roomless = await self.places.roomless()
        for room_id in sorted({place.room_id for place in roomless if place.in_audience}):
            yield await self.departure.empty_closed(room_id)
        for place in roomless:
            if not place.in_audience:
                await self._remove(place)
        for place in await self.places.unattended():
            yield await self.attendance.attend(place.user_id)

    async def tidy(self) -> int:
        """Remove what nobody can use any more; return how much it was."""
        now = self.clock.now()
        return (
            await self.sessions.purge(now)
            + await self.codes.purge(now - DAY_S)
            + await self.quotas.purge(now - HOUR_S)
        )

    async def _due(self, horizon_s: float) -> tuple[Arm, ...]:
        now = self.clock.now()
        before = now + horizon_s
        offers = [offer_deadline(pk) for pk in await self.pks.due(before)]
        absences = [
            absence_deadline(p.user_id, p.expires_at)
            for p in await self.presences.due(now)
            if p.expires_at is not None
        ]
        requests = [
            Arm(DeadlineKind.SEAT_REQUEST, p.user_id, p.seat_until)
            for p in await self.places.due(before)
            if p.seat_until is not None
        ]
        return (*offers, *absences, *requests)

    async def _close_abandoned(self, room_id: str) -> tuple[Effect, ...]:
        room = await self.rooms.get(room_id)
        try:
            return (await self.departure.close_room(room)).effects if room else ()
        except LostRace:
            return ()  # somebody is at work on it; the next round will tell

    async def _remove(self, place: Place) -> None:
        try:
            await self.places.remove(place)
        except LostRace:
            return  # the user has gone somewhere else meanwhile
