"""Commands in a situation: what the tests of crashes and of races play through."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from core.world import FIXED_CODE, FIXED_PHONES, World


@frozen
class Cast:
    """Two hosts with connections, two viewers of the first host's room, one without a connection, and a guest."""

    ann: str
    ann_room: str
    bob: str
    bob_room: str
    cleo: str
    dan: str
    eve: str
    tokens: dict[str, str]


Command = Callable[[World, Cast], Awaitable[object]]

PHONES = dict(zip(("ann", "bob", "cleo", "dan", "eve", "fay"), FIXED_PHONES, strict=True))
NEW_PHONE = "13800000001"


async def nothing(world: World, cast: Cast) -> None:
    """Change nothing in the situation."""


async def offered(world: World, cast: Cast) -> None:
    """Let Ann offer Bob a PK."""
    await world.battles.start(cast.ann, cast.bob_room)


async def fighting(world: World, cast: Cast) -> None:
    """Let Ann and Bob be in a PK."""
    await offered(world, cast)
    await world.battles.answer(cast.bob, cast.ann_room, accept=True)


async def overdue(world: World, cast: Cast) -> None:
    """Let Ann's offer be due."""
    await offered(world, cast)
    world.clock.advance(world.rules.pk_offer_timeout_s)


async def host_gone(world: World, cast: Cast) -> None:
    """Let Ann's grace be over, in a PK."""
    await fighting(world, cast)
    await world.attendance.drop(cast.ann, "conn-ann")
    world.clock.advance(world.rules.grace_s)


async def viewer_gone(world: World, cast: Cast) -> None:
    """Let the lease of Dan be over, who never had a connection."""
    world.clock.advance(world.rules.audience_lease_s)


async def singing(world: World, cast: Cast) -> None:
    """Let Eve host a voice room with Cleo and Dan in it; the apps of Eve and Cleo show everything."""
    room = (await world.rooms.create(cast.eve, "Eve's", "voice")).reply.room.id
    for user_id in (cast.cleo, cast.dan):
        await world.audience.enter(user_id, room)
    for user_id in (cast.cleo, cast.eve):
        await world.attendance.announce(user_id, ["seats"])


async def asked(world: World, cast: Cast) -> None:
    """Let Cleo ask Eve for a seat."""
    await singing(world, cast)
    await COMMANDS["cleo asks"](world, cast)


async def asked_overdue(world: World, cast: Cast) -> None:
    """Let Cleo's request be due."""
    await asked(world, cast)
    world.clock.advance(world.rules.join_request_timeout_s)


async def invited(world: World, cast: Cast) -> None:
    """Let Eve invite Cleo to a seat."""
    await singing(world, cast)
    await COMMANDS["eve invites"](world, cast)


async def seated(world: World, cast: Cast) -> None:
    """Let Cleo sit on a seat at Eve's."""
    await asked(world, cast)
    await COMMANDS["eve accepts"](world, cast)


async def singer_gone(world: World, cast: Cast) -> None:
    """Let the grace of Cleo be over, who sits on a seat."""
    await seated(world, cast)
    await world.attendance.drop(cast.cleo, "conn-cleo")
    world.clock.advance(world.rules.grace_s)


async def stage(world: World) -> Cast:
    """Bring everybody into place."""
    users: dict[str, str] = {}
    tokens: dict[str, str] = {}
    for name in ("ann", "bob", "cleo", "dan", "eve"):
        users[name], tokens[name] = await world.login(PHONES[name])
    for name in ("ann", "bob", "cleo"):
        await world.attendance.connect(tokens[name], f"conn-{name}")
    ann_room = (await world.rooms.create(users["ann"], "Ann's", "pk")).reply.room.id
    bob_room = (await world.rooms.create(users["bob"], "Bob's", "pk")).reply.room.id
    await world.audience.enter(users["cleo"], ann_room)
    await world.audience.enter(users["dan"], ann_room)
    return Cast(ann_room=ann_room, bob_room=bob_room, tokens=tokens, **users)


async def _expire_offer(world: World, cast: Cast) -> object:
    pk = await world.stores.pks.of_room(cast.ann_room)
    return await world.battles.expire(pk.id) if pk else None


def _at_eves(command: Callable[[World, Cast, str], Awaitable[object]]) -> Command:
    """Return the command in the room that Eve hosts now."""

    async def run(world: World, cast: Cast) -> object:
        room = await world.stores.rooms.by_creator(cast.eve)
        return await command(world, cast, room.id if room else "none")

    return run


SEAT = 3

COMMANDS: dict[str, Command] = {
    "eve creates": lambda w, c: w.rooms.create(c.eve, "Eve's", "pk"),
    "eve creates another": lambda w, c: w.rooms.create(c.eve, "Eve's other", "pk"),
    "eve takes bob's name": lambda w, c: w.rooms.create(c.eve, "Bob's new", "pk"),
    "eve enters ann's": lambda w, c: w.audience.enter(c.eve, c.ann_room),
    "eve enters bob's": lambda w, c: w.audience.enter(c.eve, c.bob_room),
    "eve leaves": lambda w, c: w.audience.leave(c.eve),
    "eve logs out": lambda w, c: w.sessions.logout(c.tokens["eve"]),
    "eve connects": lambda w, c: w.attendance.connect(c.tokens["eve"], "conn-eve"),
    "cleo moves to bob's": lambda w, c: w.audience.enter(c.cleo, c.bob_room),
    "cleo leaves": lambda w, c: w.audience.leave(c.cleo),
    "dan leaves": lambda w, c: w.audience.leave(c.dan),
    "dan polls": lambda w, c: w.audience.poll(c.dan, c.ann_room),
    "dan enters again": lambda w, c: w.audience.enter(c.dan, c.ann_room),
    "dan enters bob's": lambda w, c: w.audience.enter(c.dan, c.bob_room),
    "dan creates": lambda w, c: w.rooms.create(c.dan, "Dan's", "pk"),
    "dan connects": lambda w, c: w.attendance.connect(c.tokens["dan"], "conn-dan"),
    "dan expires": lambda w, c: w.attendance.expire(c.dan),
    "ann closes": lambda w, c: w.rooms.close(c.ann, c.ann_room),
    "ann renames": lambda w, c: w.rooms.rename(c.ann, c.ann_room, "Ann's new"),
    "ann disconnects": lambda w, c: w.attendance.disconnect(c.ann, "conn-ann"),
    "ann connects": lambda w, c: w.attendance.connect(c.tokens["ann"], "conn-ann-2"),
    "ann drops": lambda w, c: w.attendance.drop(c.ann, "conn-ann"),
    "ann logs out": lambda w, c: w.sessions.logout(c.tokens["ann"]),
    "ann logs in": lambda w, c: w.login(PHONES["ann"]),
    "fay asks for a code": lambda w, c: w.codes.send(NEW_PHONE, "192.0.2.1"),
    "fay logs in": lambda w, c: w.sessions.login(PHONES["fay"], FIXED_CODE),
    "ann expires": lambda w, c: w.attendance.expire(c.ann),
    "ann offers": lambda w, c: w.battles.start(c.ann, c.bob_room),
    "bob offers": lambda w, c: w.battles.start(c.bob, c.ann_room),
    "bob accepts": lambda w, c: w.battles.answer(c.bob, c.ann_room, accept=True),
    "bob rejects": lambda w, c: w.battles.answer(c.bob, c.ann_room, accept=False),
    "bob closes": lambda w, c: w.rooms.close(c.bob, c.bob_room),
    "bob renames": lambda w, c: w.rooms.rename(c.bob, c.bob_room, "Bob's new"),
    "bob disconnects": lambda w, c: w.attendance.disconnect(c.bob, "conn-bob"),
    "ann ends": lambda w, c: w.battles.end(c.ann, c.bob_room),
    "bob ends": lambda w, c: w.battles.end(c.bob, c.bob_room),
    "the offer expires": _expire_offer,
    "cleo asks": _at_eves(lambda w, c, room: w.seats.ask(c.cleo, room, SEAT)),
    "cleo asks for another": _at_eves(lambda w, c, room: w.seats.ask(c.cleo, room, SEAT + 1)),
    "dan asks": _at_eves(lambda w, c, room: w.seats.ask(c.dan, room, SEAT)),
    "cleo ends": _at_eves(lambda w, c, room: w.seats.end(c.cleo, room)),
    "cleo takes up": _at_eves(lambda w, c, room: w.seat_control.answer_invite(c.cleo, room, accept=True)),
    "cleo declines": _at_eves(lambda w, c, room: w.seat_control.answer_invite(c.cleo, room, accept=False)),
    "cleo enters again": _at_eves(lambda w, c, room: w.audience.enter(c.cleo, room)),
    "cleo disconnects": lambda w, c: w.attendance.disconnect(c.cleo, "conn-cleo"),
    "cleo connects": lambda w, c: w.attendance.connect(c.tokens["cleo"], "conn-cleo-2"),
    "cleo logs out": lambda w, c: w.sessions.logout(c.tokens["cleo"]),
    "cleo creates": lambda w, c: w.rooms.create(c.cleo, "Cleo's", "pk"),
    "cleo expires": lambda w, c: w.attendance.expire(c.cleo),
    "eve accepts": _at_eves(lambda w, c, room: w.seats.answer(c.eve, room, c.cleo, accept=True)),
    "eve rejects": _at_eves(lambda w, c, room: w.seats.answer(c.eve, room, c.cleo, accept=False)),
    "eve invites": _at_eves(lambda w, c, room: w.seat_control.invite(c.eve, room, c.cleo, SEAT)),
    "eve moves": _at_eves(lambda w, c, room: w.seat_control.move(c.eve, room, c.cleo, SEAT + 1)),
    "eve mutes": _at_eves(lambda w, c, room: w.seat_control.mute(c.eve, room, c.cleo, muted=True)),
    "eve locks": _at_eves(lambda w, c, room: w.seat_control.lock(c.eve, room, SEAT, locked=True)),
    "eve empties": _at_eves(lambda w, c, room: w.seat_control.empty(c.eve, room, SEAT)),
    "eve closes": _at_eves(lambda w, c, room: w.rooms.close(c.eve, room)),
    "eve renames": _at_eves(lambda w, c, room: w.rooms.rename(c.eve, room, "Eve's new")),
    "the request expires": lambda w, c: w.seats.expire(c.cleo),
}
