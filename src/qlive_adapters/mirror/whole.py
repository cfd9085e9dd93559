"""Rooms, places, PKs and presences: mirrored as a whole.

What the sweep asks about (what is due, what a crash left behind) is asked of the wrapped store; and where the
mirror knows otherwise, it is the mirror that is corrected, or the sweep would find the same thing for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from qlive_adapters.mirror.cache import FactCache
from qlive_adapters.mirror.caches import PkCache, PlaceCache, RoomCache
from qlive_adapters.mirror.facts import MirroredFacts, MirroredFactStore
from qlive_core.errors import StoreUnavailable
from qlive_core.model.pk import Pk
from qlive_core.model.place import Place
from qlive_core.model.presence import Presence
from qlive_core.model.room import Room
from qlive_core.ports.stores import PkStore, PlaceStore, PresenceStore, RoomStore

NotThere = Callable[[Iterable[str]], Awaitable[None]]
"""Is told the keys of facts of another kind that the wrapped store does not have."""


class MirroredRooms(MirroredFacts[Room]):
    """Implements RoomStore."""

    def __init__(self, store: RoomStore, changed: Callable[[], None], *, placeless: NotThere) -> None:
        self._rooms = RoomCache()
        self._truth = store
        self._placeless = placeless
        lookups = {"name": store.by_name, "creator": store.by_creator}
        super().__init__(store, self._rooms, lookups=lookups, changed=changed)

    async def load(self) -> None:
        """Take in what the wrapped store holds."""
        self._take_in(await self._truth.all())

    async def reload(self) -> None:
        """Find out what changed in the wrapped store without our hearing of it."""
        await self._compare(await self._truth.all())

    async def add(self, room: Room, *, limit: int) -> None:
        """As RoomStore.add."""
        await self._add(room, lambda: self._truth.add(room, limit=limit))

    async def by_name(self, name: str) -> Room | None:
        """As RoomStore.by_name."""
        return self._rooms.by("name", name)

    async def by_creator(self, user_id: str) -> Room | None:
        """As RoomStore.by_creator."""
        return self._rooms.by("creator", user_id)

    async def all(self) -> Sequence[Room]:
        """As RoomStore.all."""
        return self._rooms.in_order()

    async def count(self) -> int:
        """As RoomStore.count."""
        return await self._truth.count()

    async def hostless(self) -> Sequence[Room]:
        """As RoomStore.hostless."""
        rooms = await self._corrected(await self._truth.hostless())
        await self._placeless(room.creator for room in rooms)
        return rooms


class MirroredPlaces(MirroredFactStore[Place]):
    """Implements PlaceStore."""

    def __init__(
        self, store: PlaceStore, changed: Callable[[], None], *, roomless: NotThere, unattended: NotThere
    ) -> None:
        self._places = PlaceCache()
        self._truth = store
        self._roomless = roomless
        self._unattended = unattended
        super().__init__(store, self._places, lookups={"seat": self._holder}, changed=changed)

    async def load(self) -> None:
        """Take in what the wrapped store holds."""
        self._take_in(await self._truth.all())

    async def reload(self) -> None:
        """Find out what changed in the wrapped store without our hearing of it."""
        await self._compare(await self._truth.all())

    async def all(self) -> Sequence[Place]:
        """As PlaceStore.all."""
        return self._places.all()

    async def in_room(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.in_room."""
        return self._places.in_room(room_id)

    async def audience_numbers(self) -> Mapping[str, int]:
        """As PlaceStore.audience_numbers; the answer is a view that moves with the places."""
        return self._places.audience_numbers()

    async def seats(self, room_id: str) -> Sequence[Place]:
        """As PlaceStore.seats."""
        return self._places.seats(room_id)

    async def due(self, before: float) -> Sequence[Place]:
        """As PlaceStore.due."""
        return await self._corrected(await self._truth.due(before))

    async def _holder(self, seat: str) -> Place | None:
        room_id, _, number = seat.rpartition("/")
        return next((p for p in await self._truth.seats(room_id) if str(p.seat) == number), None)

    async def clear_room(self, room_id: str) -> None:
        """As PlaceStore.clear_room."""
        try:
            await self._truth.clear_room(room_id)
            await self._forget_who_left(room_id)
        except (asyncio.CancelledError, StoreUnavailable):
            self._look_after(("room", room_id), lambda: self._forget_who_left(room_id))
            raise

    async def _forget_who_left(self, room_id: str) -> bool:
        """Drop whoever is not in the room any more, and tell whether nobody is."""
        left = {place.user_id for place in await self._truth.in_room(room_id)}
        for place in self._places.in_room(room_id):
            if place.user_id not in left:
                self._keep(place.user_id, None)
        return not left

    async def roomless(self) -> Sequence[Place]:
        """As PlaceStore.roomless."""
        places = await self._corrected(await self._truth.roomless())
        await self._roomless({place.room_id for place in places})
        return places

    async def unattended(self) -> Sequence[Place]:
        """As PlaceStore.unattended."""
        places = await self._corrected(await self._truth.unattended())
        await self._unattended(place.user_id for place in places)
        return places


class MirroredPks(MirroredFactStore[Pk]):
    """Implements PkStore."""

    def __init__(self, store: PkStore, changed: Callable[[], None], *, roomless: NotThere) -> None:
        self._truth = store
        self._roomless = roomless
        super().__init__(store, PkCache(), lookups={"room_id": store.of_room}, changed=changed)

    async def load(self) -> None:
        """Take in what the wrapped store holds."""
        self._take_in(await self._truth.all())

    async def reload(self) -> None:
        """Find out what changed in the wrapped store without our hearing of it."""
        await self._compare(await self._truth.all())

    async def of_room(self, room_id: str) -> Pk | None:
        """As PkStore.of_room."""
        return self._cache.by("room_id", room_id)

    async def all(self) -> Sequence[Pk]:
        """As PkStore.all."""
        return self._cache.all()

    async def due(self, before: float) -> Sequence[Pk]:
        """As PkStore.due."""
        return await self._corrected(await self._truth.due(before))

    async def roomless(self) -> Sequence[Pk]:
        """As PkStore.roomless."""
        pks = await self._corrected(await self._truth.roomless())
        await self._roomless({side.room_id for pk in pks for side in (pk.proposer, pk.target)})
        return pks


class MirroredPresences(MirroredFactStore[Presence]):
    """Implements PresenceStore."""

    def __init__(self, store: PresenceStore) -> None:
        self._truth = store
        super().__init__(store, FactCache(lambda presence: presence.user_id))

    async def load(self) -> None:
        """Take in what the wrapped store holds."""
        self._take_in(await self._truth.all())

    async def reload(self) -> None:
        """Find out what changed in the wrapped store without our hearing of it."""
        await self._compare(await self._truth.all())

    async def get_many(self, user_ids: Collection[str]) -> Mapping[str, Presence]:
        """As PresenceStore.get_many."""
        return {key: presence for key in user_ids if (presence := self._cache.get(key)) is not None}

    async def all(self) -> Sequence[Presence]:
        """As PresenceStore.all."""
        return self._cache.all()

    async def due(self, before: float) -> Sequence[Presence]:
        """As PresenceStore.due."""
        return await self._corrected(await self._truth.due(before))

    async def expect_all(self, until: float, *, node: str) -> None:
        """As PresenceStore.expect_all."""
        try:
            await self._truth.expect_all(until, node=node)
            self._take_in(await self._truth.all())
        except (asyncio.CancelledError, StoreUnavailable):
            self._look_after(("expected", node), lambda: self._all_expected(until, node))
            raise

    async def _all_expected(self, until: float, node: str) -> bool:
        """Look at all presences, and tell whether all of those that should are expected now."""
        presences = await self._truth.all()
        await self._compare(presences)
        return all(
            presence.node == node if presence.expires_at is None else presence.expires_at >= until
            for presence in presences
        )
