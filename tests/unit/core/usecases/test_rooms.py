"""Opening, renaming and closing rooms."""

from collections.abc import Callable

import pytest

from core.world import World, pushes, refusal
from qlive_core.effects import Arm, DeadlineKind, Forget, Hold, OpenChat
from qlive_core.errors import (
    InvalidRoomName,
    NoSuchRoom,
    OwnsAnotherRoom,
    QliveError,
    RoomLimitReached,
    RoomNameTaken,
    UnsupportedRoomType,
    UserWatching,
)
from qlive_core.model.room import RoomType
from qlive_core.signalling.messages import OnRoomClose


async def test_create(world: World) -> None:
    """The host gets a room, a token of the host's kind for just that room, and a minute to connect."""
    ann = await world.user()
    opened = await world.rooms.create(ann, " songs ", "")
    room = opened.reply.room
    assert (room.name, room.type, room.creator) == ("songs", RoomType.PK, ann)
    assert opened.reply.rtc_token == f"rtc:{room.id}:{ann}:admin"
    assert opened.effects == (
        Forget(ann),
        Arm(DeadlineKind.PRESENCE, ann, world.clock.now() + 60),
        Hold(ann),
        OpenChat(opened.reply.room.id, "songs"),
    )
    assert await world.status(ann) == "singleLive"


async def test_a_host_with_a_connection_needs_no_lease(world: World) -> None:
    """Who is connected already is not timed."""
    ann, token = await world.login("13800000001")
    await world.attendance.connect(token, "conn-1")
    opened = await world.rooms.create(ann, "songs", "pk")
    assert opened.effects == (Forget(ann), OpenChat(opened.reply.room.id, "songs"))


async def test_create_again_returns_the_room_that_is_there(
    world: World, world_with: Callable[..., World]
) -> None:
    """One's own room's name gives that room and a token for it, whatever type is asked and at the limit too."""
    full = world_with(max_rooms=1)
    ann, room = await full.host(1)
    again = await full.rooms.create(ann, "room 1", "voice")
    assert (again.reply.room.id, again.reply.room.type) == (room, RoomType.PK)
    assert again.reply.rtc_token == f"rtc:{room}:{ann}:admin"
    assert await full.stores.rooms.count() == 1


@pytest.mark.parametrize(
    ("who", "name", "kind", "refused"),
    [
        ("ann", "", "video", InvalidRoomName),
        ("ann", "new", "video", UnsupportedRoomType),
        ("ann", "room 2", "pk", RoomLimitReached),
        ("ann", "new", "pk", RoomLimitReached),
        ("viewer", "new", "pk", RoomLimitReached),
    ],
)
async def test_create_is_refused_at_the_limit(
    world_with: Callable[..., World], who: str, name: str, kind: str, refused: type[QliveError]
) -> None:
    """Name, then type, then the limit; only after these whatever concerns the user."""
    world = world_with(max_rooms=2)
    ann, _ = await world.host(1)
    _, room = await world.host(2)
    viewer = await world.user(3)
    await world.audience.enter(viewer, room)
    users = {"ann": ann, "viewer": viewer}
    assert await refusal(world.rooms.create(users[who], name, kind)) is refused


async def test_create_is_refused(world: World) -> None:
    """A taken name comes before one's own other room, and that before watching."""
    ann, _ = await world.host(1)
    _, bob_room = await world.host(2)
    viewer = await world.user(3)
    await world.audience.enter(viewer, bob_room)
    assert await refusal(world.rooms.create(ann, "room 2", "pk")) is RoomNameTaken
    assert await refusal(world.rooms.create(ann, "new", "pk")) is OwnsAnotherRoom
    assert await refusal(world.rooms.create(viewer, "room 2", "pk")) is RoomNameTaken
    assert await refusal(world.rooms.create(viewer, "new", "pk")) is UserWatching
    assert await world.status(viewer) == "watching"


async def test_a_limit_of_none(world: World) -> None:
    """Without a limit there may be any number of rooms; with one, a closed room makes room."""
    for number in range(30):
        await world.host(number)
    assert await world.stores.rooms.count() == 30


async def test_a_closed_room_frees_name_host_and_limit(world_with: Callable[..., World]) -> None:
    """After closing, host and name are free, and one more room may be opened."""
    world = world_with(max_rooms=1)
    ann, room = await world.host(1)
    bob = await world.user(2)
    assert await refusal(world.rooms.create(bob, "room 1", "pk")) is RoomLimitReached
    await world.rooms.close(ann, room)
    assert (await world.rooms.create(bob, "room 1", "pk")).reply.room.creator == bob


async def test_rename(world: World) -> None:
    """The host may rename; the same name is fine; a taken or bad one is not, nor another's room."""
    ann, room = await world.host(1)
    bob, _ = await world.host(2)
    assert (await world.rooms.rename(ann, room, " new ")).name == "new"
    assert (await world.rooms.rename(ann, room, "new")).name == "new"
    assert await refusal(world.rooms.rename(ann, room, "room 2")) is RoomNameTaken
    assert await refusal(world.rooms.rename(ann, room, "")) is InvalidRoomName
    assert await refusal(world.rooms.rename(bob, "none", "")) is InvalidRoomName
    assert await refusal(world.rooms.rename(bob, room, "mine")) is NoSuchRoom
    assert await refusal(world.rooms.rename(bob, "none", "mine")) is NoSuchRoom
    stored = await world.stores.rooms.get(room)
    assert stored is not None
    assert stored.name == "new"


async def test_refresh(world: World) -> None:
    """The host gets a token for his room; for anybody else there is no such room."""
    ann, room = await world.host(1)
    assert (await world.rooms.refresh(ann, room)).rtc_token == f"rtc:{room}:{ann}:admin"
    for user, asked in ((await world.user(2), room), (ann, "nope")):
        with pytest.raises(NoSuchRoom) as refused:
            await world.rooms.refresh(user, asked)
        assert refused.value.detail == f"room {asked} not found"


async def test_close(world: World) -> None:
    """Whoever watches is told, nobody else; everybody is idle and the room is gone."""
    ann, room = await world.host(1)
    _, other_room = await world.host(2)
    viewers = [await world.user(number) for number in (3, 4)]
    elsewhere = await world.user(5)
    for viewer in viewers:
        await world.audience.enter(viewer, room)
    await world.audience.enter(elsewhere, other_room)
    closed = await world.rooms.close(ann, room)
    assert sorted(pushes(closed.effects), key=lambda told: told[0]) == [
        (viewer, OnRoomClose(room_id=room)) for viewer in sorted(viewers)
    ]
    assert [await world.status(user) for user in (ann, *viewers, elsewhere)] == [
        "idle",
        "idle",
        "idle",
        "watching",
    ]
    assert await world.stores.rooms.get(room) is None


async def test_close_is_refused(world: World) -> None:
    """There is no such room: if it does not exist, is another's, or was closed before."""
    ann, room = await world.host(1)
    bob, _ = await world.host(2)
    assert await refusal(world.rooms.close(bob, room)) is NoSuchRoom
    assert await refusal(world.rooms.close(ann, "none")) is NoSuchRoom
    assert await refusal(world.rooms.close(ann, room)) is None
    assert await refusal(world.rooms.close(ann, room)) is NoSuchRoom


async def test_a_lapsed_viewer_is_not_told_of_the_end(world: World) -> None:
    """Who stopped polling long ago watches no more and has no business with the room."""
    ann, room = await world.host(1)
    viewer = await world.user(2)
    await world.audience.enter(viewer, room)
    world.clock.advance(60)
    await world.attendance.expire(viewer)
    assert pushes((await world.rooms.close(ann, room)).effects) == []
