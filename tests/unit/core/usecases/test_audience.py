"""Entering, leaving, and watching by polling."""

from core.world import World, refusal
from qlive_core.effects import Arm, DeadlineKind, Forget
from qlive_core.errors import NoSuchRoom, UserBroadcasting


async def audience(world: World, room: str) -> int:
    """Return how many watch, as the room's picture says."""
    return (await world.directory.one(room)).audience_number


async def test_enter_and_leave(world: World) -> None:
    """A viewer counts while he watches; leaving is no error, wherever one is."""
    _, room = await world.host(1)
    viewer = await world.user(2)
    entered = await world.audience.enter(viewer, room)
    assert entered.reply.id == room
    assert entered.effects == (
        Forget(viewer),
        Arm(DeadlineKind.PRESENCE, viewer, world.clock.now() + 60),
    )
    assert Forget(viewer) not in (await world.audience.enter(viewer, room)).effects, (
        "they stay where they are"
    )
    assert (await world.status(viewer), await audience(world, room)) == ("watching", 1)
    await world.audience.leave(viewer)
    assert (await world.status(viewer), await audience(world, room)) == ("idle", 0)
    assert (await world.audience.leave(viewer)).effects == ()


async def test_entering_another_room_leaves_the_first(world: World) -> None:
    """A viewer is in one room at a time, and counted once however often he enters."""
    _, first = await world.host(1)
    _, second = await world.host(2)
    viewer = await world.user(3)
    for room in (first, second, second):
        await world.audience.enter(viewer, room)
    assert [await audience(world, first), await audience(world, second)] == [0, 1]


async def test_enter_and_leave_are_refused(world: World) -> None:
    """No room comes before being a host; a host enters nothing, not even his own room, and leaves nothing."""
    ann, room = await world.host(1)
    _, other = await world.host(2)
    assert await refusal(world.audience.enter(ann, "none")) is NoSuchRoom
    assert await refusal(world.audience.enter(ann, room)) is UserBroadcasting
    assert await refusal(world.audience.enter(ann, other)) is UserBroadcasting
    assert await refusal(world.audience.leave(ann)) is UserBroadcasting
    assert await world.status(ann) == "singleLive"


async def test_a_closed_room_cannot_be_entered(world: World) -> None:
    """A viewer who is refused stays where he is."""
    ann, room = await world.host(1)
    _, other = await world.host(2)
    viewer = await world.user(3)
    await world.audience.enter(viewer, other)
    await world.rooms.close(ann, room)
    assert await refusal(world.audience.enter(viewer, room)) is NoSuchRoom
    assert await audience(world, other) == 1


async def test_polling_keeps_a_viewer(world: World) -> None:
    """Who has no connection stays as long as he asks for the room once in a minute."""
    _, room = await world.host(1)
    viewer = await world.user(2)
    await world.audience.enter(viewer, room)
    for _ in range(5):
        world.clock.advance(59)
        assert await world.audience.poll(viewer, room) == ()
        assert not (await world.attendance.expire(viewer)).reply
    world.clock.advance(60)
    assert (await world.attendance.expire(viewer)).reply
    assert (await world.status(viewer), await audience(world, room)) == ("idle", 0)


async def test_polling_another_room_does_not(world: World) -> None:
    """Only the room that he watches counts."""
    _, room = await world.host(1)
    _, other = await world.host(2)
    viewer = await world.user(3)
    await world.audience.enter(viewer, room)
    world.clock.advance(59)
    await world.audience.poll(viewer, other)
    world.clock.advance(1)
    assert (await world.attendance.expire(viewer)).reply


async def test_polling_does_not_keep_whom_a_connection_kept(world: World) -> None:
    """A viewer whose connection broke leaves when his grace ends, polls or not, and is not let in again."""
    _, room = await world.host(1)
    viewer, token = await world.login("13900000000")
    await world.attendance.connect(token, "conn-1")
    await world.audience.enter(viewer, room)
    await world.attendance.drop(viewer, "conn-1")
    world.clock.advance(19)
    await world.audience.poll(viewer, room)
    world.clock.advance(1)
    assert (await world.attendance.expire(viewer)).reply
    assert await world.audience.poll(viewer, room) == ()
    assert await world.status(viewer) == "idle"


async def lapsed(world: World) -> tuple[str, str, str]:
    """Return a viewer whose lease ran out, the room that he watched and its host."""
    host, room = await world.host(1)
    viewer = await world.user(2)
    await world.audience.enter(viewer, room)
    world.clock.advance(60)
    # The host goes on calling meanwhile.
    await world.attendance.sign_of_life(host)
    await world.attendance.expire(viewer)
    return viewer, room, host


async def test_a_late_poll_lets_him_in_again(world: World) -> None:
    """A poll after the lease ran out is as good as entering."""
    viewer, room, _ = await lapsed(world)
    world.clock.advance(30)
    assert await world.audience.poll(viewer, room) == (
        Arm(DeadlineKind.PRESENCE, viewer, world.clock.now() + 60),
    )
    assert (await world.status(viewer), await audience(world, room)) == ("watching", 1)


async def test_a_late_poll_after_being_elsewhere_does_not(world: World) -> None:
    """Who has watched another room, left, or hosted since is not let in again."""
    viewer, room, _ = await lapsed(world)
    await world.audience.leave(viewer)
    assert await world.audience.poll(viewer, room) == ()
    _, other = await world.host(3)
    await world.audience.enter(viewer, room)
    world.clock.advance(60)
    await world.attendance.expire(viewer)
    await world.audience.enter(viewer, other)
    await world.audience.poll(viewer, room)
    assert [await audience(world, room), await audience(world, other)] == [0, 1]


async def test_a_lapsed_viewer_may_host(world: World) -> None:
    """Lapsed is idle: he may open a room, and a poll of the old one changes nothing."""
    viewer, room, _ = await lapsed(world)
    assert await world.status(viewer) == "idle"
    await world.rooms.create(viewer, "mine", "pk")
    await world.audience.poll(viewer, room)
    assert await world.status(viewer) == "singleLive"


async def test_a_late_poll_of_a_closed_room_does_nothing(world: World) -> None:
    """There is nothing to be let into."""
    viewer, room, host = await lapsed(world)
    await world.rooms.close(host, room)
    assert await world.audience.poll(viewer, room) == ()
    assert await world.status(viewer) == "idle"
