"""What the sweep repairs, remembers and throws away."""

from core.scenes import fighting, offered, stage
from core.world import World, pushes
from qlive_core.effects import Arm, DeadlineKind, Hold
from qlive_core.model.place import Place, PlaceKind
from qlive_core.signalling.messages import OnPkEnd, OnRoomClose


async def test_a_new_process_takes_over(world: World) -> None:
    """Deadlines that were stored are armed again, dropped users have their grace, and pushes are kept for them."""
    cast = await stage(world)
    await offered(world, cast)
    now = world.clock.now()
    after = world.beside(node="node-2")
    woken = await after.sweep.wake()
    assert {effect for effect in woken if isinstance(effect, Hold)} == {
        *(Hold(user, back=True) for user in (cast.ann, cast.bob, cast.cleo)),
        Hold(cast.dan),
    }
    assert {effect for effect in woken if isinstance(effect, Arm)} == {
        *(Arm(DeadlineKind.PRESENCE, user, now + 20) for user in (cast.ann, cast.bob, cast.cleo)),
        Arm(DeadlineKind.PRESENCE, cast.dan, now + 60),
    }
    pk = await world.stores.pks.of_room(cast.ann_room)
    assert pk is not None
    assert await after.sweep.look_around(11) == (Arm(DeadlineKind.PK_OFFER, pk.id, now + 10),)


async def test_only_near_offers_are_armed(world: World) -> None:
    """What comes after the horizon is left to a later round."""
    cast = await stage(world)
    await offered(world, cast)
    assert {type(effect) for effect in await world.sweep.look_around(30)} == {Arm}
    assert len(await world.sweep.look_around(30)) == 1
    assert await world.sweep.look_around(5) == ()


async def test_only_overdue_absences_are_armed(world: World) -> None:
    """Whoever else is to be looked at is armed already; but a process may have died before it could look."""
    cast = await stage(world)
    now = world.clock.now()
    world.clock.advance(60)
    assert await world.sweep.look_around(100) == ()
    world.clock.advance(0.1)
    assert await world.sweep.look_around(0) == (Arm(DeadlineKind.PRESENCE, cast.dan, now + 60),)


async def test_a_pk_on_a_dead_room_ends(world: World) -> None:
    """The host who is left hears it, and his room is free; the audience hears that the room is closed."""
    cast = await stage(world)
    await fighting(world, cast)
    room = await world.stores.rooms.get(cast.ann_room)
    assert room is not None
    await world.stores.rooms.remove(room)
    told = pushes(await world.sweep.look_around(0))
    closed = [(viewer, OnRoomClose(room_id=cast.ann_room)) for viewer in sorted((cast.cleo, cast.dan))]
    assert [told[0], *sorted(told[1:], key=lambda push: push[0])] == [
        (cast.bob, OnPkEnd(pk_room_id=cast.ann_room)),
        *closed,
    ]
    assert await world.status(cast.bob) == "singleLive"


async def test_a_room_without_its_host_closes(world: World) -> None:
    """A room whose creator is elsewhere is closed, and its audience is told."""
    cast = await stage(world)
    place = await world.stores.places.get(cast.ann)
    assert place is not None
    await world.stores.places.replace(Place(cast.ann, cast.bob_room, PlaceKind.WATCHING, rev=place.rev))
    told = pushes(await world.sweep.look_around(0))
    assert sorted(told, key=lambda push: push[0]) == [
        (viewer, OnRoomClose(room_id=cast.ann_room)) for viewer in sorted((cast.cleo, cast.dan))
    ]
    assert await world.stores.rooms.get(cast.ann_room) is None
    assert await world.status(cast.ann) == "watching"


async def test_places_in_dead_rooms_go(world: World) -> None:
    """A place that names no room is removed; whoever was in the audience may not have heard that it closed."""
    await world.stores.places.add(Place("somebody", "no room", PlaceKind.WATCHING))
    await world.stores.places.add(Place("host", "never opened", PlaceKind.HOSTING))
    told = pushes(await world.sweep.look_around(0))
    assert told == [("somebody", OnRoomClose(room_id="no room"))]
    assert await world.stores.places.all() == []


async def test_a_place_that_nobody_attends_gets_a_lease(world: World) -> None:
    """Whoever lost his presence and kept his place has a minute to show up."""
    cast = await stage(world)
    presence = await world.stores.presences.get(cast.ann)
    assert presence is not None
    await world.stores.presences.remove(presence)
    effects = await world.sweep.look_around(0)
    assert effects == (Arm(DeadlineKind.PRESENCE, cast.ann, world.clock.now() + 60),)


async def test_tidying(world: World) -> None:
    """Sessions, codes and quotas go when nobody can use them any more, and not before."""
    await world.login("13812345678")
    assert await world.sweep.tidy() == 0
    world.clock.advance(3601)
    assert await world.sweep.tidy() == 1, "the quota of the address"
    world.clock.advance(86400)
    assert await world.sweep.tidy() == 1, "the code and its history"
    world.clock.advance(world.rules.session_ttl_s)
    assert await world.sweep.tidy() == 1, "the session"
    assert await world.sweep.tidy() == 0
