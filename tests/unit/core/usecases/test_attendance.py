"""Connections, leases and grace: who is there, until when, and whose word counts."""

from collections.abc import Callable

import pytest

from core.world import World, pushes, refusal, run
from qlive_core.effects import Arm, CloseChat, DeadlineKind, Forget, HangUp, HangUpReason, LetGo
from qlive_core.errors import BadToken
from qlive_core.model.place import PlaceKind
from qlive_core.model.presence import PresenceState
from qlive_core.signalling.messages import OnPkEnd, OnRoomClose

PHONE = "13900000000"


def armed(world: World, user_id: str, seconds: float) -> Arm:
    """Return the arming of a presence's deadline so many seconds from now."""
    return Arm(DeadlineKind.PRESENCE, user_id, world.clock.now() + seconds)


async def connected(world: World, number: int = 0) -> str:
    """Return a user whose connection is called conn-1."""
    user_id, token = await world.login(f"1390000000{number}")
    await world.attendance.connect(token, "conn-1")
    return user_id


async def test_connect(world: World) -> None:
    """A connection opens the presence, without a deadline and with the name of the node."""
    _, token = await world.login(PHONE)
    opened = await world.attendance.connect(token, "conn-1")
    assert opened.effects == ()
    assert (opened.reply.state, opened.reply.connection_id, opened.reply.node) == (
        PresenceState.OPEN,
        "conn-1",
        "node-1",
    )
    assert await refusal(world.attendance.connect("no token", "conn-2")) is BadToken


async def test_a_newer_connection_replaces_the_older(world: World) -> None:
    """The older one is hung up, and only that one; the same one once more is left alone."""
    user_id, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    assert (await world.attendance.connect(token, "conn-1")).effects == ()
    replaced = await world.attendance.connect(token, "conn-2")
    assert replaced.effects == (HangUp(user_id, HangUpReason.REPLACED, "conn-1"),)


async def test_nothing_is_hung_up_after_a_drop(world: World) -> None:
    """A connection that is gone already is not there to be hung up."""
    user_id, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    await world.attendance.drop(user_id, "conn-1")
    assert (await world.attendance.connect(token, "conn-2")).effects == ()


async def test_a_drop_begins_the_grace(world: World) -> None:
    """The user keeps everything for twenty seconds; coming back in time ends the grace."""
    user_id, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    await world.rooms.create(user_id, "songs", "pk")
    dropped = await world.attendance.drop(user_id, "conn-1")
    assert dropped.effects == (armed(world, user_id, 20),)
    world.clock.advance(19.9)
    assert not (await world.attendance.expire(user_id)).reply
    await world.attendance.connect(token, "conn-2")
    world.clock.advance(1000)
    assert not (await world.attendance.expire(user_id)).reply
    assert await world.status(user_id) == "singleLive"


async def test_grace_over_means_gone(world: World) -> None:
    """A host whose grace ends leaves his PK and his room; everybody concerned is told, and nothing is held."""
    ann, bob = await connected(world, 0), await connected(world, 1)
    ann_room = (await world.rooms.create(ann, "ann's", "pk")).reply.room.id
    bob_room = (await world.rooms.create(bob, "bob's", "pk")).reply.room.id
    viewer = await world.user()
    await world.audience.enter(viewer, ann_room)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    await world.attendance.drop(ann, "conn-1")
    world.clock.advance(20)
    gone = await world.attendance.expire(ann)
    assert gone.reply
    assert pushes(gone.effects) == [
        (bob, OnPkEnd(pk_room_id=ann_room)),
        (viewer, OnRoomClose(room_id=ann_room)),
    ]
    assert gone.effects[-1] == LetGo(ann)
    assert [await world.status(user) for user in (ann, bob, viewer)] == ["idle", "singleLive", "idle"]
    assert not (await world.attendance.expire(ann)).reply


@pytest.mark.parametrize("of", ["conn-1", "conn-never", ""])
async def test_old_connections_have_no_say(world: World, of: str) -> None:
    """Once a newer connection is there, nothing that an old one suffers or says has any effect."""
    user_id, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    room = (await world.rooms.create(user_id, "songs", "pk")).reply.room.id
    await world.attendance.connect(token, "conn-2")
    before = await world.stores.presences.get(user_id)
    assert (await world.attendance.drop(user_id, of)).effects == ()
    assert (await world.attendance.disconnect(user_id, of)).effects == ()
    assert await world.stores.presences.get(user_id) == before
    assert await world.stores.rooms.get(room) is not None


async def test_a_connection_drops_once(world: World) -> None:
    """A second drop does not begin the grace anew."""
    user_id = await connected(world)
    await world.attendance.drop(user_id, "conn-1")
    world.clock.advance(10)
    assert (await world.attendance.drop(user_id, "conn-1")).effects == ()
    world.clock.advance(10)
    assert (await world.attendance.expire(user_id)).reply


async def test_disconnect_is_the_users_word(world: World) -> None:
    """It ends room and presence at once, even when the connection broke just before it was heard."""
    user_id = await connected(world)
    room = (await world.rooms.create(user_id, "songs", "pk")).reply.room.id
    await world.attendance.drop(user_id, "conn-1")
    left = await world.attendance.disconnect(user_id, "conn-1")
    assert left.effects == (Forget(user_id), CloseChat(room), LetGo(user_id))
    assert await world.stores.rooms.get(room) is None
    assert await world.stores.presences.get(user_id) is None
    assert (await world.attendance.disconnect(user_id, "conn-1")).effects == ()


async def test_a_viewer_who_disconnects_is_not_let_in_again(world: World) -> None:
    """After his own word a poll does not bring him back."""
    _, room = await world.host(1)
    viewer = await connected(world)
    await world.audience.enter(viewer, room)
    await world.attendance.disconnect(viewer, "conn-1")
    await world.audience.poll(viewer, room)
    assert await world.status(viewer) == "idle"


async def test_a_drop_without_a_presence_keeps_nothing(world: World) -> None:
    """After a logout the connection's end finds nobody: what was held for him may go."""
    user_id = await connected(world)
    await world.logout(user_id)
    assert (await world.attendance.drop(user_id, "conn-1")).effects == (LetGo(user_id),)


async def test_a_host_has_a_minute_to_connect(world: World) -> None:
    """The room of a host who never connects goes with his lease."""
    ann, room = await world.host(1)
    world.clock.advance(59)
    assert (await world.attendance.expire(ann)).effects == (armed(world, ann, 1),)
    world.clock.advance(1)
    assert (await world.attendance.expire(ann)).reply
    assert await world.stores.rooms.get(room) is None


async def test_calls_keep_a_host_without_a_connection(world: World) -> None:
    """Each authorised call is worth a whole lease; no store is written before the deadline comes."""
    ann, room = await world.host(1)
    stored = await world.stores.presences.get(ann)
    world.clock.advance(50)
    await world.attendance.sign_of_life(ann)
    assert await world.stores.presences.get(ann) == stored
    world.clock.advance(10)
    looked = await world.attendance.expire(ann)
    assert (looked.reply, looked.effects) == (False, (armed(world, ann, 50),))
    world.clock.advance(50)
    assert (await world.attendance.expire(ann)).reply
    assert await world.stores.rooms.get(room) is None


async def test_calls_keep_a_host_in_grace(world: World) -> None:
    """In grace a call is worth a grace."""
    user_id = await connected(world)
    await world.rooms.create(user_id, "songs", "pk")
    await world.attendance.drop(user_id, "conn-1")
    world.clock.advance(15)
    await world.attendance.sign_of_life(user_id)
    world.clock.advance(5)
    assert (await world.attendance.expire(user_id)).effects == (armed(world, user_id, 15),)
    world.clock.advance(15)
    assert (await world.attendance.expire(user_id)).reply


async def test_calls_of_others_are_no_sign_of_life(world: World) -> None:
    """Who hosts nothing is not remembered for calling."""
    viewer = await world.user()
    await world.attendance.sign_of_life(viewer)
    assert world.signs.last(viewer) is None


async def test_who_is_gone_is_forgotten(world: World) -> None:
    """Signs of life do not pile up: they go with the presence."""
    ann, _ = await world.host(1)
    await world.attendance.sign_of_life(ann)
    await world.logout(ann)
    assert world.signs.last(ann) is None


async def test_taking_a_place_never_shortens_what_is_left(world_with: Callable[..., World]) -> None:
    """Of the grace that is left and the new lease the later end counts."""
    world = world_with(grace_s=300)
    user_id = await connected(world)
    await world.attendance.drop(user_id, "conn-1")
    assert await world.attendance.lease(user_id, 60) == (armed(world, user_id, 300),)
    assert await world.attendance.lease(user_id, 400) == (armed(world, user_id, 400),)


async def test_entering_over_http_in_grace_makes_a_lease(world: World) -> None:
    """Who lost his connection and enters by a plain call needs no connection any more."""
    user_id = await connected(world)
    _, room = await world.host(1)
    await world.attendance.drop(user_id, "conn-1")
    await world.audience.enter(user_id, room)
    presence = await world.stores.presences.get(user_id)
    assert presence is not None
    assert presence.state is PresenceState.LEASE
    assert (await world.attendance.disconnect(user_id, "conn-1")).effects == ()


async def test_connecting_with_a_token_that_just_died(world: World) -> None:
    """A logout between the look at the token and the commit has the last word."""
    user_id, token = await world.login(PHONE)

    async def meanwhile(store: str, method: str) -> None:
        if (store, method) == ("presences", "add"):
            await world.logout(user_id)

    late = world.beside(meanwhile)
    assert await refusal(late.attendance.connect(token, "conn-1")) is BadToken
    presence = await world.stores.presences.get(user_id)
    assert presence is not None
    assert presence.state is not PresenceState.OPEN
    world.clock.advance(20)
    assert (await world.attendance.expire(user_id)).reply


async def test_an_old_token_does_not_push_out_the_new_logins_connection(world: World) -> None:
    """A connect under way with the old token loses to a login and its connection that come in between."""
    user_id, old = await world.login(PHONE)
    came = False

    async def meanwhile(store: str, method: str) -> None:
        nonlocal came
        if (store, method, came) == ("presences", "get", False):
            came = True
            _, new = await world.login(PHONE)
            await world.attendance.connect(new, "conn-new")

    late = world.beside(meanwhile)
    assert await refusal(late.attendance.connect(old, "conn-old")) is BadToken
    presence = await world.stores.presences.get(user_id)
    assert presence is not None
    assert (presence.state, presence.connection_id) == (PresenceState.OPEN, "conn-new")


def test_after_a_restart_the_grace_begins(world: World) -> None:
    """Connections of an earlier process are gone; their users are expected for a while."""

    async def living() -> tuple[str, str]:
        return await connected(world), await world.user()

    user_id, _ = run(living())
    after = world.beside(node="node-2")
    for _ in range(2):
        run(after.attendance.adopt())
        presence = run(world.stores.presences.get(user_id))
        assert presence is not None
        assert (presence.state, presence.expires_at) == (PresenceState.GRACE, world.clock.now() + 20)


@pytest.mark.parametrize("down_s", [3, 59, 60, 600])
async def test_nobody_is_late_for_a_server_that_was_down(world: World, down_s: float) -> None:
    """A host who polls has a grace from the start to be heard; then he is expected as before, else he has left."""
    (ann, _), (bob, _) = await world.host(1), await world.host(2)
    world.clock.advance(down_s)
    after = world.beside(node="node-2")
    await after.sweep.wake()
    world.clock.advance(19.9)
    assert not (await after.attendance.expire(ann)).reply
    await after.attendance.sign_of_life(ann)
    world.clock.advance(max(0.1, 60 - down_s - 19.9))
    assert not (await after.attendance.expire(ann)).reply
    assert (await after.attendance.expire(bob)).reply
    assert await world.status(ann) == "singleLive"
    assert await world.status(bob) == "idle"


async def test_a_grace_is_not_made_longer_by_a_restart(world: World) -> None:
    """Who lost his connection while the server ran knows how long he has, and counts on it alone."""
    user_id = await connected(world)
    await world.attendance.drop(user_id, "conn-1")
    world.clock.advance(20)
    after = world.beside(node="node-2")
    await after.sweep.wake()
    assert (await after.attendance.expire(user_id)).reply


async def test_expiry_of_a_viewer_by_lease_remembers_the_room(world: World) -> None:
    """A lapsed viewer's place names the room still; one whose grace ended has none."""
    _, room = await world.host(1)
    poller, watcher = await world.user(2), await connected(world)
    for user_id in (poller, watcher):
        await world.audience.enter(user_id, room)
    await world.attendance.drop(watcher, "conn-1")
    world.clock.advance(60)
    assert (await world.attendance.expire(poller)).reply
    assert (await world.attendance.expire(watcher)).reply
    place = await world.stores.places.get(poller)
    assert place is not None
    assert place.kind is PlaceKind.LAPSED
    assert await world.stores.places.get(watcher) is None
    assert (await world.directory.one(room)).audience_number == 0


async def test_orphans(world: World) -> None:
    """A connection that is open in the store alone is found; those of other nodes are none of ours."""
    user_id = await connected(world)
    await connected(world, 1)
    assert await world.attendance.orphans(lambda *_: True) == frozenset()
    gone = await world.attendance.orphans(lambda user, connection: user != user_id or connection != "conn-1")
    assert gone == {(user_id, "conn-1")}
    assert await world.beside(node="node-2").attendance.orphans(lambda *_: False) == frozenset()
