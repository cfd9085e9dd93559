"""Looking at rooms."""

import pytest

from core.world import World, refusal
from qlive_core.errors import BadRequest, NoSuchRoom
from qlive_core.model.status import room_status
from qlive_core.usecases.directory import Query


async def names(world: World, query: Query) -> list[str]:
    """Return the names of the rooms that a query lists."""
    return [facts.room.name for facts in await world.directory.list(query)]


async def test_one_room(world: World) -> None:
    """A room's picture has its creator and its audience, and the opponent only while they fight."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.audience.enter(await world.user(3), ann_room)
    await world.battles.start(ann, bob_room)
    waiting = await world.directory.one(ann_room)
    assert waiting.creator is not None
    assert (waiting.creator.id, waiting.audience_number, waiting.anchor) == (ann, 1, None)
    assert room_status(waiting.room, waiting.pk).value == "waitPK"
    await world.battles.answer(bob, ann_room, accept=True)
    for room, opponent in ((ann_room, bob), (bob_room, ann)):
        anchor = (await world.directory.one(room)).anchor
        assert anchor is not None
        assert anchor.id == opponent
    assert await refusal(world.directory.one("none")) is NoSuchRoom


async def test_lists(world: World) -> None:
    """The plain list hides one's own room, a creator's list does not; both are oldest first."""
    hosts = [(await world.host(number))[0] for number in (1, 2, 3)]
    assert await names(world, Query("somebody")) == ["room 1", "room 2", "room 3"]
    assert await names(world, Query(hosts[1])) == ["room 1", "room 3"]
    assert await names(world, Query(hosts[1], creator=hosts[1])) == ["room 2"]
    assert await names(world, Query(hosts[1], creator="nobody")) == []


async def test_rooms_free_for_a_pk(world: World) -> None:
    """PK rooms of others that neither wait nor fight; this wins over the creator."""
    ann, _ = await world.host(1)
    _, bob_room = await world.host(2)
    cleo, cleo_room = await world.host(3)
    dan, dan_room = await world.host(4)
    await world.host(5, kind="voice")
    eve, _ = await world.host(6)
    assert await names(world, Query(ann, can_pk=True)) == ["room 2", "room 3", "room 4", "room 6"]
    await world.battles.start(ann, bob_room)
    await world.battles.start(cleo, dan_room)
    await world.battles.answer(dan, cleo_room, accept=True)
    assert await names(world, Query(ann, can_pk=True)) == ["room 6"]
    assert await names(world, Query(eve, can_pk=True, creator=ann)) == []


async def test_a_list_shows_pks(world: World) -> None:
    """In a list, too, each fighting room names the other's host."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.host(3)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    anchors = [facts.anchor.id if facts.anchor else "" for facts in await world.directory.list(Query(""))]
    assert anchors == [bob, ann, ""]


async def test_pages(world: World) -> None:
    """Pages go from the newest to the oldest room without gap or repetition, equal times included."""
    for number in range(7):
        await world.host(number)
        world.clock.advance(number % 2)
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = await world.directory.page(Query(""), 3, after)
        seen += [facts.room.name for facts in page.rooms]
        after = page.next_after
    assert seen == [f"room {number}" for number in range(6, -1, -1)]
    assert after is None


async def test_the_last_page_says_so(world: World) -> None:
    """A page that just fits has no next one, nor has an empty one."""
    await world.host(1)
    assert (await world.directory.page(Query(""), 1, None)).next_after is None
    assert (await world.directory.page(Query(""), 1, (0.0, ""))).rooms == []


@pytest.mark.parametrize(("limit", "fine"), [(-1, False), (0, False), (1, True), (200, True), (201, False)])
async def test_limits_of_a_page(world: World, limit: int, fine: bool) -> None:
    """A page has 1 to 200 rooms."""
    refused = await refusal(world.directory.page(Query(""), limit, None))
    assert refused is (None if fine else BadRequest)
