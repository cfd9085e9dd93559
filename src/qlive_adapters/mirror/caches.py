"""The caches that answer more than what is unique."""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from qlive_adapters.mirror.cache import FactCache
from qlive_core.model.pk import Pk
from qlive_core.model.place import Place
from qlive_core.model.room import Room
from qlive_core.model.seat import SEAT_COUNT


def _age(room: Room) -> tuple[float, str]:
    return room.created_at, room.id


class RoomCache(FactCache[Room]):
    """Rooms, also in creation order."""

    def __init__(self) -> None:
        super().__init__(
            lambda room: room.id,
            {"name": lambda room: (room.name,), "creator": lambda room: (room.creator,)},
        )
        self._sorted: list[Room] = []
        self._view: tuple[Room, ...] | None = ()

    def in_order(self) -> Sequence[Room]:
        """Return all rooms, oldest first. The answer stays as it is when rooms change."""
        if self._view is None:
            self._view = tuple(self._sorted)
        return self._view

    def _entered(self, fact: Room) -> None:
        insort(self._sorted, fact, key=_age)
        self._view = None

    def _left(self, fact: Room) -> None:
        del self._sorted[bisect_left(self._sorted, _age(fact), key=_age)]
        self._view = None


def _seat(room_id: str, seat: int) -> str:
    return f"{room_id}/{seat}"


def _seat_of(place: Place) -> tuple[str, ...]:
    return () if place.seat is None else (_seat(place.room_id, place.seat),)


class PlaceCache(FactCache[Place]):
    """Places, also by room and by seat, and counted."""

    def __init__(self) -> None:
        super().__init__(lambda place: place.user_id, {"seat": _seat_of})
        self._in_room: dict[str, dict[str, Place]] = {}
        self._audience: dict[str, int] = {}
        self._numbers = MappingProxyType(self._audience)

    def in_room(self, room_id: str) -> Sequence[Place]:
        """Return the places that name the room."""
        return tuple(self._in_room.get(room_id, {}).values())

    def audience_numbers(self) -> Mapping[str, int]:
        """Return a view of how many are in the audience of each room; it moves as they come and go."""
        return self._numbers

    def seats(self, room_id: str) -> Sequence[Place]:
        """Return the places of the room that have to do with a seat, in the order of seats."""
        found = (self.by("seat", _seat(room_id, seat)) for seat in range(SEAT_COUNT))
        return [place for place in found if place is not None]

    def _entered(self, fact: Place) -> None:
        self._in_room.setdefault(fact.room_id, {})[fact.user_id] = fact
        if fact.in_audience:
            self._audience[fact.room_id] = self._audience.get(fact.room_id, 0) + 1

    def _left(self, fact: Place) -> None:
        here = self._in_room[fact.room_id]
        del here[fact.user_id]
        if not here:
            del self._in_room[fact.room_id]
        if fact.in_audience:
            self._audience[fact.room_id] -= 1
            if not self._audience[fact.room_id]:
                del self._audience[fact.room_id]


class PkCache(FactCache[Pk]):
    """Live PKs, by the rooms on both sides."""

    def __init__(self) -> None:
        super().__init__(lambda pk: pk.id, {"room_id": lambda pk: (pk.proposer.room_id, pk.target.room_id)})
