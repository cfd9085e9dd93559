"""Where a user is, with everything that follows from it."""

from attrs import frozen

from qlive_core.model.pk import Pk
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.room import Room
from qlive_core.model.status import UserStatus, shown_room, user_status
from qlive_core.ports.stores import PkStore, PlaceStore, RoomStore

_TIME_GRAIN_S = 0.001


@frozen
class Here:
    """A user's place with its room and, for a host, the room's live PK; None for what is not there."""

    place: Place | None
    room: Room | None
    pk: Pk | None

    @property
    def status(self) -> UserStatus:
        """Return the status that the user is shown."""
        return user_status(self.place, self.room, self.pk)

    @property
    def shown_room_id(self) -> str:
        """Return the room that the user is told he is in, or ""."""
        if self.room is None or self.status is UserStatus.IDLE:
            return ""
        return shown_room(self.room, self.pk)

    @property
    def hosted_room(self) -> Room | None:
        """Return the room if the user is its host."""
        return self.room if self.place is not None and self.place.kind is PlaceKind.HOSTING else None

    def outdates(self, sent_at: float) -> bool:
        """Tell whether the user came here after he sent something, which therefore meant another place.

        Clouds tell times in whole milliseconds, cut off.
        """
        if self.place is None or self.room is None:
            return False
        return sent_at + _TIME_GRAIN_S <= self.place.since


@frozen
class Whereabouts:
    """Answers where users are."""

    places: PlaceStore
    rooms: RoomStore
    pks: PkStore

    async def of(self, user_id: str) -> Here:
        """Return where the user is. A place that names a missing room is nowhere."""
        place = await self.places.get(user_id)
        room = await self.rooms.get(place.room_id) if place else None
        hosting = room is not None and place is not None and place.kind is PlaceKind.HOSTING
        pk = await self.pks.of_room(room.id) if room and hosting else None
        return Here(place, room, pk)
