"""What the clouds know better, and how it is healed."""

import pytest

from core.sky import Sky
from core.stage import VoiceRoom, voice_room
from core.world import World, pushes
from qlive_core.effects import Outcome
from qlive_core.model.place import PlaceKind
from qlive_core.signalling.seat_messages import OnJoinEnd
from qlive_core.usecases.reconciler import Drift, DriftKind, Reconciler


@pytest.fixture
def sky(world: World) -> Sky:
    """Return a sky over an empty world."""
    return Sky(world)


@pytest.fixture
async def stage(world: World) -> VoiceRoom:
    """Return a voice room with its people."""
    return await voice_room(world)


async def test_who_belongs_there_is_left_alone(sky: Sky, stage: VoiceRoom) -> None:
    """The host, the audience and whoever of them is missing are no drift, as long as nobody has a seat."""
    sky.rtc.inside[stage.room] = {stage.host, stage.ann}
    assert await sky.look(stage.room) == set()


async def test_a_stranger_is_put_out(sky: Sky, stage: VoiceRoom) -> None:
    """A user of ours who is nowhere near the room is put out; somebody whom qlive does not know is not its business."""
    dora = await sky.world.user(77)
    sky.rtc.inside[stage.room] = {stage.host, dora, "a recorder of the operator's"}
    stranger = Drift(DriftKind.STRANGER, stage.room, dora)
    assert await sky.look(stage.room) == {stranger}
    assert (await sky.heal(stranger)).reply
    assert sky.rtc.inside[stage.room] == {stage.host, "a recorder of the operator's"}


async def test_a_stranger_who_has_come_in_meanwhile_stays(sky: Sky, stage: VoiceRoom) -> None:
    """Between look and healing he may have entered."""
    dora = await sky.world.user(77)
    sky.rtc.inside[stage.room] = {dora}
    (stranger,) = await sky.look(stage.room)
    await sky.world.audience.enter(dora, stage.room)
    assert not (await sky.heal(stranger)).reply
    assert sky.rtc.inside[stage.room] == {dora}


async def test_the_opponent_in_a_pk_is_no_stranger(sky: Sky, world: World) -> None:
    """The first apps move into the other host's RTC room, the newest relay there."""
    ann, anns = await world.host(1)
    bob, bobs = await world.host(2)
    await world.battles.start(ann, bobs)
    await world.battles.answer(bob, anns, accept=True)
    sky.rtc.inside = {anns: {bob}, bobs: {ann, bob}}
    assert await sky.look(anns) == await sky.look(bobs) == set()
    await world.battles.end(ann, bobs)
    assert await sky.look(anns) == {Drift(DriftKind.STRANGER, anns, bob)}


async def test_an_empty_seat_is_taken_back(sky: Sky, stage: VoiceRoom) -> None:
    """Who has a seat and no microphone in the RTC room loses it; everybody hears that, he too."""
    await stage.seat(stage.ann)
    sky.rtc.inside[stage.room] = {stage.host}
    empty = Drift(DriftKind.EMPTY_SEAT, stage.room, stage.ann)
    assert await sky.look(stage.room) == {empty}
    healed = await sky.heal(empty)
    assert healed.reply
    heard = {user_id for user_id, message in pushes(healed.effects) if isinstance(message, OnJoinEnd)}
    assert heard == {stage.host, stage.ann, stage.bob}
    place = await sky.world.stores.places.get(stage.ann)
    assert place is not None
    assert (place.kind, place.seat) == (PlaceKind.WATCHING, None)
    assert (await sky.heal(empty)) == Outcome(False)


async def test_a_missing_chat_room_is_made(sky: Sky, world: World) -> None:
    """Under the room's id and name, unless the room is gone by then."""
    _, anns = await world.host(1)
    bob, bobs = await world.host(2)
    await sky.chats.open(anns, "room 1")
    (missing,) = await sky.reconciler.look_at_chats(await world.stores.rooms.all())
    assert missing == Drift(DriftKind.NO_CHAT_ROOM, bobs)
    assert (await sky.heal(missing)).reply
    assert sky.chats.open_rooms == {anns: "room 1", bobs: "room 2"}
    await world.rooms.close(bob, bobs)
    await sky.chats.close(bobs)
    assert not (await sky.heal(missing)).reply
    assert bobs not in sky.chats.open_rooms


async def test_a_host_whom_only_the_im_cloud_knows(sky: Sky, world: World) -> None:
    """His callbacks were lost: from the healing on he is reached over IM."""
    ann, _ = await world.host(1)
    viewer = await world.user(2)
    sky.im.online = {ann, viewer}
    online = Drift(DriftKind.ONLINE, user_id=ann)
    assert await sky.doubts() == {online}
    assert (await sky.heal(online)).reply
    presence = await world.stores.presences.get(ann)
    assert presence is not None
    assert presence.im
    assert await sky.doubts() == set()


async def test_a_silence_that_no_ping_can_prove(sky: Sky, world: World) -> None:
    """While the cloud takes no pings nobody is given up for his silence, but for the cloud's word that he is away."""
    ann, anns = await world.host(1)
    await world.attendance.heard_over_im(ann, world.clock.now())
    sky.im.online = {ann}
    assert await sky.doubts() == set()
    world.clock.advance(world.rules.im_pong_timeout_s)
    assert await sky.doubts() == set()
    sky.im.online = set()
    offline = Drift(DriftKind.OFFLINE, user_id=ann)
    assert await sky.doubts() == {offline}
    assert (await sky.heal(offline)).reply
    assert await world.stores.rooms.get(anns) is None
    assert (await sky.heal(offline)) == Outcome(False)


async def test_who_is_there_in_another_way_is_not_given_up(sky: Sky, world: World) -> None:
    """A connection, or a poll, counts as much as IM does."""
    ann, token = await world.login("13800000001")
    await world.rooms.create(ann, "songs", "pk")
    await world.attendance.heard_over_im(ann, world.clock.now())
    await world.attendance.connect(token, "conn-1")
    world.clock.advance(world.rules.im_pong_timeout_s)
    assert await sky.doubts() == set()
    await world.attendance.drop(ann, "conn-1")
    assert await sky.doubts() == set()
    assert (await sky.heal(Drift(DriftKind.OFFLINE, user_id=ann))) == Outcome(False)


async def test_clouds_that_are_not_there_are_not_looked_at(world: World) -> None:
    """With the local stand-ins there is nothing to compare."""
    sky = Sky(world)
    _, anns = await world.host(1)
    nobody = Reconciler(
        **{
            name: getattr(sky.reconciler, name)
            for name in ("rooms", "places", "pks", "presences", "accounts")
        },
        seating=world.departure.seating,
        attendance=world.attendance,
        rtc=None,
        im=None,
        chats=None,
        clock=world.clock,
    )
    room = await world.stores.rooms.get(anns)
    assert room is not None
    assert await nobody.look_at_room(room) == await nobody.look_at_chats([room]) == frozenset()
    assert await nobody.doubtful() == ()
    assert await nobody.look_at_user("ann") == frozenset()
