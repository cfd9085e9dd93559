"""Two commands at once end as if one had come after the other, however their steps fall between each other."""

from collections.abc import Awaitable, Coroutine, Generator
from contextlib import closing
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from core.facts import Picture, check, check_nobody_is_stuck, picture
from core.scenes import (
    COMMANDS,
    Cast,
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
from core.world import World, pushes, run
from effort import examples
from qlive_core.effects import Outcome
from qlive_core.errors import QliveError

SITUATIONS: dict[str, Command] = {
    situation.__name__: situation
    for situation in (
        *(nothing, offered, overdue, fighting, host_gone, viewer_gone),
        *(singing, asked, asked_overdue, invited, seated, singer_gone),
    )
}

RACES = [
    ("nothing", "ann offers", "bob offers"),
    ("nothing", "ann offers", "bob closes"),
    ("nothing", "ann offers", "ann closes"),
    ("nothing", "ann offers", "bob renames"),
    ("nothing", "ann closes", "ann closes"),
    ("nothing", "ann closes", "ann disconnects"),
    ("nothing", "ann closes", "ann renames"),
    ("nothing", "ann closes", "eve enters ann's"),
    ("nothing", "ann closes", "dan enters again"),
    ("nothing", "ann closes", "dan leaves"),
    ("nothing", "ann closes", "cleo moves to bob's"),
    ("nothing", "ann disconnects", "ann connects"),
    ("nothing", "ann drops", "ann connects"),
    ("nothing", "ann renames", "bob renames"),
    ("nothing", "ann renames", "ann disconnects"),
    ("nothing", "ann logs in", "ann connects"),
    ("nothing", "ann logs out", "ann logs out"),
    ("nothing", "ann logs out", "ann logs in"),
    ("nothing", "cleo disconnects", "cleo moves to bob's"),
    ("nothing", "cleo logs out", "cleo moves to bob's"),
    ("fighting", "ann logs out", "ann logs in"),
    ("nothing", "eve creates", "eve creates"),
    ("nothing", "eve creates", "eve creates another"),
    ("nothing", "eve creates", "eve logs out"),
    ("nothing", "eve takes bob's name", "bob renames"),
    ("viewer_gone", "dan expires", "dan creates"),
    ("nothing", "dan leaves", "dan creates"),
    ("nothing", "ann logs out", "bob offers"),
    ("nothing", "eve creates", "eve enters ann's"),
    ("nothing", "eve creates", "eve leaves"),
    ("nothing", "eve enters ann's", "eve enters bob's"),
    ("nothing", "eve enters ann's", "eve leaves"),
    ("nothing", "eve enters ann's", "eve connects"),
    ("nothing", "fay logs in", "fay logs in"),
    ("nothing", "dan enters bob's", "dan leaves"),
    ("offered", "bob accepts", "bob accepts"),
    ("offered", "bob accepts", "bob rejects"),
    ("offered", "bob accepts", "ann closes"),
    ("offered", "bob accepts", "bob closes"),
    ("offered", "bob accepts", "ann disconnects"),
    ("offered", "bob rejects", "ann closes"),
    ("offered", "ann closes", "bob closes"),
    ("offered", "ann disconnects", "bob disconnects"),
    ("overdue", "bob accepts", "the offer expires"),
    ("overdue", "the offer expires", "the offer expires"),
    ("overdue", "the offer expires", "ann closes"),
    ("fighting", "ann ends", "bob ends"),
    ("fighting", "ann ends", "bob closes"),
    ("fighting", "ann closes", "bob closes"),
    ("fighting", "ann disconnects", "bob disconnects"),
    ("host_gone", "ann expires", "ann connects"),
    ("host_gone", "ann expires", "ann expires"),
    ("host_gone", "ann expires", "ann renames"),
    ("host_gone", "ann expires", "bob ends"),
    ("viewer_gone", "dan expires", "dan enters again"),
    ("viewer_gone", "dan expires", "dan enters bob's"),
    ("viewer_gone", "dan expires", "dan connects"),
    ("viewer_gone", "dan expires", "dan leaves"),
    ("viewer_gone", "dan expires", "ann closes"),
    ("singing", "cleo asks", "dan asks"),
    ("singing", "cleo asks", "cleo asks for another"),
    ("singing", "cleo asks", "cleo leaves"),
    ("singing", "cleo asks", "cleo moves to bob's"),
    ("singing", "cleo asks", "cleo logs out"),
    ("singing", "cleo asks", "eve invites"),
    ("singing", "cleo asks", "eve locks"),
    ("singing", "cleo asks", "eve closes"),
    ("singing", "eve invites", "dan asks"),
    ("singing", "eve invites", "cleo leaves"),
    ("singing", "eve invites", "eve closes"),
    ("singing", "eve locks", "eve renames"),
    ("singing", "eve locks", "eve closes"),
    ("asked", "eve accepts", "eve accepts"),
    ("asked", "eve accepts", "eve rejects"),
    ("asked", "eve accepts", "cleo ends"),
    ("asked", "eve accepts", "cleo leaves"),
    ("asked", "eve accepts", "cleo disconnects"),
    ("asked", "eve accepts", "cleo enters again"),
    ("asked", "eve accepts", "eve closes"),
    ("asked", "eve rejects", "eve closes"),
    ("asked", "eve rejects", "cleo creates"),
    ("asked", "eve rejects", "dan asks"),
    ("asked", "cleo ends", "eve closes"),
    ("asked_overdue", "the request expires", "eve accepts"),
    ("asked_overdue", "the request expires", "cleo ends"),
    ("asked_overdue", "the request expires", "the request expires"),
    ("asked_overdue", "the request expires", "cleo leaves"),
    ("asked_overdue", "the request expires", "cleo enters again"),
    ("asked_overdue", "the request expires", "eve closes"),
    ("asked_overdue", "the request expires", "dan asks"),
    ("invited", "cleo takes up", "cleo declines"),
    ("invited", "cleo takes up", "cleo moves to bob's"),
    ("invited", "cleo takes up", "cleo leaves"),
    ("invited", "cleo takes up", "eve closes"),
    ("invited", "cleo declines", "dan asks"),
    ("seated", "cleo ends", "eve empties"),
    ("seated", "cleo ends", "eve moves"),
    ("seated", "cleo ends", "dan asks"),
    ("seated", "cleo leaves", "eve closes"),
    ("seated", "eve moves", "eve empties"),
    ("seated", "eve moves", "eve mutes"),
    ("seated", "eve moves", "cleo enters again"),
    ("singer_gone", "cleo expires", "cleo connects"),
    ("singer_gone", "cleo expires", "eve empties"),
    ("singer_gone", "cleo expires", "cleo enters again"),
    ("singer_gone", "cleo expires", "eve closes"),
]

LEFT_TO_THE_SWEEP = {("eve creates", "eve logs out")}
"""A place that is taken just while its user leaves has nobody to attend to it until the sweep gives it a lease."""

Result = tuple[str, list[tuple[str, str]]]
_OF_SEATS = ("on-join", "on-audience", "on-invite", "on-seat")


class _Pause:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def _pause(store: str, method: str) -> None:
    await _Pause()


async def outcome(command: Awaitable[object]) -> Result:
    """Return "done" or the code of the refusal, and whom the command told what."""
    try:
        done = await command
    except QliveError as error:
        return error.code, []
    told = pushes(done.effects) if isinstance(done, Outcome) else []
    return "done", [(user_id, message.TYPE) for user_id, message in told]


async def interleaved(
    first: Coroutine[Any, Any, Result], second: Coroutine[Any, Any, Result], turns: list[int]
) -> list[Result]:
    """Run both by turns of so many steps each, a step being one call of a store; then each to its end."""
    results: dict[int, Result] = {}
    racers = (first, second)
    for number, steps in enumerate([*turns, 10_000, 10_000]):
        racer = number % 2
        for _ in range(steps):
            if racer in results:
                break
            try:
                racers[racer].send(None)
            except StopIteration as ended:
                results[racer] = ended.value
    return [results[0], results[1]]


@frozen
class Ending:
    """How a race ended: the facts, how each of the two commands did, and who was told what.

    Who is merely present is left out. So is what somebody is told whose own command was refused: he has his
    answer; or who is given up at the same moment: he hears nothing; and the end of an offer that was refused because a room closed under it; and what is told of the
    seats of a room that closes at the same moment.
    """

    picture: Picture
    results: tuple[str, ...]
    told: tuple[tuple[str, str], ...]


async def _ending(world: World, cast: Cast, names: tuple[str, str], results: list[Result]) -> Ending:
    seen = await picture(world)
    codes = [code for code, _ in results]
    refused = {name for name, code in zip(names, codes, strict=True) if code != "done"}
    given_up = {name for name in names if "expires" in name}
    answered = {getattr(cast, name.split()[0], "") for name in refused | given_up}
    withdrawn = any("offers" in name for name in refused)
    closed = "eve closes" in names
    told = sorted(
        (user_id, kind)
        for _, news in results
        for user_id, kind in news
        if user_id not in answered
        and not (withdrawn and kind == "on-pk-timeout")
        and not (closed and kind.startswith(_OF_SEATS))
    )
    return Ending(Picture(seen.rooms, seen.places, seen.pks, frozenset()), tuple(codes), tuple(told))


async def _set_up(world: World, situation: str) -> Cast:
    cast = await stage(world)
    await SITUATIONS[situation](world, cast)
    return cast


async def _one_after_the_other(situation: str, first: str, second: str, *, swapped: bool) -> Ending:
    world = World()
    cast = await _set_up(world, situation)
    order = [second, first] if swapped else [first, second]
    results = [await outcome(COMMANDS[name](world, cast)) for name in order]
    ending = await _ending(world, cast, (first, second), results[::-1] if swapped else results)
    await world.stores.close()
    return ending


_in_turn: dict[tuple[str, str, str], list[Ending]] = {}


def in_turn(situation: str, first: str, second: str) -> list[Ending]:
    """Return how the two commands end in either order."""
    key = (situation, first, second)
    if key not in _in_turn:
        _in_turn[key] = [run(_one_after_the_other(*key, swapped=swapped)) for swapped in (False, True)]
    return _in_turn[key]


@pytest.mark.parametrize(
    ("situation", "first", "second"), RACES, ids=[f"{a}: {b} / {c}" for a, b, c in RACES]
)
@settings(max_examples=examples(2))
@given(turns=st.lists(st.integers(0, 6), max_size=6))
def test_a_race(situation: str, first: str, second: str, turns: list[int]) -> None:
    """The facts and both results are those of one order or of the other, and nobody is stuck."""

    async def racing(world: World) -> Ending:
        cast = await _set_up(world, situation)
        racers = [outcome(COMMANDS[name](world.beside(_pause), cast)) for name in (first, second)]
        results = await interleaved(racers[0], racers[1], turns)
        ending = await _ending(world, cast, (first, second), results)
        if (first, second) in LEFT_TO_THE_SWEEP:
            await world.sweep.look_around(0)
        await check(world)
        await check_nobody_is_stuck(world)
        return ending

    with closing(World()) as world:
        assert run(racing(world)) in in_turn(situation, first, second)
