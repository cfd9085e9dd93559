"""A voice room with its people, for the tests of seats."""

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import frozen

from core.world import World, pushes
from qlive_core.effects import CountSeat, Outcome
from qlive_core.model.seat import SeatOutcome
from qlive_core.signalling.messages import Push

Told = list[tuple[str, Push]]


@frozen
class VoiceRoom:
    """A host, two in the audience of her room, and somebody who is nowhere."""

    world: World
    room: str
    host: str
    ann: str
    bob: str
    stranger: str

    async def ask(self, user_id: str, position: int = 3) -> Outcome[None]:
        """Let somebody ask for a seat."""
        return await self.world.seats.ask(user_id, self.room, position)

    async def seat(self, user_id: str, position: int = 3) -> Outcome[None]:
        """Let somebody ask for a seat and have it."""
        await self.ask(user_id, position)
        return await self.world.seats.answer(self.host, self.room, user_id, accept=True)

    async def announce(self, *user_ids: str) -> None:
        """Let the apps of these show more than the first ones did."""
        for user_id in user_ids:
            await self.world.attendance.announce(user_id, ["seats"])

    async def statuses(self) -> list[str]:
        """Return the statuses of the two in the audience."""
        return [await self.world.status(self.ann), await self.world.status(self.bob)]

    async def roster(self) -> list[tuple[int, str]]:
        """Return who sits where, as the room's picture says."""
        facts = await self.world.directory.one(self.room)
        return [(seat.position, seat.user_id) for seat in facts.seats]


async def voice_room(world: World) -> VoiceRoom:
    """Open the room and let its audience in; all have a connection."""
    host, room = await world.host(1, kind="voice")
    people = [await world.login(f"1390000000{n}") for n in range(3)]
    for user_id, token in people[:2]:
        await world.attendance.connect(token, f"conn-{user_id}")
        await world.audience.enter(user_id, room)
    return VoiceRoom(world, room, host, *(user_id for user_id, _ in people))


def told(done: Outcome[Any]) -> dict[str, list[Push]]:
    """Return what each is told, in order."""
    news: dict[str, list[Push]] = {}
    for user_id, push in pushes(done.effects):
        news.setdefault(user_id, []).append(push)
    return news


def counted(done: Outcome[Any]) -> list[SeatOutcome]:
    """Return what is counted."""
    return [effect.outcome for effect in done.effects if isinstance(effect, CountSeat)]


def failing_once(store: str, method: str, error: type[Exception]) -> Callable[[str, str], Awaitable[None]]:
    """Return a gate that fails the first call of that method."""
    calls = [(store, method)]

    async def gate(called: str, with_method: str) -> None:
        if (called, with_method) in calls:
            calls.clear()
            raise error

    return gate
