"""A process may die between any two writes of a command, and nobody is stuck because of it."""

from contextlib import suppress

import pytest

from core.facts import check, check_nobody_is_stuck, picture
from core.scenes import (
    COMMANDS,
    Command,
    asked,
    asked_overdue,
    fighting,
    host_gone,
    invited,
    nothing,
    offered,
    overdue,
    seated,
    singer_gone,
    singing,
    stage,
    viewer_gone,
)
from core.world import WRITES, World, pushes
from qlive_core.effects import Effect, Outcome
from qlive_core.errors import StoreUnavailable
from qlive_core.signalling.messages import OnRoomClose

SITUATIONS: list[tuple[Command, str, int]] = [
    # The situation, the command, and how many writes it makes.
    (nothing, "eve creates", 4),
    (nothing, "eve enters ann's", 2),
    (nothing, "cleo moves to bob's", 1),
    (nothing, "ann offers", 1),
    (nothing, "ann closes", 2),
    (nothing, "ann disconnects", 3),
    (nothing, "ann logs out", 4),
    (nothing, "ann logs in", 2),
    (nothing, "fay logs in", 2),
    (nothing, "fay asks for a code", 2),
    (nothing, "dan enters bob's", 2),
    (viewer_gone, "dan expires", 2),
    (offered, "bob accepts", 1),
    (offered, "ann closes", 3),
    (offered, "bob disconnects", 4),
    (overdue, "the offer expires", 1),
    (fighting, "bob ends", 1),
    (fighting, "ann closes", 3),
    (fighting, "ann logs out", 5),
    (fighting, "ann disconnects", 4),
    (host_gone, "ann expires", 4),
    (singing, "cleo asks", 1),
    (singing, "eve invites", 1),
    (singing, "eve locks", 1),
    (asked, "eve accepts", 1),
    (asked, "cleo ends", 1),
    (asked, "cleo logs out", 3),
    (asked, "eve closes", 2),
    (asked_overdue, "the request expires", 1),
    (invited, "cleo takes up", 1),
    (invited, "cleo moves to bob's", 1),
    (seated, "cleo disconnects", 2),
    (seated, "eve moves", 1),
    (seated, "eve empties", 1),
    (seated, "eve closes", 2),
    (singer_gone, "cleo expires", 2),
]


class Died(Exception):
    """The process is gone."""


class Mortal:
    """Lets so many writes through, and dies before the next."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    async def __call__(self, store: str, method: str) -> None:
        """Count a write."""
        if method in WRITES:
            if self.left == 0:
                raise Died
            self.left -= 1


@pytest.mark.parametrize(
    ("situation", "command", "lived"),
    [
        pytest.param(situation, command, n, id=f"{situation.__name__}: {command}, {n} of {writes} writes")
        for situation, command, writes in SITUATIONS
        for n in range(writes)
    ],
)
async def test_a_crash_leaves_nobody_stuck(
    world: World, situation: Command, command: str, lived: int
) -> None:
    """After a crash between two writes the next process repairs the facts, and everybody can go on and go."""
    cast = await stage(world)
    await situation(world, cast)
    with pytest.raises(Died):
        await COMMANDS[command](world.beside(Mortal(lived)), cast)
    after = world.beside(node="node-2")
    await after.sweep.wake()
    await after.sweep.look_around(0)
    await check(after)
    healed = await picture(after)
    await after.sweep.look_around(0)
    assert await picture(after) == healed, "the second look finds nothing more to repair"
    await check_nobody_is_stuck(after)
    for user_id in (cast.ann, cast.bob, cast.eve):
        assert (await after.rooms.create(user_id, f"again {user_id}", "pk")).reply.room.creator == user_id


class Flaky(Mortal):
    """Lets so many writes through, fails the next one, and is itself again."""

    async def __call__(self, store: str, method: str) -> None:
        """Count a write."""
        if method in WRITES:
            self.left -= 1
            if self.left == -1:
                raise StoreUnavailable


CLOSING = [
    each for each in SITUATIONS if each[1] in ("ann closes", "ann disconnects", "ann logs out", "ann expires")
]


@pytest.mark.parametrize("interruption", [Mortal, Flaky])
@pytest.mark.parametrize(
    ("situation", "command", "lived"),
    [
        pytest.param(situation, command, n, id=f"{situation.__name__}: {command}, {n} of {writes} writes")
        for situation, command, writes in CLOSING
        for n in range(writes)
    ],
)
async def test_the_audience_of_a_closed_room_is_told(
    world: World, situation: Command, command: str, lived: int, interruption: type[Mortal]
) -> None:
    """However its closing is interrupted: by a crash, or by a write that fails."""
    cast = await stage(world)
    await situation(world, cast)
    effects: list[Effect] = []
    with suppress(Died, StoreUnavailable):
        outcome = await COMMANDS[command](world.beside(interruption(lived)), cast)
        assert isinstance(outcome, Outcome)
        effects += outcome.effects
    for _ in range(3):
        world.clock.advance(world.rules.host_lease_s)
        effects += (await world.attendance.expire(cast.ann)).effects
        effects += await world.sweep.look_around(0)
    if await world.stores.rooms.get(cast.ann_room) is not None:
        effects += (await world.rooms.close(cast.ann, cast.ann_room)).effects
    assert (cast.dan, OnRoomClose(room_id=cast.ann_room)) in pushes(effects)


@pytest.mark.parametrize(("situation", "command", "writes"), SITUATIONS)
async def test_the_number_of_writes(world: World, situation: Command, command: str, writes: int) -> None:
    """The crashes above are all there are: the command makes just so many writes."""
    cast = await stage(world)
    await situation(world, cast)
    mortal = Mortal(writes)
    await COMMANDS[command](world.beside(mortal), cast)
    assert mortal.left == 0
