"""Asking for a seat in a voice room, and what becomes of the request and of the seat."""

from collections.abc import Awaitable, Callable

import pytest

from core.stage import VoiceRoom, counted, failing_once, told, voice_room
from core.world import World, refusal
from qlive_core.effects import Arm, DeadlineKind, Outcome
from qlive_core.errors import (
    AlreadyJoined,
    InvalidSeat,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotJoined,
    NotYourRoom,
    RoomTypeUnfit,
    SeatTaken,
    StoreUnavailable,
    UserJoined,
    UserWatching,
)
from qlive_core.model.place import PlaceKind
from qlive_core.model.seat import SeatOutcome
from qlive_core.signalling.messages import OnRoomClose
from qlive_core.signalling.seat_messages import (
    OnAudienceJoin,
    OnJoinAnswer,
    OnJoinEnd,
    OnJoinRequest,
    OnJoinTimeout,
)
from qlive_core.usecases.directory import Query

SEAT = 3


@pytest.fixture
async def stage(world: World) -> VoiceRoom:
    """Return a voice room with its people."""
    return await voice_room(world)


def looks(stage: VoiceRoom) -> dict[str, str]:
    """Return how Ann looks to others."""
    return {
        "room_id": stage.room,
        "req_user_id": stage.ann,
        "nickname": "用户_0000",
        "gender": "",
        "avatar": "1.jpg",
    }


async def test_the_host_is_asked(stage: VoiceRoom) -> None:
    """The request is armed to end by itself, the host hears who asks for which seat, and nobody else does."""
    asked = await stage.ask(stage.ann)
    until = stage.world.clock.now() + 10
    assert asked.effects[0] == Arm(DeadlineKind.SEAT_REQUEST, stage.ann, until)
    assert told(asked) == {stage.host: [OnJoinRequest(position=SEAT, **looks(stage))]}
    assert counted(asked) == [SeatOutcome.ASKED]
    assert await stage.statuses() == ["joinWait", "watching"]
    assert await stage.roster() == []


async def test_an_accepted_request(stage: VoiceRoom) -> None:
    """The requester has his answer; everybody else, and the host, hear who sits where."""
    await stage.ask(stage.ann)
    accepted = await stage.world.seats.answer(stage.host, stage.room, stage.ann, accept=True)
    joined = OnAudienceJoin(position=SEAT, **looks(stage))
    answer = OnJoinAnswer(room_id=stage.room, req_user_id=stage.ann, accept=True, position=SEAT)
    assert told(accepted) == {stage.ann: [answer], stage.bob: [joined], stage.host: [joined]}
    assert counted(accepted) == [SeatOutcome.ACCEPTED]
    assert await stage.statuses() == ["joined", "watching"]
    assert await stage.roster() == [(SEAT, stage.ann)]


async def test_a_rejected_request(stage: VoiceRoom) -> None:
    """The requester alone hears it, with position 0, and can ask again."""
    await stage.ask(stage.ann)
    rejected = await stage.world.seats.answer(stage.host, stage.room, stage.ann, accept=False)
    answer = OnJoinAnswer(room_id=stage.room, req_user_id=stage.ann, accept=False, position=0)
    assert told(rejected) == {stage.ann: [answer]}
    assert counted(rejected) == [SeatOutcome.REJECTED]
    assert await stage.statuses() == ["watching", "watching"]
    await stage.ask(stage.bob)


async def test_a_request_without_an_answer(stage: VoiceRoom) -> None:
    """At its deadline both sides hear so, once; from then on it cannot be answered."""
    await stage.ask(stage.ann)
    seats, clock = stage.world.seats, stage.world.clock
    clock.advance(9.9)
    early = await seats.expire(stage.ann)
    assert (early.reply, [type(effect) for effect in early.effects]) == (False, [Arm])
    clock.advance(0.1)
    assert await refusal(seats.answer(stage.host, stage.room, stage.ann, accept=True)) is NotJoined
    assert await refusal(seats.end(stage.ann, stage.room)) is NotJoined
    expired = await seats.expire(stage.ann)
    timeout = OnJoinTimeout(room_id=stage.room, req_user_id=stage.ann)
    assert expired.reply
    assert told(expired) == {stage.ann: [timeout], stage.host: [timeout]}
    assert counted(expired) == [SeatOutcome.TIMED_OUT]
    assert await seats.expire(stage.ann) == Outcome(False)
    assert await stage.statuses() == ["watching", "watching"]


async def test_a_withdrawn_request(stage: VoiceRoom) -> None:
    """end-join while waiting withdraws: the host sees what a timeout looks like."""
    await stage.ask(stage.ann)
    withdrawn = await stage.world.seats.end(stage.ann, stage.room)
    assert told(withdrawn) == {stage.host: [OnJoinTimeout(room_id=stage.room, req_user_id=stage.ann)]}
    assert counted(withdrawn) == [SeatOutcome.WITHDRAWN]
    assert await stage.statuses() == ["watching", "watching"]
    assert await refusal(stage.world.seats.end(stage.ann, stage.room)) is NotJoined


async def test_leaving_the_seat(stage: VoiceRoom) -> None:
    """Everybody else, and the host, hear who left which seat; he goes on watching, and the seat is free."""
    await stage.seat(stage.ann)
    left = await stage.world.seats.end(stage.ann, stage.room)
    ended = OnJoinEnd(position=SEAT, **looks(stage))
    assert told(left) == {stage.bob: [ended], stage.host: [ended]}
    assert counted(left) == [SeatOutcome.LEFT]
    assert await stage.statuses() == ["watching", "watching"]
    await stage.seat(stage.bob)


async def test_ask_is_refused(stage: VoiceRoom) -> None:
    """The checks come in the protocol's order, and an error changes nothing."""
    seats, ann = stage.world.seats, stage.ann
    _, pk_room = await stage.world.host(2)
    _, other = await stage.world.host(3, kind="voice")
    assert await refusal(seats.ask(ann, "none", 99)) is NoSuchRoom
    assert await refusal(seats.ask(ann, pk_room, 99)) is RoomTypeUnfit
    assert await refusal(seats.ask(ann, other, 99)) is NotInRoom
    assert await refusal(seats.ask(stage.stranger, stage.room, 99)) is NotInRoom
    assert await refusal(seats.ask(stage.host, stage.room, 99)) is AlreadyJoined
    assert await refusal(stage.ask(ann, 8)) is InvalidSeat
    await stage.ask(ann)
    assert await refusal(stage.ask(ann, 99)) is AlreadyJoined
    assert await refusal(stage.ask(stage.bob)) is SeatTaken
    await stage.world.seats.answer(stage.host, stage.room, ann, accept=True)
    assert await refusal(stage.ask(ann, 99)) is AlreadyJoined
    assert await refusal(stage.ask(stage.bob)) is SeatTaken
    assert await stage.statuses() == ["joined", "watching"]


async def test_a_lapsed_viewer_is_not_in_the_room(stage: VoiceRoom) -> None:
    """Who may be let in again is not there."""
    world = stage.world
    await world.audience.enter(stage.stranger, stage.room)
    world.clock.advance(60)
    await world.attendance.sign_of_life(stage.host)
    await world.attendance.expire(stage.stranger)
    assert await refusal(stage.ask(stage.stranger)) is NotInRoom


async def test_answer_is_refused(stage: VoiceRoom) -> None:
    """The checks come in the protocol's order, and an error changes nothing."""
    seats, ann = stage.world.seats, stage.ann
    other_host, other = await stage.world.host(2, kind="voice")
    pk_host, pk_room = await stage.world.host(3)
    await stage.ask(ann)
    assert await refusal(seats.answer(stage.host, "none", ann, accept=True)) is NoSuchRoom
    assert await refusal(seats.answer(pk_host, pk_room, ann, accept=True)) is RoomTypeUnfit
    assert await refusal(seats.answer(other_host, stage.room, "nobody", accept=True)) is NotYourRoom
    assert await refusal(seats.answer(ann, stage.room, ann, accept=True)) is NotYourRoom
    assert await refusal(seats.answer(stage.host, stage.room, "nobody", accept=True)) is NoSuchUser
    assert await refusal(seats.answer(other_host, other, ann, accept=True)) is NotInRoom
    assert await refusal(seats.answer(stage.host, stage.room, stage.stranger, accept=True)) is NotInRoom
    assert await refusal(seats.answer(stage.host, stage.room, stage.bob, accept=True)) is NotJoined
    assert await refusal(seats.answer(stage.host, stage.room, stage.host, accept=True)) is NotJoined
    assert await stage.statuses() == ["joinWait", "watching"]
    await seats.answer(stage.host, stage.room, ann, accept=True)
    assert await refusal(seats.answer(stage.host, stage.room, ann, accept=False)) is NotJoined
    assert await stage.statuses() == ["joined", "watching"]


async def test_end_is_refused(stage: VoiceRoom) -> None:
    """Not joined comes before another room; the host has no seat to leave."""
    seats = stage.world.seats
    for user_id in (stage.ann, stage.host, stage.stranger):
        assert await refusal(seats.end(user_id, stage.room)) is NotJoined
    await stage.seat(stage.ann)
    assert await refusal(seats.end(stage.ann, "none")) is NotInRoom
    assert await refusal(seats.end(stage.ann, "")) is NotInRoom
    assert await stage.statuses() == ["joined", "watching"]


async def _leave(stage: VoiceRoom) -> Outcome[None]:
    return await stage.world.audience.leave(stage.ann)


async def _disconnect(stage: VoiceRoom) -> Outcome[None]:
    return await stage.world.attendance.disconnect(stage.ann, f"conn-{stage.ann}")


async def _log_out(stage: VoiceRoom) -> Outcome[None]:
    return await stage.world.logout(stage.ann)


async def _stay_away(stage: VoiceRoom) -> Outcome[bool]:
    await stage.world.attendance.drop(stage.ann, f"conn-{stage.ann}")
    stage.world.clock.advance(20)
    return await stage.world.attendance.expire(stage.ann)


async def _stay_away_without_a_connection(stage: VoiceRoom) -> Outcome[bool]:
    """Enter again in the grace, which is as good as having no connection; then do not poll."""
    await stage.world.attendance.drop(stage.ann, f"conn-{stage.ann}")
    await stage.world.audience.enter(stage.ann, stage.room)
    stage.world.clock.advance(60)
    return await stage.world.attendance.expire(stage.ann)


WAYS_OUT = pytest.mark.parametrize(
    "go", [_leave, _disconnect, _log_out, _stay_away, _stay_away_without_a_connection]
)
Go = Callable[[VoiceRoom], Awaitable[Outcome[object]]]


@WAYS_OUT
async def test_however_a_seated_one_goes(stage: VoiceRoom, go: Go) -> None:
    """on-join-end to the host and all others, complete; the seat is free, and nothing lapses into a way back."""
    await stage.seat(stage.ann)
    gone = await go(stage)
    ended = OnJoinEnd(position=SEAT, **looks(stage))
    assert told(gone) == {stage.bob: [ended], stage.host: [ended]}
    assert counted(gone) == [SeatOutcome.LEFT]
    assert await stage.world.stores.places.get(stage.ann) is None
    await stage.seat(stage.bob)


@WAYS_OUT
async def test_however_one_who_asks_goes(stage: VoiceRoom, go: Go) -> None:
    """The host alone hears that the request has ended."""
    await stage.ask(stage.ann)
    gone = await go(stage)
    assert told(gone) == {stage.host: [OnJoinTimeout(room_id=stage.room, req_user_id=stage.ann)]}
    assert counted(gone) == [SeatOutcome.WITHDRAWN]
    assert await stage.world.seats.expire(stage.ann) == Outcome(False)


async def test_a_closing_room_takes_all_seats_with_it(stage: VoiceRoom) -> None:
    """Everybody in it hears on-room-close, and nothing else; nothing is left to time out."""
    await stage.seat(stage.ann)
    await stage.ask(stage.bob, 5)
    closed = await stage.world.rooms.close(stage.host, stage.room)
    news = [OnRoomClose(room_id=stage.room)]
    assert told(closed) == {stage.ann: news, stage.bob: news}
    assert counted(closed) == [SeatOutcome.CLOSED, SeatOutcome.CLOSED]
    assert await stage.statuses() == ["idle", "idle"]
    assert await stage.world.seats.expire(stage.bob) == Outcome(False)
    assert await refusal(stage.world.seats.end(stage.ann, stage.room)) is NotJoined


@pytest.mark.parametrize("seated", [True, False])
async def test_who_has_to_do_with_a_seat_goes_nowhere_else(stage: VoiceRoom, seated: bool) -> None:
    """He cannot enter another room or open one; entering the same one changes nothing about his seat."""
    world, ann = stage.world, stage.ann
    _, other = await world.host(2)
    await (stage.seat(ann) if seated else stage.ask(ann))
    before = await world.stores.places.get(ann)
    assert await refusal(world.audience.enter(ann, other)) is UserJoined
    assert await refusal(world.rooms.create(ann, "mine", "pk")) is UserJoined
    assert await refusal(world.audience.enter(ann, "none")) is NoSuchRoom
    world.clock.advance(5)
    assert told(await world.audience.enter(ann, stage.room)) == {}
    after = await world.stores.places.get(ann)
    assert before is not None
    assert after is not None
    assert (after.kind, after.seat, after.seat_until, after.since) == (
        before.kind,
        before.seat,
        before.seat_until,
        before.since,
    )
    assert await refusal(world.rooms.create(stage.bob, "mine", "pk")) is UserWatching


async def test_since_when_one_is_in_the_room(stage: VoiceRoom) -> None:
    """A place begins with entering or opening a room; a seat that changes does not make it younger."""
    world = stage.world
    entered = world.clock.now()
    world.clock.advance(30)
    await stage.seat(stage.ann)
    await world.audience.enter(stage.bob, stage.room)
    _, other = await world.host(2)
    await world.seats.end(stage.ann, stage.room)
    places = {place.user_id: place for place in await world.stores.places.in_room(stage.room)}
    assert {place.since for place in places.values()} == {entered}
    await world.audience.enter(stage.ann, other)
    place = await world.stores.places.get(stage.ann)
    assert place is not None
    assert (place.since, place.kind) == (entered + 30, PlaceKind.WATCHING)


async def test_the_audience_counts_everybody(stage: VoiceRoom) -> None:
    """Who sits and who asks are audience as well."""
    await stage.seat(stage.ann)
    await stage.ask(stage.bob, 5)
    await stage.world.audience.enter(stage.stranger, stage.room)
    facts = await stage.world.directory.one(stage.room)
    assert facts.audience_number == 3
    assert [(seat.position, seat.account and seat.account.id) for seat in facts.seats] == [(SEAT, stage.ann)]
    [listed] = await stage.world.directory.list(Query(stage.stranger))
    assert listed.seats == ()


async def test_an_account_that_is_gone_still_has_texts(stage: VoiceRoom) -> None:
    """Apps crash on a missing text, so there are empty ones."""
    account = await stage.world.stores.accounts.get(stage.ann)
    assert account is not None
    await stage.world.stores.accounts.remove(account)
    [(_, request)] = [(user, push) for user, [push] in told(await stage.ask(stage.ann)).items()]
    assert request == OnJoinRequest(
        room_id=stage.room, req_user_id=stage.ann, nickname="", gender="", avatar="", position=SEAT
    )


async def test_a_timeout_that_the_store_failed_is_told_later(stage: VoiceRoom) -> None:
    """Whether the write took place is not known; if it did, the next call tells, and only that one."""
    await stage.ask(stage.ann)
    stage.world.clock.advance(10)
    place = await stage.world.stores.places.get(stage.ann)
    assert place is not None
    failing = stage.world.beside(failing_once("places", "replace", StoreUnavailable))
    assert await refusal(failing.seats.expire(stage.ann)) is StoreUnavailable
    await stage.world.seats.expire(stage.ann)  # as the write would have done it
    late = await failing.seats.expire(stage.ann)
    timeout = OnJoinTimeout(room_id=stage.room, req_user_id=stage.ann)
    assert late.reply
    assert told(late) == {stage.ann: [timeout], stage.host: [timeout]}
    assert await failing.seats.expire(stage.ann) == Outcome(False)


async def test_a_late_timeout_is_not_told_to_who_has_left(stage: VoiceRoom) -> None:
    """The host alone is still concerned; if the room has closed, nobody is."""
    await stage.ask(stage.ann)
    stage.world.clock.advance(10)
    worlds = [stage.world.beside(failing_once("places", "replace", StoreUnavailable)) for _ in range(2)]
    for failing in worlds:
        assert await refusal(failing.seats.expire(stage.ann)) is StoreUnavailable
    await stage.world.seats.expire(stage.ann)
    await stage.world.audience.leave(stage.ann)
    assert list(told(await worlds[0].seats.expire(stage.ann))) == [stage.host]
    await stage.world.rooms.close(stage.host, stage.room)
    assert told(await worlds[1].seats.expire(stage.ann)) == {}


async def test_a_timeout_that_did_not_take_place_is_made_again(stage: VoiceRoom) -> None:
    """The write that failed changed nothing: the next call expires, tells, and nothing is told twice."""
    await stage.ask(stage.ann)
    stage.world.clock.advance(10)
    failing = stage.world.beside(failing_once("places", "replace", StoreUnavailable))
    assert await refusal(failing.seats.expire(stage.ann)) is StoreUnavailable
    assert list(told(await failing.seats.expire(stage.ann))) == [stage.ann, stage.host]
    assert await failing.seats.expire(stage.ann) == Outcome(False)


async def test_an_unsure_timeout_is_overtaken(stage: VoiceRoom) -> None:
    """A request whose expiry failed can still be answered while its time is not over; then nothing times out."""
    await stage.ask(stage.ann)
    stage.world.clock.advance(10)
    failing = stage.world.beside(failing_once("places", "replace", StoreUnavailable))
    assert await refusal(failing.seats.expire(stage.ann)) is StoreUnavailable
    stage.world.clock.advance(-1)  # clocks are set back now and then
    await failing.seats.answer(stage.host, stage.room, stage.ann, accept=True)
    assert await failing.seats.expire(stage.ann) == Outcome(False)
