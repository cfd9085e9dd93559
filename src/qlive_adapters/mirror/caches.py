"""The caches that answer more than what is unique."""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from qlive_adapters.mirror.cache import FactCache
from qlive_core.model.pk import Pk
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.room import Room


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


class PlaceCache(FactCache[Place]):
    """Places, also by room, and counted."""

    def __init__(self) -> None:
        super().__init__(lambda place: place.user_id)
        self._in_room: dict[str, dict[str, Place]] = {}
        self._watching: dict[str, int] = {}
        self._numbers = MappingProxyType(self._watching)

    def in_room(self, room_id: str) -> Sequence[Place]:
        """Return the places that name the room."""
        return tuple(self._in_room.get(room_id, {}).values())

    def audience_numbers(self) -> Mapping[str, int]:
        """Return a view of how many watch each room; it moves as they come and go."""
        return self._numbers

    def _entered(self, fact: Place) -> None:
        self._in_room.setdefault(fact.room_id, {})[fact.user_id] = fact
        if fact.kind is PlaceKind.WATCHING:
            self._watching[fact.room_id] = self._watching.get(fact.room_id, 0) + 1

    def _left(self, fact: Place) -> None:
        here = self._in_room[fact.room_id]
        del here[fact.user_id]
        if not here:
            del self._in_room[fact.room_id]
        if fact.kind is PlaceKind.WATCHING:
            self._watching[fact.room_id] -= 1
            if not self._watching[fact.room_id]:
                del self._watching[fact.room_id]


class PkCache(FactCache[Pk]):
    """Live PKs, by the rooms on both sides."""

    def __init__(self) -> None:
        super().__init__(lambda pk: pk.id, {"room_id": lambda pk: (pk.proposer.room_id, pk.target.room_id)})
