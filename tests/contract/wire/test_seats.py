"""Seats in a voice room, as its host and its audience see them, with old apps and new ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from .answers import done, refusal
from .client import Json
from .conftest import Launch
from .stage import Person, Stage, ask, let_in

OK = 0
UNKNOWN_MESSAGE, NO_PERMISSION = 10001, 10003
NO_ROOM, WRONG_TYPE, NO_SUCH_SEAT, SEAT_TAKEN = 10011, 10014, 10015, 10016
NO_PLAYER, NOT_IN_ROOM, ALREADY_JOINED, NOT_JOINED, APP_UNFIT = 10021, 10023, 10024, 10025, 10026

Company = tuple[Person, Person, Person]


async def company(stage: Stage) -> Company:
    """A host live in a voice room, and two viewers of it."""
    host = await stage.singer()
    return host, await stage.viewer(host.room), await stage.viewer(host.room)


async def seated(stage: Stage, position: int = 3) -> Company:
    """The same, the first viewer on a seat."""
    host, singer, viewer = await company(stage)
    await ask(singer, host, position)
    await let_in(singer, host, viewer)
    return host, singer, viewer


async def code(person: Person, kind: str, **fields: Any) -> int:
    """Send a request and return the code of its answer, which has to be the next frame."""
    answer: int = (await person.signal.call(kind, **fields))["code"]
    return answer


async def status(person: Person) -> tuple[str, str]:
    """Log in again, connect again and return status and room of the login answer."""
    await person.signal.confirm()
    old = person.signal
    account = await person.login()
    await old.close_code()
    await person.connect()
    return account["status"], account.get("room", "")


def left(singer: Person, host: Person, position: int) -> Json:
    """What others hear when a seat is left: complete, however it is left."""
    return {
        "roomID": host.room,
        "reqUserID": singer.id,
        "position": position,
        "gender": "",
        "nickname": singer.nickname,
    }


async def hears_that_he_left(person: Person, singer: Person, host: Person, position: int = 3) -> None:
    heard = await person.signal.expect("on-join-end")
    assert heard.pop("avatar")
    assert heard == left(singer, host, position)


# --- asking, answering, leaving ---


async def test_from_asking_to_leaving(stage: Stage) -> None:
    """Statuses, audience and roster follow; position and person are in every push; the rest stays at peace."""
    host, singer, viewer = await company(stage)
    await ask(singer, host, 7)
    assert await status(singer) == ("joinWait", host.room)
    assert "joinedAudiences" not in (await viewer.sees(host.room) or {})
    joined = await let_in(singer, host, viewer)
    assert list(joined) == ["roomID", "reqUserID", "position", "gender", "nickname", "avatar"]
    assert await status(singer) == ("joined", host.room)
    seen = await viewer.sees(host.room) or {}
    assert (seen["audienceNumber"], seen["status"]) == (2, "voiceLive")
    assert seen["joinedAudiences"] == [
        {
            "position": 7,
            "id": singer.id,
            "nickname": singer.nickname,
            "gender": "",
            "avatar": joined["avatar"],
        }
    ]
    assert await code(singer, "end-join", roomID=host.room, reqUserID="ignored") == OK
    for person in (host, viewer):
        await hears_that_he_left(person, singer, host, 7)
    assert await status(singer) == ("watching", host.room)
    assert "joinedAudiences" not in (await viewer.sees(host.room) or {})
    assert (await viewer.sees(host.room) or {})["audienceNumber"] == 2


async def test_the_roster_is_in_order_and_never_in_lists(stage: Stage) -> None:
    """JoinedAudiences is sorted by position, in enter_room and for one room; lists and PK rooms have none."""
    host, viewer = await stage.singer(), await stage.person()
    singers = [await stage.viewer(host.room) for _ in range(3)]
    for number, (singer, position) in enumerate(zip(singers, (5, 0, 3), strict=True)):
        await ask(singer, host, position)
        await let_in(singer, host, *singers[:number], *singers[number + 1 :])
    entered = (await viewer.api.enter_room(host.room)).json()
    keys = list(entered)
    assert keys[keys.index("status") :] == ["status", "joinedAudiences", "wsURL"]
    for shown in (entered, await viewer.sees(host.room) or {}):
        assert [seat["position"] for seat in shown["joinedAudiences"]] == [0, 3, 5]
        assert [seat["id"] for seat in shown["joinedAudiences"]] == [singers[n].id for n in (1, 2, 0)]
    listed = (await viewer.api.rooms()).json()["rooms"]
    paged = (await viewer.api.rooms("?limit=200")).json()["rooms"]
    assert host.room in [room["id"] for room in listed]
    assert not any("joinedAudiences" in room for room in (*listed, *paged))
    [own] = (await viewer.api.rooms(f"?creator={host.id}")).json()["rooms"]
    assert (own["audienceNumber"], "joinedAudiences" in own) == (4, False)
    fighter = await stage.host()
    free = [room["id"] for room in (await viewer.api.rooms("?can_pk=true")).json()["rooms"]]
    assert (fighter.room in free, host.room in free) == (True, False)
    # What is kept of a room's picture follows its seats and the people on them.
    await singers[0].api.post("/v1/profile", {"nickname": "阿强"})
    seen = await viewer.sees(host.room) or {}
    assert [seat["nickname"] for seat in seen["joinedAudiences"]][2] == "阿强"


@pytest.mark.parametrize("no", [{"accept": False}, {"accept": 0}, {}])
async def test_a_refused_request(no: Json, stage: Stage) -> None:
    """The requester alone hears it, with position 0, and asks again."""
    host, singer, viewer = await company(stage)
    await ask(singer, host, 4)
    assert await code(host, "answer-join", roomID=host.room, reqUserID=singer.id, **no) == OK
    heard = await singer.signal.expect("on-join-answer")
    assert heard == {"roomID": host.room, "reqUserID": singer.id, "accept": False, "position": 0}
    await viewer.signal.nothing_within()
    await ask(singer, host, 4)


async def test_old_apps_of_ios(stage: Stage) -> None:
    """They send no rpcID, 1 for true, and remarks that nobody reads; an answer without a mark comes back so."""
    host, singer, _ = await company(stage)
    await singer.signal.send("start-join", {"roomID": host.room, "position": 2, "message": "please"})
    assert await singer.signal.expect("start-join-res") == {"code": 0, "error": ""}
    asked = await host.signal.expect("on-join-request")
    assert list(asked) == ["roomID", "reqUserID", "nickname", "gender", "avatar", "position"]
    answer = {"rpcID": 3, "roomID": host.room, "reqUserID": singer.id, "accept": 1, "message": "yes"}
    await host.signal.send("answer-join", answer)
    await host.signal.expect("on-audience-join")
    assert await host.signal.expect("answer-join-res") == {"rpcID": 3, "code": 0, "error": ""}


async def test_the_checks_of_start_join(stage: Stage) -> None:
    """In the protocol's order, each with its code; an error changes nothing."""
    host, singer, viewer = await company(stage)
    fighter, elsewhere = await stage.host(), await stage.singer()
    stranger = await stage.person()
    await stranger.connect()
    assert await code(singer, "start-join", roomID=host.room, position="1") == UNKNOWN_MESSAGE
    assert await code(singer, "start-join", roomID=host.room, position=1.5) == UNKNOWN_MESSAGE
    assert await code(singer, "start-join", roomID="nosuch", position=9) == NO_ROOM
    assert await code(singer, "start-join", position=9) == NO_ROOM
    assert await code(singer, "start-join", roomID=fighter.room, position=9) == WRONG_TYPE
    assert await code(singer, "start-join", roomID=elsewhere.room, position=9) == NOT_IN_ROOM
    assert await code(stranger, "start-join", roomID=host.room, position=9) == NOT_IN_ROOM
    assert await code(host, "start-join", roomID=host.room, position=9) == ALREADY_JOINED
    for position in (-1, 8, 100):
        assert await code(singer, "start-join", roomID=host.room, position=position) == NO_SUCH_SEAT
    await ask(singer, host, 0)
    assert await code(singer, "start-join", roomID=host.room, position=9) == ALREADY_JOINED
    assert await code(viewer, "start-join", roomID=host.room, position=0) == SEAT_TAKEN
    await let_in(singer, host, viewer)
    assert await code(singer, "start-join", roomID=host.room, position=1) == ALREADY_JOINED
    assert await code(viewer, "start-join", roomID=host.room) == SEAT_TAKEN
    assert await status(viewer) == ("watching", host.room)
    await host.signal.nothing_within()


async def test_the_checks_of_answer_join(stage: Stage) -> None:
    """In the protocol's order, each with its code; an error changes nothing."""
    host, singer, viewer = await company(stage)
    fighter, elsewhere, stranger = await stage.host(), await stage.singer(), await stage.person()
    await ask(singer, host, 0)
    yes = {"accept": True}
    assert await code(host, "answer-join", roomID="nosuch", reqUserID=singer.id, **yes) == NO_ROOM
    assert await code(fighter, "answer-join", roomID=fighter.room, reqUserID=singer.id, **yes) == WRONG_TYPE
    for person in (singer, viewer, elsewhere):
        assert await code(person, "answer-join", roomID=host.room, reqUserID="x", **yes) == NO_PERMISSION
    assert await code(host, "answer-join", roomID=host.room, reqUserID="nosuch", **yes) == NO_PLAYER
    assert await code(host, "answer-join", roomID=host.room, **yes) == NO_PLAYER
    assert await code(host, "answer-join", roomID=host.room, reqUserID=stranger.id, **yes) == NOT_IN_ROOM
    assert await code(host, "answer-join", roomID=host.room, reqUserID=viewer.id, **yes) == NOT_JOINED
    unreadable = {"reqUserID": singer.id, "accept": "yes"}
    assert await code(host, "answer-join", roomID=host.room, **unreadable) == UNKNOWN_MESSAGE
    await let_in(singer, host, viewer)


async def test_the_checks_of_end_join(stage: Stage) -> None:
    """Not joined comes before another room."""
    host, singer, viewer = await seated(stage)
    for person in (host, viewer):
        assert await code(person, "end-join", roomID="nosuch") == NOT_JOINED
    assert await code(singer, "end-join", roomID="nosuch") == NOT_IN_ROOM
    assert await code(singer, "end-join") == NOT_IN_ROOM
    assert await code(singer, "end-join", roomID=7) == UNKNOWN_MESSAGE
    assert await status(singer) == ("joined", host.room)


async def test_end_join_while_waiting_withdraws(stage: Stage) -> None:
    """The host sees what a timeout looks like; the seat is free at once."""
    host, singer, viewer = await company(stage)
    await ask(singer, host, 3)
    assert await code(singer, "end-join", roomID=host.room) == OK
    assert await host.signal.expect("on-join-timeout") == {"roomID": host.room, "reqUserID": singer.id}
    answer = {"roomID": host.room, "reqUserID": singer.id, "accept": True}
    assert await code(host, "answer-join", **answer) == NOT_JOINED
    await ask(viewer, host, 3)
    await singer.signal.nothing_within()


async def test_a_request_times_out_once(hasty: Stage) -> None:
    """Both sides hear so, once; a late answer finds nothing, and the seat is free."""
    host, singer, viewer = await company(hasty)
    await ask(singer, host, 3)
    for person in (host, singer):
        assert await person.signal.expect("on-join-timeout") == {"roomID": host.room, "reqUserID": singer.id}
    answer = {"roomID": host.room, "reqUserID": singer.id, "accept": True}
    assert await code(host, "answer-join", **answer) == NOT_JOINED
    await asyncio.gather(*(person.signal.nothing_within() for person in (host, singer, viewer)))
    await ask(viewer, host, 3)


async def test_an_answered_request_does_not_time_out(hasty: Stage) -> None:
    """The deadline of the request means nothing to the seat."""
    people = await seated(hasty)
    await asyncio.gather(*(person.signal.nothing_within(1.0) for person in people))
    assert len((await people[2].sees(people[0].room) or {})["joinedAudiences"]) == 1


async def test_who_has_left_hears_of_no_timeout(hasty: Stage) -> None:
    """A requester who leaves over HTTP while waiting ends the request, and hears nothing later."""
    host, singer, _ = await company(hasty)
    await ask(singer, host, 3)
    done(await singer.api.leave_room(host.room))
    assert await host.signal.expect("on-join-timeout") == {"roomID": host.room, "reqUserID": singer.id}
    await asyncio.gather(singer.signal.nothing_within(0.8), host.signal.nothing_within(0.8))


# --- two at once ---


async def test_the_same_answer_many_times_at_once(stage: Stage) -> None:
    """Once it counts; every answer has its reply, and joining goes on, in this room and in all others."""
    for _ in range(5):
        host, singer, viewer = await company(stage)
        await ask(singer, host, 3)
        for number in range(4):
            body = {"rpcID": str(number), "roomID": host.room, "reqUserID": singer.id, "accept": True}
            await host.signal.send("answer-join", body)
        await host.signal.expect("on-audience-join")
        codes = [(await host.signal.expect("answer-join-res"))["code"] for _ in range(4)]
        assert codes == [OK, NOT_JOINED, NOT_JOINED, NOT_JOINED]
        await singer.signal.expect("on-join-answer")
        await viewer.signal.expect("on-audience-join")
        await ask(viewer, host, 4)


async def test_of_many_who_want_one_seat_one_gets_it(stage: Stage) -> None:
    """Five ask for the same seat at the same moment: the host hears of one, four are told 10016."""
    host = await stage.singer()
    people = [await stage.viewer(host.room) for _ in range(5)]
    codes = await asyncio.gather(*(code(each, "start-join", roomID=host.room, position=3) for each in people))
    assert sorted(codes) == [OK, *[SEAT_TAKEN] * 4]
    winner = people.pop(codes.index(OK))
    assert (await host.signal.expect("on-join-request"))["reqUserID"] == winner.id
    await host.signal.nothing_within()
    await let_in(winner, host, *people)
    seats = (await host.sees(host.room) or {})["joinedAudiences"]
    assert [(seat["position"], seat["id"]) for seat in seats] == [(3, winner.id)]


# --- leaving the room ---


async def _by_leaving(singer: Person) -> None:
    done(await singer.api.leave_room("whatever"))


async def _by_logout(singer: Person) -> None:
    done(await singer.api.logout())


async def _by_disconnect(singer: Person) -> None:
    await singer.signal.send("disconnect")


async def _by_drop(singer: Person) -> None:
    await singer.signal.drop()


Leaving = Callable[[Person], Awaitable[Any]]
WAYS_OUT = pytest.mark.parametrize("leave", [_by_leaving, _by_logout, _by_disconnect, _by_drop])


@WAYS_OUT
async def test_however_a_seated_one_goes(leave: Leaving, hasty: Stage) -> None:
    """on-join-end, complete, to the host and to all others, and nothing more; the seat is free."""
    host, singer, viewer = await seated(hasty)
    await leave(singer)
    for person in (host, viewer):
        await hears_that_he_left(person, singer, host)
    await viewer.signal.nothing_within()
    assert (await viewer.sees(host.room) or {})["audienceNumber"] == 1
    await ask(viewer, host, 3)


@WAYS_OUT
async def test_however_one_who_asks_goes(leave: Leaving, stage: Stage, launch: Launch) -> None:
    """on-join-timeout to the host, and to nobody else."""
    if leave is _by_drop:
        stage = launch({"websocket_conf": {"reconnect_timeout_s": 0.5}})
    host, singer, viewer = await company(stage)
    await ask(singer, host, 3)
    await leave(singer)
    assert await host.signal.expect("on-join-timeout") == {"roomID": host.room, "reqUserID": singer.id}
    await viewer.signal.nothing_within()
    await ask(viewer, host, 3)


async def test_a_lost_socket_costs_no_seat_within_the_grace(stage: Stage) -> None:
    """Who is back in time sits where he sat, and hears what he missed."""
    host, singer, viewer = await seated(stage)
    await singer.signal.drop()
    await ask(viewer, host, 5)
    await let_in(viewer, host)
    await singer.connect()
    assert (await singer.signal.expect("on-audience-join"))["reqUserID"] == viewer.id
    assert await status(singer) == ("joined", host.room)


async def _by_closing(host: Person) -> None:
    done(await host.api.close_room(host.room))


@pytest.mark.parametrize("close", [_by_closing, _by_logout, _by_disconnect])
async def test_however_a_room_closes(close: Leaving, stage: Stage) -> None:
    """Everybody in it hears on-room-close and nothing else; nobody is joined to anything any more."""
    host, singer, viewer = await seated(stage)
    watcher = await stage.viewer(host.room)
    await ask(viewer, host, 5)
    await close(host)
    for person in (singer, viewer, watcher):
        assert await person.signal.expect("on-room-close") == {"roomID": host.room}
    await asyncio.gather(*(person.signal.nothing_within() for person in (singer, viewer, watcher)))
    assert await status(singer) == ("idle", "")
    await singer.go_live()


async def test_who_has_to_do_with_a_seat_goes_nowhere_else(stage: Stage) -> None:
    """409005 for another room and for one's own; entering the same room again answers and keeps the seat."""
    host, singer, viewer = await seated(stage)
    other = await stage.host()
    await ask(viewer, host, 5)
    for person in (singer, viewer):
        refusal(await person.api.enter_room(other.room), 409, 409005)
        refusal(await person.api.create_room("mine"), 409, 409005)
        refusal(await person.api.enter_room("nosuch"), 404, 404002)
        entered = (await person.api.enter_room(host.room)).json()
        assert [seat["id"] for seat in entered["joinedAudiences"]] == [singer.id]
    refusal(await singer.api.create_room("x" * 101), 400, 400004)
    assert await status(singer) == ("joined", host.room)
    await let_in(viewer, host, singer)


# --- restarts ---


async def test_a_request_survives_a_crash_with_its_deadline(launch: Launch) -> None:
    """After kill -9 it can still be answered, or times out when it should, and nobody waits for ever."""
    life_s = 12.0
    stage = launch({"signaling": {"join_request_timeout_s": life_s}})
    host, singer, viewer = await company(stage)
    await ask(viewer, host, 5)
    await ask(singer, host, 3)
    due_at = time.monotonic() + life_s
    stage.server.kill()
    await asyncio.to_thread(stage.server.restart)
    for person in (host, singer, viewer):
        await person.connect()
    await _told_again(host, "on-join-request")
    await let_in(viewer, host, singer)
    assert time.monotonic() < due_at, "the restart took too long to tell anything"
    for person in (host, singer):
        assert await person.signal.expect("on-join-timeout") == {"roomID": host.room, "reqUserID": singer.id}
    assert due_at - 0.3 <= time.monotonic() <= due_at + 1.5
    await asyncio.gather(host.signal.nothing_within(0.3), singer.signal.nothing_within(0.3))
    await ask(singer, host, 3)


async def _told_again(person: Person, kind: str) -> None:
    """Skip what a crash made the server unsure of: whether the person has heard it."""
    await person.signal.send("ping")
    while (frame := str(await person.signal.receive())) != "pong={}":
        assert frame.startswith(kind)


# --- new apps among old ones ---


async def announce(*people: Person) -> None:
    """Let these people's apps say that they show all about seats; each hears how things are."""
    for person in people:
        answer = await person.signal.call("announce", capabilities=["seats", "telepathy"])
        assert (answer["code"], answer["capabilities"]) == (0, ["seats"])
        heard = await person.signal.expect("on-seats")
        assert list(heard) == ["roomID", "locked", "muted"]


async def mixed(stage: Stage) -> Company:
    """A host and a viewer with new apps, and a viewer with an old one."""
    host, new, old = await company(stage)
    await announce(host, new)
    return host, new, old


async def test_what_an_app_announces(stage: Stage) -> None:
    """Known capabilities come back; who is in no voice room hears no roster; a list of texts is wanted."""
    person, fighter = await stage.person(), await stage.host()
    await person.connect()
    for one in (person, fighter):
        assert (await one.signal.call("announce", capabilities=[]))["capabilities"] == ["seats"]
        await one.signal.nothing_within(0.05)
    assert await code(person, "announce", capabilities="seats") == UNKNOWN_MESSAGE
    assert await code(person, "announce", capabilities=[1]) == UNKNOWN_MESSAGE


async def test_an_invitation(stage: Stage) -> None:
    """Only the invited one hears it; when he takes the seat, the old app sees just another one who sits."""
    host, new, old = await mixed(stage)
    assert await code(host, "invite-join", roomID=host.room, reqUserID=new.id, position=3) == OK
    heard = await new.signal.expect("on-join-invite")
    assert heard == {"roomID": host.room, "userID": host.id, "nickname": host.nickname, "position": 3}
    assert await code(old, "start-join", roomID=host.room, position=3) == SEAT_TAKEN
    assert await code(new, "answer-invite", roomID=host.room, accept=True) == OK
    answer = {"roomID": host.room, "reqUserID": new.id, "accept": True, "position": 3}
    assert await host.signal.expect("on-invite-answer") == answer
    joined = await host.signal.expect("on-audience-join")
    assert await old.signal.expect("on-audience-join") == joined
    assert (joined["reqUserID"], joined["position"]) == (new.id, 3)
    await new.signal.nothing_within()
    assert await status(new) == ("joined", host.room)


async def test_an_invitation_comes_to_nothing(hasty: Stage) -> None:
    """Declined, timed out, or left behind: the host hears it, the old app nothing, and the seat is free."""
    host, new, old = await mixed(hasty)
    invitation = {"roomID": host.room, "reqUserID": new.id, "position": 3}
    ended = {"roomID": host.room, "reqUserID": new.id}
    assert await code(host, "invite-join", **invitation) == OK
    await new.signal.expect("on-join-invite")
    assert await code(host, "invite-join", **invitation) == ALREADY_JOINED
    assert await code(new, "answer-invite", roomID=host.room, accept=False) == OK
    assert (await host.signal.expect("on-invite-answer"))["accept"] is False
    assert await code(new, "answer-invite", roomID=host.room, accept=True) == NOT_JOINED
    assert await code(host, "invite-join", **invitation) == OK
    await new.signal.expect("on-join-invite")
    for person in (host, new):
        assert await person.signal.expect("on-invite-timeout") == ended
    assert await code(host, "invite-join", **invitation) == OK
    await new.signal.expect("on-join-invite")
    await new.watch((await hasty.singer()).room)
    assert await host.signal.expect("on-invite-timeout") == ended
    await old.signal.nothing_within()
    await ask(old, host, 3)


async def test_a_move(stage: Stage) -> None:
    """New apps hear of a move; the old one of one who left a seat and took another."""
    host, new, old = await mixed(stage)
    await ask(new, host, 3)
    await let_in(new, host, old)
    assert await _while_hearing(host, "move-seat", "on-seat-move", reqUserID=new.id, position=5) == OK
    heard = await new.signal.expect("on-seat-move")
    assert heard == {"roomID": host.room, "reqUserID": new.id, "from": 3, "position": 5}
    await hears_that_he_left(old, new, host)
    assert (await old.signal.expect("on-audience-join"))["position"] == 5
    assert [seat["position"] for seat in (await old.sees(host.room) or {})["joinedAudiences"]] == [5]


async def _while_hearing(host: Person, kind: str, news: str, **fields: Any) -> int:
    """Send a host's request, hear the news that it causes to himself first, and return the code."""
    await host.signal.send(kind, {"roomID": host.room, **fields})
    await host.signal.expect(news)
    answer: int = (await host.signal.expect(f"{kind}-res"))["code"]
    return answer


async def test_mutes_and_locks(stage: Stage) -> None:
    """New apps hear of both, also those that come later; the old one finds that it cannot have the seat."""
    host, new, old = await mixed(stage)
    await ask(new, host, 3)
    await let_in(new, host, old)
    assert await _while_hearing(host, "mute-seat", "on-seat-mute", reqUserID=new.id, muted=1) == OK
    heard = await new.signal.expect("on-seat-mute")
    assert heard == {"roomID": host.room, "reqUserID": new.id, "position": 3, "muted": True}
    assert await _while_hearing(host, "lock-seat", "on-seat-lock", position=6, locked=True) == OK
    assert await new.signal.expect("on-seat-lock") == {"roomID": host.room, "position": 6, "locked": True}
    assert await code(old, "start-join", roomID=host.room, position=6) == SEAT_TAKEN
    late = await stage.viewer(host.room)
    await late.signal.send("announce", {"capabilities": ["seats"]})
    await late.signal.expect("announce-res")
    news = {"roomID": host.room, "locked": [6], "muted": [3]}
    assert await late.signal.expect("on-seats") == news
    await late.watch(host.room)
    assert await late.signal.expect("on-seats") == news
    assert list(await old.sees(host.room) or {})[-1] == "joinedAudiences", "no new keys over HTTP"
    await old.signal.nothing_within()


async def test_emptying_a_seat(stage: Stage) -> None:
    """Every app understands it, also that of the one who sat there; a request for the seat is not on it."""
    host, new, old = await mixed(stage)
    await ask(old, host, 3)
    assert await code(host, "empty-seat", roomID=host.room, position=3) == NOT_JOINED
    await let_in(old, host, new)
    assert await _while_hearing(host, "empty-seat", "on-join-end", position=3) == OK
    for person in (old, new):
        await hears_that_he_left(person, old, host)
    assert await status(old) == ("watching", host.room)


async def test_nothing_new_towards_old_apps(stage: Stage) -> None:
    """10026 for a host whose app has not announced, and towards people whose app has not."""
    host, new, old = await company(stage)
    commands: dict[str, Json] = {
        "invite-join": {"reqUserID": old.id, "position": 3},
        "move-seat": {"reqUserID": old.id, "position": 3},
        "mute-seat": {"reqUserID": old.id, "muted": True},
        "lock-seat": {"position": 3, "locked": True},
        "empty-seat": {"position": 3},
    }
    for kind, fields in commands.items():
        assert await code(new, kind, roomID=host.room, **fields) == NO_PERMISSION
        assert await code(host, kind, roomID=host.room, **fields) == APP_UNFIT
    await announce(host)
    for kind in ("invite-join", "move-seat", "mute-seat"):
        assert await code(host, kind, roomID=host.room, **commands[kind]) == APP_UNFIT
    await asyncio.gather(*(person.signal.nothing_within() for person in (new, old)))


async def test_what_was_announced_outlives_connections_and_crashes(launch: Launch) -> None:
    """A new app that comes back after a crash need not say again what it is."""
    stage = launch({})
    host, new, old = await mixed(stage)
    stage.server.kill()
    await asyncio.to_thread(stage.server.restart)
    for person in (host, new, old):
        await person.connect()
        await person.signal.confirm()
    assert await code(host, "invite-join", roomID=host.room, reqUserID=new.id, position=3) == OK
    await new.signal.expect("on-join-invite")
