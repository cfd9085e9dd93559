"""Clouds whose state the test sets, over a world that may differ from them."""

from collections.abc import Collection

from core.world import World
from qlive_core.effects import Outcome
from qlive_core.usecases.reconciler import Drift, Reconciler


class Rtc:
    """RTC rooms whose members the test sets."""

    def __init__(self) -> None:
        self.inside: dict[str, set[str]] = {}

    async def members(self, room_id: str) -> frozenset[str]:
        return frozenset(self.inside.get(room_id, ()))

    async def kick(self, room_id: str, user_id: str) -> None:
        self.inside[room_id].discard(user_id)


class Im:
    """An IM cloud that knows who is connected."""

    def __init__(self) -> None:
        self.online: set[str] = set()

    async def is_online(self, user_id: str) -> bool:
        return user_id in self.online


class Chats:
    """Chat rooms."""

    def __init__(self) -> None:
        self.open_rooms: dict[str, str] = {}

    async def open(self, room_id: str, name: str) -> None:
        self.open_rooms[room_id] = name

    async def close(self, room_id: str) -> None:
        self.open_rooms.pop(room_id, None)

    async def existing(self, room_ids: Collection[str]) -> frozenset[str]:
        return frozenset(room_ids) & self.open_rooms.keys()

    async def publish(self, room_id: str, *, sender: str, kind: str, content: str) -> None:
        raise NotImplementedError


class Sky:
    """A world with its clouds, and somebody who compares them."""

    def __init__(self, world: World) -> None:
        self.world, self.rtc, self.im, self.chats = world, Rtc(), Im(), Chats()
        stores = world.stores
        self.reconciler = Reconciler(
            rooms=stores.rooms,
            places=stores.places,
            pks=stores.pks,
            presences=stores.presences,
            accounts=stores.accounts,
            seating=world.departure.seating,
            attendance=world.attendance,
            rtc=self.rtc,
            im=self.im,
            chats=self.chats,
            clock=world.clock,
        )

    async def look(self, room_id: str) -> set[Drift]:
        """Return how the room differs from its RTC room."""
        room = await self.world.stores.rooms.get(room_id)
        assert room is not None
        return set(await self.reconciler.look_at_room(room))

    async def doubts(self) -> set[Drift]:
        """Return how doubtful users differ from what the IM cloud knows."""
        looks = [await self.reconciler.look_at_user(each) for each in await self.reconciler.doubtful()]
        return set().union(*looks)

    async def heal(self, drift: Drift) -> Outcome[bool]:
        return await self.reconciler.heal(drift)
