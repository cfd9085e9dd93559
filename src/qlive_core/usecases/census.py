"""How many there are of what operators care for."""

from collections import Counter

from attrs import frozen

from qlive_core.model.pk import PkState
from qlive_core.model.place import PlaceKind
from qlive_core.model.room import RoomType
from qlive_core.ports.stores import PkStore, PlaceStore, PresenceStore, RoomStore


@frozen
class Figures:
    """Figures of one moment: rooms by type, audience, PKs by state, seats taken, and users who are there."""

    rooms: dict[RoomType, int]
    viewers: int
    pks: dict[PkState, int]
    seats_taken: int
    users_present: int


@frozen
class Census:
    """Counts. Meant for stores that answer from memory: it reads all rooms, PKs and presences."""

    rooms: RoomStore
    places: PlaceStore
    pks: PkStore
    presences: PresenceStore

    async def taken(self) -> Figures:
        """Return the figures of now."""
        rooms = await self.rooms.all()
        types = Counter(room.type for room in rooms)
        states = Counter(pk.state for pk in await self.pks.all())
        seated = 0
        for room in rooms:
            if room.type is RoomType.VOICE:
                seated += sum(p.kind is PlaceKind.SEATED for p in await self.places.seats(room.id))
        return Figures(
            rooms={kind: types[kind] for kind in RoomType},
            viewers=sum((await self.places.audience_numbers()).values()),
            pks={state: states[state] for state in (PkState.OFFERED, PkState.LIVE)},
            seats_taken=seated,
            users_present=len(await self.presences.all()),
        )
