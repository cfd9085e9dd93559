"""What the clouds know better: who is in the RTC rooms, who is on the IM cloud, which chat rooms there are.

qlive's facts and the clouds' drift apart when a message between them is lost: a callback, a token's use, a chore. A
look compares one subject with its cloud and returns where they differ; what is found again by the next look is
healed, by the same decisions as a host's or the clock's. In between, most differences turn out to be somebody on his
way in or out.
"""

import enum
from collections.abc import Iterable, Sequence

from attrs import frozen

from qlive_core.effects import Outcome
from qlive_core.errors import LostRace, Refused
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence, PresenceState
from qlive_core.model.room import Room
from qlive_core.model.seat import Party, SeatEvent, decide_seat
from qlive_core.ports.clouds import ChatRooms, ImPresence, RtcRooms
from qlive_core.ports.stores import AccountStore, PkStore, PlaceStore, PresenceStore, RoomStore
from qlive_core.ports.world import Clock
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.seating import Seating

_TO_BE_SIGNALLED = frozenset({PlaceKind.HOSTING, PlaceKind.ASKING, PlaceKind.INVITED, PlaceKind.SEATED})


class DriftKind(enum.Enum):
    """How qlive and a cloud can differ."""

    STRANGER = "stranger"
    """A user of ours in an RTC room where he has no business; he is put out."""
    EMPTY_SEAT = "empty_seat"
    """Somebody has a seat and is not in the RTC room; the seat is taken from him, and everybody hears it."""
    NO_CHAT_ROOM = "no_chat_room"
    """A room whose chat room is missing; it is made."""
    OFFLINE = "offline"
    """Somebody is silent over IM, no ping can prove it, and the cloud does not have him; he is given up."""
    ONLINE = "online"
    """Somebody who ought to be signalled is on the IM cloud and qlive does not know; from now on it does."""


@frozen
class Drift:
    """One difference. Equal ones are the same one, seen again."""

    kind: DriftKind
    room_id: str = ""
    user_id: str = ""


@frozen(kw_only=True)
class Reconciler:
    """Looks and heals. A cloud that is not there (None) is not looked at."""

    rooms: RoomStore
    places: PlaceStore
    pks: PkStore
    presences: PresenceStore
    accounts: AccountStore
    seating: Seating
    attendance: Attendance
    rtc: RtcRooms | None
    im: ImPresence | None
    chats: ChatRooms | None
    clock: Clock

    async def look_at_room(self, room: Room) -> frozenset[Drift]:
        """Compare the room with its RTC room. Raises ProviderUnavailable."""
        if self.rtc is None:
            return frozenset()
        members = await self.rtc.members(room.id)
        # What is believed is asked last: who came or went while the cloud answered is judged by where he is now.
        here = {place.user_id: place for place in await self.places.in_room(room.id)}
        present = {user_id for user_id, place in here.items() if place.kind is not PlaceKind.LAPSED}
        strangers = members - present - {room.creator} - await self._opponent(room)
        if await self.rooms.get(room.id) is None:
            return frozenset()
        ours = await self.accounts.get_many(strangers) if strangers else {}
        seated = {user_id for user_id, place in here.items() if place.kind is PlaceKind.SEATED}
        return frozenset(
            {Drift(DriftKind.STRANGER, room.id, user_id) for user_id in ours}
            | {Drift(DriftKind.EMPTY_SEAT, room.id, user_id) for user_id in seated - members}
        )

    async def look_at_chats(self, rooms: Sequence[Room]) -> frozenset[Drift]:
        """Return whose chat rooms are missing. Raises ProviderUnavailable."""
        if self.chats is None or not rooms:
            return frozenset()
        existing = await self.chats.existing([room.id for room in rooms])
        return frozenset(Drift(DriftKind.NO_CHAT_ROOM, room.id) for room in rooms if room.id not in existing)

    async def doubtful(self) -> Sequence[str]:
        """Return the users whose presence the IM cloud may know better, in a stable order."""
        if self.im is None:
            return ()
        places = {place.user_id: place for place in await self.places.all()}
        doubtful: Iterable[Presence] = await self.presences.all()
        return sorted(each.user_id for each in doubtful if self._doubt(each, places.get(each.user_id)))

    async def look_at_user(self, user_id: str) -> frozenset[Drift]:
        """Compare a doubtful user with the IM cloud. Raises ProviderUnavailable."""
        if self.im is None:
            return frozenset()
        online = await self.im.is_online(user_id)
        presence = await self.presences.get(user_id)
        doubt = self._doubt(presence, await self.places.get(user_id)) if presence is not None else None
        if doubt is DriftKind.ONLINE and online:
            return frozenset({Drift(DriftKind.ONLINE, user_id=user_id)})
        if doubt is DriftKind.OFFLINE and not online:
            return frozenset({Drift(DriftKind.OFFLINE, user_id=user_id)})
        return frozenset()

    async def heal(self, drift: Drift) -> Outcome[bool]:
        """Do away with the difference, if it is one still; the reply tells whether it was.

        Raises ProviderUnavailable.
        """
        match drift.kind:
            case DriftKind.STRANGER if self.rtc is not None:
                return Outcome(await self._put_out(self.rtc, drift))
            case DriftKind.EMPTY_SEAT:
                return await self._empty_seat(drift)
            case DriftKind.NO_CHAT_ROOM if self.chats is not None:
                return Outcome(await self._make_chat_room(self.chats, drift.room_id))
            case DriftKind.OFFLINE:
                return await self.attendance.give_up(drift.user_id)
            case DriftKind.ONLINE:
                return await self.attendance.heard_over_im(drift.user_id, self.clock.now())
        return Outcome(False)

    async def _opponent(self, room: Room) -> frozenset[str]:
        pk = await self.pks.of_room(room.id)
        return frozenset({pk.opponent_of(room.id).user_id}) if pk is not None else frozenset()

    def _doubt(self, presence: Presence, place: Place | None) -> DriftKind | None:
        """Return what could be wrong with a presence, if the IM cloud is to be asked about it."""
        if presence.state is PresenceState.OPEN:
            return None
        if presence.im:
            return DriftKind.OFFLINE if self.attendance.is_known_by_im_alone(presence, place) else None
        return DriftKind.ONLINE if place is not None and place.kind in _TO_BE_SIGNALLED else None

    async def _put_out(self, rtc: RtcRooms, drift: Drift) -> bool:
        place = await self.places.get(drift.user_id)
        if place is not None and place.room_id == drift.room_id and place.kind is not PlaceKind.LAPSED:
            return False
        await rtc.kick(drift.room_id, drift.user_id)
        return True

    async def _empty_seat(self, drift: Drift) -> Outcome[bool]:
        place = await self.places.get(drift.user_id)
        room = await self.rooms.get(drift.room_id)
        if place is None or room is None or place.room_id != room.id:
            return Outcome(False)
        try:
            # As its host would: the listener has to hear of it, should he be there after all.
            decision = decide_seat(place, SeatEvent.EMPTY, Party.HOST, now=self.clock.now())
            return Outcome(True, await self.seating.carry_out(room, decision))
        except (Refused, LostRace):
            return Outcome(False)  # it has changed since; the next look will tell

    async def _make_chat_room(self, chats: ChatRooms, room_id: str) -> bool:
        room = await self.rooms.get(room_id)
        if room is None:
            return False
        await chats.open(room.id, room.name)
        return True
