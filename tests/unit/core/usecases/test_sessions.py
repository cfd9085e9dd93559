"""Login, logout, and the token in between."""

from collections.abc import Awaitable, Callable

import pytest

from core.world import FIXED_CODE, BeforeCall, World, pushes, refusal
from qlive_core.effects import HangUp, HangUpReason, LetGo
from qlive_core.errors import BadToken, StoreUnavailable, WrongSmsCode
from qlive_core.model.session import hash_token
from qlive_core.signalling.messages import OnPkEnd, OnRoomClose

PHONE = "13900000000"


async def test_a_first_login_makes_the_account(world: World) -> None:
    """A new user is idle and nowhere, with a default avatar and a nickname from the phone."""
    reply = (await world.sessions.login(PHONE, FIXED_CODE)).reply
    assert (reply.account.nickname, reply.account.avatar) == ("用户_0000", "1.jpg")
    assert (reply.status.value, reply.room_id) == ("idle", "")
    assert await world.sessions.authenticate(reply.token) == reply.account.id


async def test_a_second_login_is_the_same_account(world: World) -> None:
    """The account stays, its last login moves."""
    first = (await world.sessions.login(PHONE, FIXED_CODE)).reply.account
    world.clock.advance(100)
    second = (await world.sessions.login(PHONE, FIXED_CODE)).reply.account
    assert second.id == first.id
    assert second.last_login_at == first.last_login_at + 100
    assert second.registered_at == first.registered_at


async def test_a_wrong_code(world: World) -> None:
    """A wrong code makes neither account nor session, whether or not the phone is known."""
    for phone, code in ((PHONE, "111111"), ("13800000001", "000000"), ("", ""), ("nonsense", "1")):
        assert await refusal(world.sessions.login(phone, code)) is WrongSmsCode
    assert await world.stores.accounts.by_phone(PHONE) is None


async def test_a_new_login_replaces_the_old(world: World) -> None:
    """The old token dies at once and its connection with it; room, PK and status go on."""
    ann, old = await world.login(PHONE)
    room = (await world.rooms.create(ann, "songs", "pk")).reply.room.id
    again = await world.sessions.login(PHONE, FIXED_CODE)
    newer = hash_token(again.reply.token)
    assert again.effects == (HangUp(ann, HangUpReason.LOGGED_OUT, not_opened_by=newer),)
    assert (again.reply.status.value, again.reply.room_id) == ("singleLive", room)
    assert await refusal(world.sessions.authenticate(old)) is BadToken
    assert await world.sessions.authenticate(again.reply.token) == ann


async def test_the_room_in_the_login_answer(world: World) -> None:
    """A viewer is shown the room that he watches, nobody a room that he has left."""
    _, room = await world.host(1)
    viewer, _ = await world.login(PHONE)
    await world.audience.enter(viewer, room)
    assert (await world.sessions.login(PHONE, FIXED_CODE)).reply.room_id == room
    await world.audience.leave(viewer)
    left = (await world.sessions.login(PHONE, FIXED_CODE)).reply
    assert (left.status.value, left.room_id) == ("idle", "")


async def test_a_token_ends(world: World) -> None:
    """A token is good until its time is over, and unknown ones never are."""
    user_id, token = await world.login(PHONE)
    world.clock.advance(world.rules.session_ttl_s - 1)
    assert await world.sessions.authenticate(token) == user_id
    world.clock.advance(1)
    assert await refusal(world.sessions.authenticate(token)) is BadToken
    for nonsense in ("", "nonsense", token + "x", "\ud800"):
        assert await refusal(world.sessions.authenticate(nonsense)) is BadToken


async def test_logout_of_a_viewer(world: World) -> None:
    """Token and place end, the connection is hung up, and nobody else hears of it."""
    _, room = await world.host(1)
    viewer, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    await world.audience.enter(viewer, room)
    left = await world.logout(viewer)
    hang_up = HangUp(viewer, HangUpReason.LOGGED_OUT, opened_by=hash_token(token))
    assert left.effects == (LetGo(viewer), hang_up)
    assert await refusal(world.sessions.authenticate(token)) is BadToken
    assert await world.stores.places.get(viewer) is None
    assert await world.stores.presences.get(viewer) is None


async def test_logout_while_live_closes_the_room(world: World) -> None:
    """As a disconnect would: the opponent hears on-pk-end, the audience on-room-close."""
    ann, ann_room = await world.host(1)
    bob, bob_room = await world.host(2)
    viewer = await world.user(3)
    await world.audience.enter(viewer, ann_room)
    await world.battles.start(ann, bob_room)
    await world.battles.answer(bob, ann_room, accept=True)
    left = await world.logout(ann)
    assert pushes(left.effects) == [
        (bob, OnPkEnd(pk_room_id=ann_room)),
        (viewer, OnRoomClose(room_id=ann_room)),
    ]
    assert await world.stores.rooms.get(ann_room) is None
    assert await world.status(bob) == "singleLive"


async def test_logout_twice(world: World) -> None:
    """The second time there is nothing left to end."""
    user_id, _ = await world.login(PHONE)
    await world.logout(user_id)
    assert pushes((await world.logout(user_id)).effects) == []


@pytest.mark.parametrize("nth", range(1, 15))
async def test_a_logout_on_the_old_device_leaves_a_new_login_alone(world: World, nth: int) -> None:
    """Whenever the login comes: its token is good, and so are its connection and the room opened with it."""
    ann, old = await world.login(PHONE)
    await world.rooms.create(ann, "songs", "pk")
    await world.attendance.connect(old, "old")
    new: list[str] = []

    async def log_in() -> None:
        _, token = await world.login(PHONE)
        await world.attendance.connect(token, "new")
        own = await world.whereabouts.of(ann)
        room = own.room or (await world.rooms.create(ann, "anew", "pk")).reply.room
        new.extend((token, room.id if own.room is None else ""))

    left = await world.beside(nth_call(nth, log_in)).sessions.logout(old)
    if not new:
        return  # the logout was over before
    token, room = new
    assert await world.sessions.authenticate(token) == ann
    if room:
        assert await world.stores.rooms.get(room) is not None
        assert await world.status(ann) == "singleLive"
    presence = await world.stores.presences.get(ann)
    assert presence is not None
    assert presence.connection_id == "new"
    for effect in left.effects:
        assert not isinstance(effect, HangUp) or effect.opened_by == hash_token(old)


@pytest.mark.parametrize("nth", range(1, 15))
async def test_a_logout_that_the_store_fails_is_finished_in_time(world: World, nth: int) -> None:
    """Either it can be asked for again, or the user is nowhere once the lease is over."""
    ann, room = await world.host(1)
    viewer, _ = await world.login(PHONE)
    await world.audience.enter(viewer, room)
    token = world.tokens[ann]

    async def fail() -> None:
        raise StoreUnavailable

    failing = world.beside(nth_call(nth, fail))
    if await refusal(failing.sessions.logout(token)) is not None:
        assert await world.sessions.authenticate(token) == ann
        return
    for _ in range(3):
        world.clock.advance(world.rules.host_lease_s)
        await world.attendance.expire(ann)
        await world.sweep.look_around(10)
    assert await world.status(ann) == "idle"
    assert await world.stores.rooms.get(room) is None
    assert await world.status(viewer) == "idle"


async def test_who_disconnects_and_enters_a_room_is_in_it(world: World) -> None:
    """The word on the connection is about where the user was, not about a room entered at the same moment."""
    _, first = await world.host(1)
    _, second = await world.host(2)
    viewer, token = await world.login(PHONE)
    await world.attendance.connect(token, "conn-1")
    await world.audience.enter(viewer, first)
    entered: list[str] = []

    async def enter() -> None:
        await world.audience.enter(viewer, second)
        entered.append(second)

    async def is_gone() -> bool:
        return (await world.stores.presences.get(viewer)) is None

    async def once_gone(store: str, method: str) -> None:
        if not entered and await is_gone():
            await enter()

    await world.beside(once_gone).attendance.disconnect(viewer, "conn-1")
    assert entered
    assert (await world.whereabouts.of(viewer)).shown_room_id == second


def nth_call(nth: int, then: Callable[[], Awaitable[None]]) -> BeforeCall:
    """Return what does ``then`` before the nth call of a store."""
    calls = 0

    async def count(_store: str, _method: str) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            await then()

    return count


async def test_profile(world: World) -> None:
    """What is given changes, the rest stays; an account that is gone cannot be changed."""
    user_id, _ = await world.login(PHONE)
    await world.sessions.update_profile(user_id, nickname="Ann", gender="f", avatar="")
    account = await world.sessions.update_profile(user_id, nickname="", gender="", avatar="9.jpg")
    assert (account.nickname, account.gender, account.avatar) == ("Ann", "f", "9.jpg")
    assert await world.stores.accounts.get(user_id) == account
    assert await refusal(world.sessions.update_profile("none", nickname="", gender="", avatar="")) is BadToken
