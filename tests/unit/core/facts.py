"""What must hold of the facts, however they came about."""

from collections.abc import Iterable

from attrs import frozen

from core.world import World, run
from qlive_core.effects import Arm, DeadlineKind, Effect
from qlive_core.model.pk import PkState
from qlive_core.model.place import PlaceKind
from qlive_core.model.presence import PresenceState
from qlive_core.model.room import RoomType

HORIZON_S = 3600.0


@frozen
class Picture:
    """All facts of rooms and people, without revisions and with rooms by name, so that pictures compare."""

    rooms: frozenset[tuple[str, str, str, frozenset[int]]]
    places: frozenset[tuple[str, str, str, int | None, bool]]
    pks: frozenset[tuple[str, str, str]]
    presences: frozenset[tuple[str, str, str, bool]]


async def picture(world: World) -> Picture:
    """Return the facts as they are now."""
    stores = world.stores
    rooms = await stores.rooms.all()
    name = {room.id: room.name for room in rooms}
    return Picture(
        frozenset((room.name, room.type.value, room.creator, room.locked_seats) for room in rooms),
        frozenset(
            (p.user_id, name.get(p.room_id, "gone"), p.kind.value, p.seat, p.muted)
            for p in await stores.places.all()
        ),
        frozenset(
            (pk.state.value, name.get(pk.proposer.room_id, "gone"), name.get(pk.target.room_id, "gone"))
            for pk in await stores.pks.all()
        ),
        frozenset((p.user_id, p.state.value, p.connection_id, p.im) for p in await stores.presences.all()),
    )


async def check_pks(world: World) -> None:
    """Invariant 1: a room is in at most one live PK; its sides differ, exist and are PK rooms."""
    taken: set[str] = set()
    for pk in await world.stores.pks.all():
        assert pk.state in (PkState.OFFERED, PkState.LIVE)
        for side in (pk.proposer, pk.target):
            room = await world.stores.rooms.get(side.room_id)
            assert room is not None, "a PK on a dead room"
            assert room.type is RoomType.PK
            assert room.creator == side.user_id
            assert side.room_id not in taken, "a room in two PKs"
            taken.add(side.room_id)


async def check_people(world: World) -> None:
    """Everybody is somewhere that exists, and whoever is somewhere is expected to go some time."""
    rooms = {room.id: room for room in await world.stores.rooms.all()}
    places = {place.user_id: place for place in await world.stores.places.all()}
    present = {presence.user_id for presence in await world.stores.presences.all()}
    for place in places.values():
        assert place.room_id in rooms, "a place in a dead room"
        hosts = rooms[place.room_id].creator == place.user_id
        assert hosts is (place.kind is PlaceKind.HOSTING)
        assert place.user_id in present or place.kind is PlaceKind.LAPSED, (
            "a place that nobody will take away"
        )
    for room in rooms.values():
        assert places[room.creator].room_id == room.id, "a room without its host"


async def check_seats(world: World) -> None:
    """Invariant 3: seats are in voice rooms, each has one holder, and what is open has an end."""
    taken: set[tuple[str, int]] = set()
    for place in await world.stores.places.all():
        is_open = place.kind in (PlaceKind.ASKING, PlaceKind.INVITED)
        assert (place.seat is not None) is (is_open or place.kind is PlaceKind.SEATED)
        assert (place.seat_until is not None) is is_open
        assert place.kind is PlaceKind.SEATED or not place.muted
        if place.seat is not None:
            room = await world.stores.rooms.get(place.room_id)
            assert room is not None
            assert room.type is RoomType.VOICE
            assert room.creator != place.user_id
            assert (room.id, place.seat) not in taken, "two on one seat"
            taken.add((room.id, place.seat))


async def check(world: World) -> None:
    """Check all that must hold when no command is under way."""
    await check_pks(world)
    await check_people(world)
    await check_seats(world)


def deadlines(effects: Iterable[Effect]) -> list[Arm]:
    """Return what is to be looked at again, soonest first."""
    return sorted(
        {effect for effect in effects if isinstance(effect, Arm)},
        key=lambda arm: (arm.at, arm.kind.value, arm.key),
    )


async def fire(world: World, arm: Arm) -> tuple[Effect, ...]:
    """Look at what was armed, as the timer does; return what comes of it."""
    if arm.kind is DeadlineKind.PK_OFFER:
        return (await world.battles.expire(arm.key)).effects
    if arm.kind is DeadlineKind.SEAT_REQUEST:
        return (await world.seats.expire(arm.key)).effects
    return (await world.attendance.expire(arm.key)).effects


async def everybody_goes(world: World) -> None:
    """Let all connections drop and all deadlines pass, with nothing but the sweep to remember them.

    Whoever was seen over IM is pinged in vain.
    """
    for presence in await world.stores.presences.all():
        if presence.state is PresenceState.OPEN:
            await world.attendance.drop(presence.user_id, presence.connection_id)
    for _ in range(4):
        since = world.clock.time
        world.clock.advance(1.0)
        world.attendance.pinged_over_im([p.user_id for p in await world.stores.presences.all()], since)
        world.clock.advance(HORIZON_S)
        for arm in deadlines(await world.sweep.look_around(0)):
            await fire(world, arm)
    await world.sweep.look_around(HORIZON_S)


async def check_nobody_is_stuck(world: World) -> None:
    """Invariant 4: when all deadlines have passed and everyone is gone, nothing is left."""
    await everybody_goes(world)
    assert await picture(world) == Picture(frozenset(), frozenset(), frozenset(), frozenset())


def settle(world: World) -> None:
    """Check what must hold now, and that nobody is stuck for good."""

    async def settling() -> None:
        await check(world)
        await check_nobody_is_stuck(world)

    run(settling())
