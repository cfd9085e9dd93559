"""PKs as the protocol has them: who may do what, in which order it is refused, and who hears of it."""

import pytest

from core.world import World, pushes, refusal
from qlive_core.effects import Arm, Count, DeadlineKind
from qlive_core.errors import (
    InvalidParameter,
    NoSuchRoom,
    NotInPk,
    NotYourPk,
    QliveError,
    RoomBusy,
    RoomTypeUnfit,
    StoreUnavailable,
)
from qlive_core.model.pk import PkState
from qlive_core.signalling.messages import OnPkAnswer, OnPkEnd, OnPkOffer, OnPkTimeout

NOWHERE = "room-that-is-none"


async def test_an_offer(world: World) -> None:
    """The target's host hears who offers; both wait; the deadline is armed."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    offered = await world.battles.start(ann, bob_room)
    assert pushes(offered.effects) == [
        (bob, OnPkOffer(user_id=ann, nickname="用户_0001", room_id=ann_room, room_name="room 1"))
    ]
    pk = await world.stores.pks.of_room(ann_room)
    assert pk is not None
    assert Arm(DeadlineKind.PK_OFFER, pk.id, world.clock.now() + 10) in offered.effects
    assert Count(PkState.OFFERED) in offered.effects
    assert [await world.status(ann), await world.status(bob)] == ["pkWait", "pkWait"]


async def test_an_offer_is_armed_before_it_is_told(world: World) -> None:
    """The first effect is the deadline, so that a failing push leaves no offer without one."""
    ann, _ = await world.host(1)
    _, bob_room = await world.host(2)
    assert isinstance((await world.battles.start(ann, bob_room)).effects[0], Arm)


async def test_start_is_refused_in_the_order_of_the_protocol(world: World) -> None:
    """10011, 10014, 10012 for the target come before 10031 and 10012 for oneself."""
    nobody = await world.user(9)
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    _, cleo_room = await world.host(3)
    singer, voice_room = await world.host(4, kind="voice")
    assert await refusal(world.battles.start(nobody, NOWHERE)) is NoSuchRoom
    assert await refusal(world.battles.start(ann, "")) is NoSuchRoom
    assert await refusal(world.battles.start(nobody, voice_room)) is RoomTypeUnfit
    assert await refusal(world.battles.start(nobody, bob_room)) is InvalidParameter
    assert await refusal(world.battles.start(ann, ann_room)) is InvalidParameter
    assert await refusal(world.battles.start(singer, bob_room)) is RoomBusy
    await world.battles.start(ann, bob_room)
    assert await refusal(world.battles.start(nobody, bob_room)) is RoomBusy
    assert await refusal(world.battles.start(ann, bob_room)) is RoomBusy
    assert await refusal(world.battles.start(ann, cleo_room)) is RoomBusy
    assert await refusal(world.battles.start(bob, ann_room)) is RoomBusy
    assert await refusal(world.battles.start(ann, voice_room)) is RoomTypeUnfit


async def test_a_viewer_has_no_room_to_offer(world: World) -> None:
    """Only a host can offer."""
    _, room = await world.host(1)
    viewer = await world.user(2)
    await world.audience.enter(viewer, room)
    assert await refusal(world.battles.start(viewer, room)) is InvalidParameter


async def test_accept(world: World) -> None:
    """The proposer hears it with both pairs of tokens for the target's room; the target gets the relay's."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    answered = await world.battles.answer(bob, ann_room, accept=True)
    token = f"rtc:{bob_room}:{ann}:user"
    told = OnPkAnswer(
        req_room_id=ann_room,
        accepted=True,
        rtc_room=bob_room,
        rtc_room_token=token,
        relay_rtc_room=bob_room,
        relay_rtc_room_token=token,
    )
    assert pushes(answered.effects) == [(ann, told)]
    assert Count(PkState.LIVE) in answered.effects
    assert answered.reply.proposer_room_id == ann_room
    assert answered.reply.relay is not None
    assert answered.reply.relay.room_id == ann_room
    assert answered.reply.relay.token == f"rtc:{ann_room}:{bob}:user"
    assert [await world.status(ann), await world.status(bob)] == ["pkLive", "pkLive"]


async def test_both_hosts_are_shown_the_answerers_room(world: World) -> None:
    """While they fight, a login answer names the target's room to both; afterwards each its own."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    assert [(await world.whereabouts.of(user)).shown_room_id for user in (ann, bob)] == [bob_room, bob_room]
    await world.battles.end(ann, ann_room)
    assert [(await world.whereabouts.of(user)).shown_room_id for user in (ann, bob)] == [ann_room, bob_room]


async def test_reject(world: World) -> None:
    """A reject carries no rtc and no relay fields; both are single again and free for the next offer."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    answered = await world.battles.answer(bob, ann_room, accept=False)
    assert pushes(answered.effects) == [(ann, OnPkAnswer(req_room_id=ann_room, accepted=False))]
    assert answered.reply.relay is None
    assert Count(PkState.REJECTED) in answered.effects
    assert [await world.status(ann), await world.status(bob)] == ["singleLive", "singleLive"]
    assert await refusal(world.battles.start(bob, ann_room)) is None


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize(
    ("who", "names", "refused"),
    [
        ("ann", "ann", NotInPk),  # the proposer itself
        ("ann", "bob", NotInPk),
        ("cleo", "ann", NotInPk),  # a third host
        ("dan", "ann", NotInPk),  # waits in another PK, as its proposer
        ("viewer", "ann", NotInPk),  # has no room
        ("bob", "nowhere", NoSuchRoom),
        ("bob", "cleo", NotInPk),
        ("bob", "bob", NotInPk),
        ("bob", "dan", NotInPk),
    ],
)
async def test_answer_is_refused(
    world: World, who: str, names: str, refused: type[QliveError], accept: bool
) -> None:
    """10013 without a live offer to the sender, 10011 for no room, 10013 for a wrong one; nothing changes."""
    users, rooms = {"viewer": await world.user(9)}, {"nowhere": NOWHERE}
    for number, name in enumerate(("ann", "bob", "cleo", "dan", "eve")):
        users[name], rooms[name] = await world.host(number)
    await world.battles.start(users["ann"], rooms["bob"])
    await world.battles.start(users["dan"], rooms["eve"])
    before = list(await world.stores.pks.all())
    assert await refusal(world.battles.answer(users[who], rooms[names], accept=accept)) is refused
    assert list(await world.stores.pks.all()) == before


async def test_an_answer_counts_once(world: World) -> None:
    """After the first answer there is no offer any more."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    for accept in (True, False):
        assert await refusal(world.battles.answer(bob, ann_room, accept=accept)) is NotInPk
    assert await world.status(ann) == "pkLive"


async def test_the_deadline_decides_between_answer_and_timeout(world: World) -> None:
    """Just before ten seconds an answer counts and no timeout does; at ten seconds it is the other way round."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    pk = await world.stores.pks.of_room(ann_room)
    assert pk is not None
    world.clock.advance(9.99)
    early = await world.battles.expire(pk.id)
    assert not early.reply
    assert early.effects == (Arm(DeadlineKind.PK_OFFER, pk.id, pk.offer_expires_at),)
    world.clock.time = pk.offer_expires_at
    assert await refusal(world.battles.answer(bob, ann_room, accept=True)) is NotInPk
    late = await world.battles.expire(pk.id)
    assert late.reply
    assert pushes(late.effects) == [
        (bob, OnPkTimeout(pk_anchor_id=ann, pk_room_id=ann_room)),
        (ann, OnPkTimeout(pk_anchor_id=bob, pk_room_id=bob_room)),
    ]
    assert Count(PkState.TIMED_OUT) in late.effects
    assert [await world.status(ann), await world.status(bob)] == ["singleLive", "singleLive"]
    again = await world.battles.expire(pk.id)
    assert (again.reply, again.effects) == (False, ())


async def test_what_is_live_does_not_time_out(world: World) -> None:
    """The timer of an accepted offer finds nothing to do."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    pk = await world.stores.pks.of_room(ann_room)
    assert pk is not None
    await world.battles.answer(bob, ann_room, accept=True)
    world.clock.advance(11)
    assert (await world.battles.expire(pk.id)).effects == ()
    assert await world.status(ann) == "pkLive"


@pytest.mark.parametrize("took_place", [True, False])
async def test_a_timeout_that_the_store_leaves_unsure(world: World, took_place: bool) -> None:
    """When nobody knows whether an expired offer was removed, the next try finds out, and it is told once."""
    (ann, _), (_, bob_room) = await world.host(1), await world.host(2)
    await world.battles.start(ann, bob_room)
    [pk] = await world.stores.pks.all()
    world.clock.time = pk.offer_expires_at
    failing = [True]

    async def fail_once(store: str, method: str) -> None:
        if (store, method) == ("pks", "remove") and failing:
            failing.clear()
            if took_place:
                await world.stores.pks.remove(pk)
            raise StoreUnavailable

    battles = world.beside(fail_once).battles
    assert await refusal(battles.expire(pk.id)) is StoreUnavailable
    told = await battles.expire(pk.id)
    assert told.reply
    assert [type(push) for _, push in pushes(told.effects)] == [OnPkTimeout, OnPkTimeout]
    assert (await battles.expire(pk.id)).effects == ()


@pytest.mark.parametrize("accept", [True, False])
async def test_an_unsure_timeout_is_overtaken(world: World, accept: bool) -> None:
    """An offer whose removal failed can still be answered, while its time is not over; then nothing times out."""
    (ann, ann_room), (bob, bob_room) = await world.host(1), await world.host(2)
    await world.battles.start(ann, bob_room)
    [pk] = await world.stores.pks.all()
    failing = [True]

    async def fail_once(store: str, method: str) -> None:
        if (store, method) == ("pks", "remove") and failing:
            failing.clear()
            raise StoreUnavailable

    battles = world.beside(fail_once).battles
    world.clock.time = pk.offer_expires_at
    assert await refusal(battles.expire(pk.id)) is StoreUnavailable
    world.clock.advance(-1)  # clocks are set back now and then
    await battles.answer(bob, ann_room, accept=accept)
    if accept:
        await battles.end(ann, bob_room)
    assert (await battles.expire(pk.id)).effects == ()


@pytest.mark.parametrize("ender", [0, 1])
@pytest.mark.parametrize("named", [0, 1])
async def test_end(world: World, ender: int, named: int) -> None:
    """Either host may end it and may name either room; the other hears that name."""
    (ann, ann_room), (bob, bob_room) = await world.host(1), await world.host(2)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    users, rooms = (ann, bob), (ann_room, bob_room)
    ended = await world.battles.end(users[ender], rooms[named])
    assert pushes(ended.effects) == [(users[1 - ender], OnPkEnd(pk_room_id=rooms[named]))]
    assert Count(PkState.ENDED) in ended.effects
    assert [await world.status(user) for user in users] == ["singleLive", "singleLive"]
    assert await refusal(world.battles.end(users[1 - ender], rooms[named])) is NotInPk


async def test_end_is_refused(world: World) -> None:
    """10013 for whoever is in no live PK, then 10003 for a room that is neither; nothing changes."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    cleo, cleo_room = await world.host(3)
    assert await refusal(world.battles.end(ann, ann_room)) is NotInPk
    await world.battles.start(ann, bob_room)
    assert await refusal(world.battles.end(ann, bob_room)) is NotInPk
    await world.battles.answer(bob, ann_room, accept=True)
    assert await refusal(world.battles.end(cleo, ann_room)) is NotInPk
    assert await refusal(world.battles.end(await world.user(9), ann_room)) is NotInPk
    assert await refusal(world.battles.end(ann, cleo_room)) is NotYourPk
    assert await refusal(world.battles.end(ann, "")) is NotYourPk
    assert [await world.status(ann), await world.status(bob)] == ["pkLive", "pkLive"]


async def test_closing_a_room_that_waits_frees_the_other_at_once(world: World) -> None:
    """The peer of a room that closes while it waits hears on-pk-timeout and is single."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    closed = await world.rooms.close(bob, bob_room)
    assert pushes(closed.effects) == [(ann, OnPkTimeout(pk_anchor_id=bob, pk_room_id=bob_room))]
    assert Count(PkState.CANCELLED) in closed.effects
    assert await world.status(ann) == "singleLive"
    assert await refusal(world.battles.answer(bob, ann_room, accept=True)) is NotInPk


async def test_closing_a_room_in_pk_ends_it(world: World) -> None:
    """The other host hears on-pk-end with the closed room's id, and goes on alone."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    closed = await world.rooms.close(bob, bob_room)
    assert pushes(closed.effects) == [(ann, OnPkEnd(pk_room_id=bob_room))]
    assert await world.status(ann) == "singleLive"
