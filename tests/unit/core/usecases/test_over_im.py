"""Being there over IM: signs of life without writes, pings that a slow cloud may hold up, and a last word."""

from collections.abc import Callable

import pytest

from core.world import World, refusal, run
from qlive_core.effects import (
    Arm,
    CloseChat,
    DeadlineKind,
    Forget,
    HangUp,
    HangUpReason,
    Hold,
    LetGo,
    ReachByIm,
)
from qlive_core.model.place import PlaceKind
from qlive_core.model.presence import PresenceState

PHONE = "13900000000"


@pytest.fixture
def world(world_with: Callable[..., World]) -> World:
    """Return a world whose users are signalled over IM too."""
    return world_with(signals_over_im=True)


async def seen(world: World, number: int = 1) -> str:
    """Return a user who has just been heard over IM."""
    user_id = await world.user(number)
    assert (await world.attendance.heard_over_im(user_id, world.clock.now())).reply
    return user_id


async def gone(world: World, user_id: str) -> bool:
    """Look at the user's deadline; tell whether he was given up."""
    return (await world.attendance.expire(user_id)).reply


def ping(world: World, user_id: str) -> None:
    """Let the cloud take a ping that was on its way for a tenth of a second."""
    since = world.clock.now()
    world.clock.advance(0.1)
    world.attendance.pinged_over_im([user_id], since)


async def test_the_first_sign_begins_a_presence(world: World) -> None:
    """It is expected for a pong timeout from when the sign was given, and reached over IM."""
    user_id = await world.user()
    first = await world.attendance.heard_over_im(user_id, world.clock.now() - 3)
    assert first.effects == (Arm(DeadlineKind.PRESENCE, user_id, world.clock.now() + 17), ReachByIm(user_id))
    presence = await world.stores.presences.get(user_id)
    assert presence is not None
    assert (presence.state, presence.im) == (PresenceState.LEASE, True)


async def test_no_other_sign_is_written(world: World) -> None:
    """Whatever comes after the first changes memory alone."""
    user_id = await seen(world)
    stored = await world.stores.presences.get(user_id)
    world.clock.advance(4)
    assert (await world.attendance.heard_over_im(user_id, world.clock.now())).effects == ()
    assert await world.stores.presences.get(user_id) == stored


async def test_asking_for_a_token_or_calling_begins_nothing(world: World) -> None:
    """Only signs over IM make a user present there."""
    user_id = await world.user()
    await world.attendance.sign_of_life(user_id)
    assert await world.stores.presences.get(user_id) is None


async def test_strangers_and_the_logged_out_are_not_there(world: World) -> None:
    """Who has no live session has no presence, however much he says."""
    user_id = await seen(world)
    await world.logout(user_id)
    for who in (user_id, "user00009999"):
        assert not (await world.attendance.heard_over_im(who, world.clock.now())).reply
        assert await world.stores.presences.get(who) is None


async def test_a_logout_at_the_same_moment_has_the_last_word(world: World) -> None:
    """A session that ends while the first sign is stored leaves no presence behind."""
    user_id = await world.user()

    async def meanwhile(store: str, method: str) -> None:
        if (store, method) == ("presences", "add"):
            await world.logout(user_id)

    assert not (await world.beside(meanwhile).attendance.heard_over_im(user_id, world.clock.now())).reply
    assert await world.stores.presences.get(user_id) is None


async def test_silence_with_a_ping_unanswered_is_the_end(world: World) -> None:
    """Twenty seconds of silence, the last fifteen of them after a ping."""
    user_id = await seen(world)
    await world.rooms.create(user_id, "songs", "pk")
    world.clock.advance(4.9)
    ping(world, user_id)
    world.clock.advance(14.9)
    assert not await gone(world, user_id)
    world.clock.advance(0.1)
    assert await gone(world, user_id)
    assert await world.status(user_id) == "idle"


async def test_who_was_not_asked_is_not_given_up(world: World) -> None:
    """While the cloud takes no pings, silence says nothing; after the first that it takes there is time to answer."""
    user_id = await seen(world)
    for _ in range(10):
        world.clock.advance(20)
        assert not await gone(world, user_id)
    ping(world, user_id)
    world.clock.advance(14.9)
    assert not await gone(world, user_id)
    world.clock.advance(0.1)
    assert await gone(world, user_id)


async def test_of_several_pings_the_first_counts(world: World) -> None:
    """Asking again does not give more time."""
    user_id = await seen(world)
    for _ in range(3):
        world.clock.advance(4.9)
        ping(world, user_id)
    world.clock.advance(5)
    assert await gone(world, user_id)


async def test_an_answer_that_overtakes_its_ping_counts(world: World) -> None:
    """A slow cloud may confirm a ping after its answer came: then it is not taken for unanswered."""
    user_id = await seen(world)
    world.clock.advance(5)
    since = world.clock.now()
    world.clock.advance(1)
    await world.attendance.heard_over_im(user_id, world.clock.now())
    world.clock.advance(3)
    world.attendance.pinged_over_im([user_id], since)
    world.clock.advance(17)
    assert not await gone(world, user_id)


@pytest.mark.parametrize("late_s", [20.0, 3600.0])
async def test_a_late_sign_is_none(world: World, late_s: float) -> None:
    """What was said longer ago than a user may be silent neither begins a presence nor prolongs one."""
    stranger = await world.user(2)
    assert not (await world.attendance.heard_over_im(stranger, world.clock.now() - late_s)).reply
    assert await world.stores.presences.get(stranger) is None


async def test_the_newest_sign_counts(world: World) -> None:
    """A message that was overtaken by a newer one takes nothing away."""
    user_id = await seen(world)
    world.clock.advance(10)
    await world.attendance.heard_over_im(user_id, world.clock.now())
    await world.attendance.heard_over_im(user_id, world.clock.now() - 9)
    ping(world, user_id)
    world.clock.advance(19.8)
    assert not await gone(world, user_id)


async def test_a_clock_that_is_ahead_gives_no_time(world: World) -> None:
    """A message from the future was sent now."""
    user_id = await world.user()
    await world.attendance.heard_over_im(user_id, world.clock.now() + 1000)
    ping(world, user_id)
    world.clock.advance(20)
    assert await gone(world, user_id)


async def test_being_seen_ends_the_time_to_connect(world: World) -> None:
    """A host who is seen over IM is connected: his silence counts from then on, not from his room's minute."""
    user_id, _ = await world.host(1)
    first = await world.attendance.heard_over_im(user_id, world.clock.now())
    assert first.effects[0] == Arm(DeadlineKind.PRESENCE, user_id, world.clock.now() + 20)
    ping(world, user_id)
    world.clock.advance(20)
    assert await gone(world, user_id)


async def test_calls_keep_a_host_who_is_silent_over_im(world: World) -> None:
    """An authorised call is worth as much as a word over IM."""
    user_id = await seen(world)
    await world.rooms.create(user_id, "songs", "pk")
    ping(world, user_id)
    world.clock.advance(15)
    await world.attendance.sign_of_life(user_id)
    world.clock.advance(19)
    assert not await gone(world, user_id)
    world.clock.advance(1)
    assert await gone(world, user_id)


async def test_polls_keep_a_viewer_who_is_silent_over_im(world: World) -> None:
    """A viewer keeps his place by polling, and one who is given up is let in again by his next poll."""
    _, room = await world.host(9)
    user_id = await seen(world)
    await world.audience.enter(user_id, room)
    ping(world, user_id)
    world.clock.advance(15)
    await world.audience.poll(user_id, room)
    world.clock.advance(59)
    assert not await gone(world, user_id)
    world.clock.advance(1)
    assert await gone(world, user_id)
    place = await world.stores.places.get(user_id)
    assert place is not None
    assert place.kind is PlaceKind.LAPSED


async def test_either_channel_keeps_a_user(world: World) -> None:
    """When the connection is lost, signs over IM go on keeping him beyond the grace."""
    user_id, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    assert (await world.attendance.heard_over_im(user_id, world.clock.now())).effects == (ReachByIm(user_id),)
    await world.attendance.drop(user_id, "conn-1")
    world.clock.advance(15)
    await world.attendance.heard_over_im(user_id, world.clock.now())
    ping(world, user_id)
    world.clock.advance(15)
    assert not await gone(world, user_id)
    world.clock.advance(5)
    assert await gone(world, user_id)


async def test_who_is_silent_is_asked(world: World) -> None:
    """Those who spoke up a moment ago are not, nor is anybody who was never seen over IM; the gone are let go."""
    silent, chatty = await seen(world, 1), await seen(world, 2)
    never, _ = await world.host(3)
    world.clock.advance(3)
    await world.attendance.heard_over_im(chatty, world.clock.now())
    asked = await world.attendance.to_ping_over_im([silent, chatty, never, "nobody"])
    assert (asked.reply, asked.effects) == ([silent], (LetGo("nobody"),))


async def test_leaving_is_the_users_word(world: World) -> None:
    """It ends place and presence, and hangs up the connection that he has as well."""
    user_id, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    await world.attendance.heard_over_im(user_id, world.clock.now())
    room = (await world.rooms.create(user_id, "songs", "pk")).reply.room.id
    left = await world.attendance.leave_by_im(user_id, world.clock.now())
    assert left.reply
    ended = (Forget(user_id), CloseChat(room), LetGo(user_id))
    assert left.effects == (*ended, HangUp(user_id, HangUpReason.LEFT, "conn-1"))
    assert await world.stores.rooms.get(room) is None
    assert await world.stores.presences.get(user_id) is None
    again = await world.attendance.leave_by_im(user_id, world.clock.now())
    assert again.effects == (LetGo(user_id),)


async def test_an_old_word_does_not_close_a_new_room(world: World) -> None:
    """What was sent before the room was opened meant another one."""
    user_id = await seen(world)
    said_at = world.clock.now()
    world.clock.advance(1)
    room = (await world.rooms.create(user_id, "songs", "pk")).reply.room.id
    assert not (await world.attendance.leave_by_im(user_id, said_at)).reply
    assert await world.stores.rooms.get(room) is not None
    assert await world.stores.presences.get(user_id) is not None


async def test_a_word_within_the_clouds_grain_counts(world: World) -> None:
    """Clouds cut times to milliseconds: what was sent right after the room was opened is not older than it."""
    world.clock.advance(0.0007)
    user_id, _ = await world.host(1)
    sent_at = int(world.clock.now() * 1000) / 1000
    assert sent_at < world.clock.now()
    assert (await world.attendance.leave_by_im(user_id, sent_at)).reply


async def test_a_room_opened_while_the_word_is_heard_stays(world: World) -> None:
    """Whoever takes a place between the two writes begins anew."""
    user_id, room = await world.host(1)

    async def meanwhile(store: str, method: str) -> None:
        if (store, method) == ("presences", "remove"):
            await world.rooms.close(user_id, room)
            await world.rooms.create(user_id, "new", "pk")

    sent_at = world.clock.now()
    world.clock.advance(1)
    await refusal(world.beside(meanwhile).attendance.leave_by_im(user_id, sent_at))
    assert await world.status(user_id) == "singleLive"


def test_after_a_restart_there_is_time_to_answer(world: World) -> None:
    """A new process reaches those whom the old one saw, and asks before it gives anybody up."""
    user_id = run(seen(world))
    world.clock.advance(19)
    after = world.beside(node="node-2")
    woken = (*run(after.sweep.wake()), *run(after.sweep.look_around(10)))
    assert [effect for effect in woken if isinstance(effect, Hold | ReachByIm)] == [
        Hold(user_id),
        ReachByIm(user_id),
    ]
    world.clock.advance(1)
    assert not run(gone(after, user_id))
    ping(after, user_id)
    world.clock.advance(18.8)
    assert not run(gone(after, user_id))
    world.clock.advance(0.2)
    assert run(gone(after, user_id))


async def test_whoever_is_seen_is_reached_again(world: World) -> None:
    """A user who was let go just after his sign came is found by the next look around."""
    user_id, other = await seen(world, 1), await seen(world, 2)
    missing = await world.attendance.unreached_over_im(lambda user: user == other)
    assert missing == (ReachByIm(user_id),)


def test_without_an_im_cloud_its_signs_mean_nothing(world_with: Callable[..., World]) -> None:
    """Who was seen over IM before it was switched off is expected for his lease and no longer."""
    world = world_with(signals_over_im=True)
    user_id = run(seen(world))
    off = World(stores=world.stores, clock=world.clock, ids=world.ids, node="node-2")
    run(off.sweep.wake())
    assert run(off.attendance.unreached_over_im(lambda _: False)) == ()
    world.clock.advance(20)
    assert run(gone(off, user_id))
