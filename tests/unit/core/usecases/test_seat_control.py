"""What hosts do with seats beyond answering, among apps that show it and apps that do not."""

from collections.abc import Awaitable, Callable

import pytest

from core.stage import VoiceRoom, counted, told, voice_room
from core.world import World, refusal
from qlive_core.effects import Arm, DeadlineKind, Outcome
from qlive_core.errors import (
    AlreadyJoined,
    AppUnfit,
    InvalidSeat,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotJoined,
    NotYourRoom,
    RoomTypeUnfit,
    SeatTaken,
    UserWatching,
)
from qlive_core.model.seat import SeatOutcome
from qlive_core.signalling.seat_messages import (
    OnAudienceJoin,
    OnInviteAnswer,
    OnInviteTimeout,
    OnJoinEnd,
    OnJoinInvite,
    OnSeatLock,
    OnSeatMove,
    OnSeatMute,
    OnSeats,
)

SEAT, OTHER_SEAT = 3, 5


@pytest.fixture
async def stage(world: World) -> VoiceRoom:
    """Return a voice room where the apps of the host and of Ann show everything, and Bob's is an old one."""
    stage = await voice_room(world)
    await stage.announce(stage.host, stage.ann)
    return stage


def looks(stage: VoiceRoom) -> dict[str, str]:
    """Return how Ann looks to others."""
    return {
        "room_id": stage.room,
        "req_user_id": stage.ann,
        "nickname": "用户_0000",
        "gender": "",
        "avatar": "1.jpg",
    }


async def invite(stage: VoiceRoom, seat: int = SEAT) -> Outcome[None]:
    """Let the host invite Ann."""
    return await stage.world.seat_control.invite(stage.host, stage.room, stage.ann, seat)


async def test_an_invitation_that_is_taken_up(stage: VoiceRoom) -> None:
    """The invited one hears of it alone and still only watches; then everybody hears that he has the seat."""
    invited = await invite(stage)
    host = {"room_id": stage.room, "user_id": stage.host, "nickname": "用户_0001"}
    assert told(invited) == {stage.ann: [OnJoinInvite(position=SEAT, **host)]}
    assert invited.effects[0] == Arm(DeadlineKind.SEAT_REQUEST, stage.ann, stage.world.clock.now() + 10)
    assert counted(invited) == [SeatOutcome.INVITED]
    assert await stage.statuses() == ["watching", "watching"]
    assert (await stage.world.directory.one(stage.room)).audience_number == 2
    taken = await stage.world.seat_control.answer_invite(stage.ann, stage.room, accept=True)
    answer = OnInviteAnswer(room_id=stage.room, req_user_id=stage.ann, accept=True, position=SEAT)
    joined = OnAudienceJoin(position=SEAT, **looks(stage))
    assert told(taken) == {stage.host: [answer, joined], stage.bob: [joined]}
    assert counted(taken) == [SeatOutcome.TAKEN_UP]
    assert await stage.statuses() == ["joined", "watching"]
    assert await stage.roster() == [(SEAT, stage.ann)]


async def test_an_invitation_that_is_declined(stage: VoiceRoom) -> None:
    """The host alone hears it, and the seat is free again."""
    await invite(stage)
    assert await refusal(stage.ask(stage.bob)) is SeatTaken
    declined = await stage.world.seat_control.answer_invite(stage.ann, stage.room, accept=False)
    answer = OnInviteAnswer(room_id=stage.room, req_user_id=stage.ann, accept=False, position=SEAT)
    assert told(declined) == {stage.host: [answer]}
    assert counted(declined) == [SeatOutcome.DECLINED]
    await stage.ask(stage.bob)


async def test_an_invitation_without_an_answer(stage: VoiceRoom) -> None:
    """At its deadline both sides hear so; from then on it cannot be taken up."""
    await invite(stage)
    stage.world.clock.advance(10)
    control = stage.world.seat_control
    assert await refusal(control.answer_invite(stage.ann, stage.room, accept=True)) is NotJoined
    expired = await stage.world.seats.expire(stage.ann)
    timeout = OnInviteTimeout(room_id=stage.room, req_user_id=stage.ann)
    assert told(expired) == {stage.ann: [timeout], stage.host: [timeout]}
    assert counted(expired) == [SeatOutcome.LAPSED]


async def test_an_invited_one_who_leaves(stage: VoiceRoom) -> None:
    """The host hears on-invite-timeout, whether he goes home or to another room."""
    _, other = await stage.world.host(2)
    news = {stage.host: [OnInviteTimeout(room_id=stage.room, req_user_id=stage.ann)]}
    await invite(stage)
    assert await refusal(stage.world.rooms.create(stage.ann, "mine", "pk")) is UserWatching
    moved = await stage.world.audience.enter(stage.ann, other)
    assert told(moved) == news
    assert counted(moved) == [SeatOutcome.DECLINED]
    await stage.world.audience.enter(stage.ann, stage.room)
    await invite(stage)
    assert told(await stage.world.audience.leave(stage.ann)) == news


async def test_an_invited_one_does_not_ask(stage: VoiceRoom) -> None:
    """He has to answer first; and he is not invited twice."""
    await invite(stage)
    assert await refusal(stage.ask(stage.ann, OTHER_SEAT)) is AlreadyJoined
    assert await refusal(invite(stage, OTHER_SEAT)) is AlreadyJoined
    assert await refusal(stage.world.seats.end(stage.ann, stage.room)) is NotJoined


async def test_a_move_as_new_and_old_apps_see_it(stage: VoiceRoom) -> None:
    """Apps that show it hear of a move; the old ones of one who left and sat down elsewhere."""
    await stage.seat(stage.ann)
    moved = await stage.world.seat_control.move(stage.host, stage.room, stage.ann, OTHER_SEAT)
    news = OnSeatMove(room_id=stage.room, req_user_id=stage.ann, from_position=SEAT, position=OTHER_SEAT)
    old_news = [
        OnJoinEnd(position=SEAT, **looks(stage)),
        OnAudienceJoin(position=OTHER_SEAT, **looks(stage)),
    ]
    assert told(moved) == {stage.host: [news], stage.ann: [news], stage.bob: old_news}
    assert await stage.roster() == [(OTHER_SEAT, stage.ann)]
    again = await stage.world.seat_control.move(stage.host, stage.room, stage.ann, OTHER_SEAT)
    assert again == Outcome(None)


async def test_a_mute_as_new_and_old_apps_see_it(stage: VoiceRoom) -> None:
    """Apps that show it hear so, the others nothing; a new holder of the seat is not muted."""
    await stage.seat(stage.ann)
    control = stage.world.seat_control
    muted = await control.mute(stage.host, stage.room, stage.ann, muted=True)
    news = OnSeatMute(room_id=stage.room, req_user_id=stage.ann, position=SEAT, muted=True)
    assert told(muted) == {stage.ann: [news], stage.host: [news]}
    assert await control.mute(stage.host, stage.room, stage.ann, muted=True) == Outcome(None)
    await control.move(stage.host, stage.room, stage.ann, OTHER_SEAT)
    assert await roster(stage, stage.ann) == OnSeats(room_id=stage.room, locked=(), muted=(OTHER_SEAT,))
    await stage.world.seats.end(stage.ann, stage.room)
    await stage.seat(stage.ann)
    assert await roster(stage, stage.ann) == OnSeats(room_id=stage.room, locked=(), muted=())
    assert told(await control.mute(stage.host, stage.room, stage.ann, muted=False)) == {}


async def roster(stage: VoiceRoom, user_id: str) -> object:
    """Return the one push that tells somebody about locks and mutes."""
    [(_, [seats])] = told(Outcome(None, await stage.world.seats.roster(user_id))).items()
    return seats


async def test_a_locked_seat(stage: VoiceRoom) -> None:
    """It cannot be asked for, but the host may invite, accept and move into it; who sits there stays."""
    control = stage.world.seat_control
    await stage.ask(stage.ann)
    locked = await control.lock(stage.host, stage.room, SEAT, locked=True)
    news = OnSeatLock(room_id=stage.room, position=SEAT, locked=True)
    assert told(locked) == {stage.ann: [news], stage.host: [news]}
    assert await control.lock(stage.host, stage.room, SEAT, locked=True) == Outcome(None)
    await control.lock(stage.host, stage.room, OTHER_SEAT, locked=True)
    await stage.world.seats.answer(stage.host, stage.room, stage.ann, accept=True)
    await control.move(stage.host, stage.room, stage.ann, OTHER_SEAT)
    assert await refusal(stage.ask(stage.bob)) is SeatTaken
    assert await roster(stage, stage.ann) == OnSeats(room_id=stage.room, locked=(SEAT, OTHER_SEAT), muted=())
    await stage.world.rooms.rename(stage.host, stage.room, "renamed")
    assert await refusal(stage.ask(stage.bob)) is SeatTaken
    unlocked = await control.lock(stage.host, stage.room, SEAT, locked=False)
    assert told(unlocked)[stage.ann] == [OnSeatLock(room_id=stage.room, position=SEAT, locked=False)]
    await stage.ask(stage.bob)
    await stage.world.seats.end(stage.ann, stage.room)
    await invite(stage, OTHER_SEAT)


async def test_emptying_a_seat(stage: VoiceRoom) -> None:
    """Everybody hears it, who sat there too, whatever his app; a mere request for the seat is not on it."""
    control = stage.world.seat_control
    await stage.ask(stage.bob)
    assert await refusal(control.empty(stage.host, stage.room, SEAT)) is NotJoined
    assert await refusal(control.empty(stage.host, stage.room, OTHER_SEAT)) is NotJoined
    await stage.world.seats.answer(stage.host, stage.room, stage.bob, accept=True)
    emptied = await control.empty(stage.host, stage.room, SEAT)
    ended = OnJoinEnd(**looks(stage) | {"req_user_id": stage.bob, "nickname": "用户_0001"}, position=SEAT)
    assert told(emptied) == {user: [ended] for user in (stage.bob, stage.ann, stage.host)}
    assert counted(emptied) == [SeatOutcome.EMPTIED]
    assert await stage.statuses() == ["watching", "watching"]


Command = Callable[[VoiceRoom, str, str, str, int], Awaitable[Outcome[None]]]
TOWARDS_SOMEBODY: dict[str, Command] = {
    "invite": lambda s, host, room, user, seat: s.world.seat_control.invite(host, room, user, seat),
    "move": lambda s, host, room, user, seat: s.world.seat_control.move(host, room, user, seat),
    "mute": lambda s, host, room, user, seat: s.world.seat_control.mute(host, room, user, muted=True),
}
COMMANDS: dict[str, Command] = {
    **TOWARDS_SOMEBODY,
    "lock": lambda s, host, room, user, seat: s.world.seat_control.lock(host, room, seat, locked=True),
    "empty": lambda s, host, room, user, seat: s.world.seat_control.empty(host, room, seat),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_only_the_host_of_a_voice_room_directs(stage: VoiceRoom, name: str) -> None:
    """No room, another type of room, another's room, and an app that does not show it: in this order."""
    pk_host, pk_room = await stage.world.host(2)
    other, _ = await stage.world.host(3, kind="voice")
    run = COMMANDS[name]
    assert await refusal(run(stage, stage.host, "none", "nobody", 9)) is NoSuchRoom
    assert await refusal(run(stage, pk_host, pk_room, "nobody", 9)) is RoomTypeUnfit
    for user_id in (stage.ann, other):
        assert await refusal(run(stage, user_id, stage.room, "nobody", 9)) is NotYourRoom
    await stage.world.attendance.announce(stage.host, [])
    assert await refusal(run(stage, stage.host, stage.room, "nobody", 9)) is AppUnfit


@pytest.mark.parametrize("name", TOWARDS_SOMEBODY)
async def test_towards_whom(stage: VoiceRoom, name: str) -> None:
    """Nobody, somebody elsewhere, and somebody whose app does not show it: in this order."""
    run = COMMANDS[name]
    assert await refusal(run(stage, stage.host, stage.room, "nobody", 9)) is NoSuchUser
    assert await refusal(run(stage, stage.host, stage.room, stage.stranger, 9)) is NotInRoom
    assert await refusal(run(stage, stage.host, stage.room, stage.bob, 9)) is AppUnfit


async def test_which_seat(stage: VoiceRoom) -> None:
    """First comes whether he may have one, then whether there is such a seat, then whether it is free."""
    control = stage.world.seat_control
    assert await refusal(control.move(stage.host, stage.room, stage.ann, 9)) is NotJoined
    assert await refusal(control.mute(stage.host, stage.room, stage.ann, muted=True)) is NotJoined
    assert await refusal(control.mute(stage.host, stage.room, stage.host, muted=True)) is NotJoined
    assert await refusal(control.invite(stage.host, stage.room, stage.host, SEAT)) is AlreadyJoined
    assert await refusal(invite(stage, 9)) is InvalidSeat
    await stage.seat(stage.bob)
    assert await refusal(invite(stage)) is SeatTaken
    await stage.seat(stage.ann, OTHER_SEAT)
    assert await refusal(invite(stage, 9)) is AlreadyJoined
    assert await refusal(control.move(stage.host, stage.room, stage.ann, 9)) is InvalidSeat
    assert await refusal(control.move(stage.host, stage.room, stage.ann, SEAT)) is SeatTaken
    for position in (-1, 8):
        assert await refusal(control.lock(stage.host, stage.room, position, locked=True)) is InvalidSeat
        assert await refusal(control.empty(stage.host, stage.room, position)) is InvalidSeat


async def test_answer_invite_is_refused(stage: VoiceRoom) -> None:
    """No room, another type of room, not there, and not invited: in this order."""
    _, pk_room = await stage.world.host(2)
    control = stage.world.seat_control
    assert await refusal(control.answer_invite(stage.ann, "none", accept=True)) is NoSuchRoom
    assert await refusal(control.answer_invite(stage.ann, pk_room, accept=True)) is RoomTypeUnfit
    assert await refusal(control.answer_invite(stage.stranger, stage.room, accept=True)) is NotInRoom
    for user_id in (stage.ann, stage.host):
        assert await refusal(control.answer_invite(user_id, stage.room, accept=True)) is NotJoined
    await stage.ask(stage.ann)
    assert await refusal(control.answer_invite(stage.ann, stage.room, accept=True)) is NotJoined


async def test_who_enters_a_voice_room_is_told_about_its_seats(stage: VoiceRoom) -> None:
    """An app that shows it is told of locks and mutes on entering; an old app is not, and a PK room has none."""
    world = stage.world
    _, pk_room = await world.host(2)
    await world.seat_control.lock(stage.host, stage.room, SEAT, locked=True)
    news = OnSeats(room_id=stage.room, locked=(SEAT,), muted=())
    assert told(await world.audience.enter(stage.ann, stage.room)) == {stage.ann: [news]}
    assert told(await world.audience.enter(stage.bob, stage.room)) == {}
    assert await roster(stage, stage.host) == news
    assert told(await world.audience.enter(stage.ann, pk_room)) == {}
    for user_id in (stage.ann, stage.bob, stage.stranger):
        assert await world.seats.roster(user_id) == ()


async def test_a_login_may_be_another_apps(stage: VoiceRoom) -> None:
    """What the old app could show says nothing of the new one, until that announces it."""
    world = stage.world
    account = await world.stores.accounts.get(stage.ann)
    assert account is not None
    await world.login(account.phone)
    assert await refusal(invite(stage)) is AppUnfit
    await world.attendance.announce(stage.ann, ["seats"])
    assert told(await invite(stage)).keys() == {stage.ann}


async def test_an_app_is_able_until_its_user_leaves(stage: VoiceRoom) -> None:
    """What was announced outlives a broken connection and a restart; it goes with the user."""
    world = stage.world
    await world.attendance.drop(stage.ann, f"conn-{stage.ann}")
    after = world.beside(node="node-2")
    await after.sweep.wake()
    stage.world.clock.advance(1)
    assert told(await invite(stage)).keys() == {stage.ann}
    await world.logout(stage.ann)
    assert await world.stores.presences.get(stage.ann) is None
    await world.attendance.announce(stage.ann, ["seats"])
    assert await world.stores.presences.get(stage.ann) is None
    await world.audience.enter(stage.ann, stage.room)
    assert await refusal(invite(stage)) is AppUnfit
