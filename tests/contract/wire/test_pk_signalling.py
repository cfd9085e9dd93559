"""A PK between two hosts, as both of them and their audiences see it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from .answers import done
from .client import Json
from .matching import verified_rtc_claims
from .stage import Person, Stage, accept, offer

OK = 0
UNKNOWN_MESSAGE, NO_PERMISSION = 10001, 10003
NO_ROOM, IN_PK, NOT_IN_PK = 10011, 10012, 10013
INVALID = 10031


async def test_an_accepted_offer_gives_both_sides_what_their_media_need(stage: Stage) -> None:
    """Both token pairs are there for apps that move to the other room and for apps that relay into it."""
    proposer, target = await stage.offered()
    answer = await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
    heard = await proposer.signal.expect("on-pk-answer")
    assert (heard["rtcRoom"], heard["relayRtcRoom"]) == (target.room, target.room)
    assert (answer["ReqRoomID"], answer["reqRoomID"]) == (proposer.room, proposer.room)
    assert answer["relayRtcRoom"] == proposer.room
    _is_for(heard["rtcRoomToken"], target.room, proposer)
    _is_for(heard["relayRtcRoomToken"], target.room, proposer)
    _is_for(answer["relayRtcRoomToken"], proposer.room, target)


def _is_for(token: str, room_id: str, person: Person) -> None:
    claims = verified_rtc_claims(token)
    assert (claims["roomName"], claims["userId"], claims["permission"]) == (room_id, person.id, "user")


async def test_statuses_follow_the_pk(stage: Stage) -> None:
    """Rooms are single, waitPK, PK and single again; so are their hosts; can_pk lists only single ones."""
    proposer, target = await stage.pair()
    await _stand("single", "singleLive", proposer, target)
    await offer(proposer, target)
    await _stand("waitPK", "pkWait", proposer, target)
    await accept(target, proposer)
    await _stand("PK", "pkLive", proposer, target)
    await proposer.signal.call("end-pk", pkRoomID=target.room)
    await target.signal.expect("on-pk-end")
    await _stand("single", "singleLive", proposer, target)


async def _stand(room_status: str, user_status: str, *hosts: Person) -> None:
    for host in hosts:
        other = next(each for each in hosts if each is not host)
        assert await other.status_of(host.room) == room_status
        offered = (await other.api.rooms("?can_pk=true")).json()["rooms"] or []
        assert (host.room in [room["id"] for room in offered]) is (room_status == "single")
        await host.signal.confirm()
        old = host.signal
        assert (await host.login())["status"] == user_status
        await old.close_code()
        await host.connect()


@pytest.mark.parametrize("yes", [True, 1])
async def test_first_generation_apps_accept(yes: bool, stage: Stage) -> None:
    """Old apps name the offer by pkRoomID, and 32-bit iOS says 1 for true."""
    proposer, target = await stage.offered()
    assert (await target.signal.call("answer-pk", pkRoomID=proposer.room, accept=yes))["code"] == OK
    assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is True
    assert await target.status_of(target.room) == "PK"


@pytest.mark.parametrize("fields", [{"accept": False}, {"accept": 0}, {}])
async def test_a_reject_frees_both(fields: Json, stage: Stage) -> None:
    """A reject carries no tokens, and both hosts can go on at once."""
    proposer, target = await stage.offered()
    answer = await target.signal.call("answer-pk", reqRoomID=proposer.room, **fields)
    assert "relayRtcRoom" not in answer
    heard = await proposer.signal.expect("on-pk-answer")
    assert heard == {"reqRoomID": proposer.room, "accepted": False}
    await offer(target, proposer)


async def test_of_crossed_offers_one_wins(stage: Stage) -> None:
    """Two hosts offer to each other at the same moment: one offer stands, the other is told 10012."""
    for _ in range(8):
        a, b = await stage.pair()
        await asyncio.gather(_start(a, b.room), _start(b, a.room))
        heard = {person.id: await _two_frames(person) for person in (a, b)}
        winner, loser = (a, b) if "start-pk-res:0" in heard[a.id] else (b, a)
        assert heard[winner.id] == ["start-pk-res:0"]
        assert sorted(heard[loser.id]) == ["on-pk-offer:-", f"start-pk-res:{IN_PK}"]
        await accept(loser, winner)


async def _start(proposer: Person, room_id: str) -> None:
    await proposer.signal.send("start-pk", {"pkRoomID": room_id})


async def _two_frames(person: Person) -> list[str]:
    """What a host of crossed offers hears: his answer, and the offer unless his own won."""
    frames = [await _frame(person)]
    if frames != ["start-pk-res:0"]:
        frames.append(await _frame(person))
    await person.signal.nothing_within(0.05)
    return frames


async def _frame(person: Person) -> str:
    frame = await person.signal.receive()
    assert isinstance(frame, str)
    kind, _, body = frame.partition("=")
    code = body.partition('"code":')[2].partition(",")[0]
    return f"{kind}:{code or '-'}"


async def test_of_two_offers_to_one_host_one_wins(stage: Stage) -> None:
    """Five hosts offer to the same host at the same moment: he hears of one offer, four are told 10012."""
    target, *proposers = [await stage.host() for _ in range(6)]
    answers = await asyncio.gather(
        *(each.signal.call("start-pk", pkRoomID=target.room) for each in proposers)
    )
    codes = [answer["code"] for answer in answers]
    assert sorted(codes) == [OK, IN_PK, IN_PK, IN_PK, IN_PK]
    winner = proposers[codes.index(OK)]
    assert (await target.signal.expect("on-pk-offer"))["roomID"] == winner.room
    await target.signal.nothing_within()
    for each in proposers:
        assert await target.status_of(each.room) == ("waitPK" if each is winner else "single")


async def test_a_busy_target_is_answered_once(stage: Stage) -> None:
    """An offer to a host who waits or fights is answered with 10012, once, and starts nothing."""
    proposer, target = await stage.offered()
    third = await stage.host()
    for busy in (proposer, target):
        assert (await third.signal.call("start-pk", pkRoomID=busy.room))["code"] == IN_PK
    await accept(target, proposer)
    assert (await third.signal.call("start-pk", pkRoomID=target.room))["code"] == IN_PK
    await third.signal.nothing_within()
    assert await third.status_of(third.room) == "single"


async def test_a_busy_host_offers_nothing(stage: Stage) -> None:
    """A host who waits for an answer, or is asked for one, cannot offer to somebody else: 10012."""
    proposer, target = await stage.offered()
    third = await stage.host()
    for busy in (proposer, target):
        assert (await busy.signal.call("start-pk", pkRoomID=third.room))["code"] == IN_PK
    await third.signal.nothing_within()


async def test_who_cannot_offer(stage: Stage) -> None:
    """No such room is 10011, one's own room 10031, and without a room of one's own 10031."""
    host, person = await stage.host(), await stage.person()
    await person.connect()
    assert (await host.signal.call("start-pk", pkRoomID="nosuch"))["code"] == NO_ROOM
    assert (await host.signal.call("start-pk"))["code"] == NO_ROOM
    assert (await host.signal.call("start-pk", pkRoomID=host.room))["code"] == INVALID
    assert (await person.signal.call("start-pk", pkRoomID=host.room))["code"] == INVALID
    assert await host.status_of(host.room) == "single"


async def test_only_the_target_answers(stage: Stage) -> None:
    """The proposer and third hosts cannot accept; their tries change nothing, and the target still can."""
    proposer, target = await stage.offered()
    waiting, asked = await stage.offered()
    idle, viewer = await stage.host(), await stage.viewer(proposer.room)
    for other in (proposer, waiting, idle, viewer):
        answer = await other.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
        assert (answer["code"], answer["ReqRoomID"]) == (NOT_IN_PK, "")
    answer = await asked.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
    assert answer["code"] == NOT_IN_PK
    assert await asked.status_of(waiting.room) == "waitPK"
    await accept(target, proposer)


async def test_an_answer_that_names_the_wrong_room_changes_nothing(stage: Stage) -> None:
    """The target names a room that does not exist, or not the proposer's: the offer stands."""
    proposer, target = await stage.offered()
    other = await stage.host()
    for room_id, code in (("nosuch", NO_ROOM), (other.room, NOT_IN_PK), (target.room, NOT_IN_PK)):
        answer = await target.signal.call("answer-pk", reqRoomID=room_id, accept=True)
        assert answer["code"] == code
    await accept(target, proposer)


async def test_double_answers_have_one_outcome(stage: Stage) -> None:
    """The same answer four times at once: one succeeds, the others find no offer, the proposer hears one."""
    for _ in range(5):
        proposer, target = await stage.offered()
        for number in range(4):
            body = {"rpcID": str(number), "reqRoomID": proposer.room, "accept": number != 3}
            await target.signal.send("answer-pk", body)
        codes = [(await target.signal.expect("answer-pk-res"))["code"] for _ in range(4)]
        assert codes == [OK, NOT_IN_PK, NOT_IN_PK, NOT_IN_PK]
        assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is True
        await proposer.signal.nothing_within(0.05)
        assert await target.status_of(target.room) == "PK"


async def test_only_the_two_hosts_end_a_pk(stage: Stage) -> None:
    """A host in another PK and one in none cannot end it; a foreign room id is 10003."""
    a, b = await stage.fighting()
    c, _ = await stage.fighting()
    idle = await stage.host()
    assert (await c.signal.call("end-pk", pkRoomID=a.room))["code"] == NO_PERMISSION
    assert (await idle.signal.call("end-pk", pkRoomID=a.room))["code"] == NOT_IN_PK
    assert (await a.signal.call("end-pk", pkRoomID=c.room))["code"] == NO_PERMISSION
    assert await a.status_of(b.room) == "PK"


@pytest.mark.parametrize("ender", [0, 1])
@pytest.mark.parametrize("named", [0, 1])
async def test_either_host_ends_naming_either_room(ender: int, named: int, stage: Stage) -> None:
    """Apps name their own room or the other's; the opponent is told the id that was named."""
    hosts = await stage.fighting()
    room = hosts[named].room
    assert (await hosts[ender].signal.call("end-pk", pkRoomID=room))["code"] == OK
    assert await hosts[1 - ender].signal.expect("on-pk-end") == {"pkRoomID": room}
    assert await hosts[0].status_of(hosts[1].room) == "single"


async def test_both_end_at_once(stage: Stage) -> None:
    """Both hosts end the PK at the same moment: one succeeds, the other finds none or hears of it."""
    for _ in range(5):
        a, b = await stage.fighting()
        await asyncio.gather(*(each.signal.send("end-pk", {"pkRoomID": a.room}) for each in (a, b)))
        heard = [[await _frame(each)] for each in (a, b)]
        winner = next(index for index, frames in enumerate(heard) if frames == ["end-pk-res:0"])
        loser = (a, b)[1 - winner]
        heard[1 - winner].append(await _frame(loser))
        assert sorted(heard[1 - winner]) == [f"end-pk-res:{NOT_IN_PK}", "on-pk-end:-"]
        await offer(a, b)


async def test_an_answer_to_an_absent_proposer_reaches_him_later(stage: Stage) -> None:
    """Accepting succeeds while the proposer is away; he hears it after his next auth, then the end of it."""
    proposer, target = await stage.offered()
    await proposer.signal.drop()
    assert (await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True))["code"] == OK
    assert (await target.signal.call("end-pk", pkRoomID=target.room))["code"] == OK
    await proposer.connect()
    assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is True
    assert await proposer.signal.expect("on-pk-end") == {"pkRoomID": target.room}
    await offer(proposer, target)


async def test_an_offer_to_an_absent_host_reaches_him_later(stage: Stage) -> None:
    """An offer to a host who is away is delivered when he is back, and he can accept it."""
    proposer, target = await stage.pair()
    await target.signal.drop()
    assert (await proposer.signal.call("start-pk", pkRoomID=target.room))["code"] == OK
    await target.connect()
    assert (await target.signal.expect("on-pk-offer"))["roomID"] == proposer.room
    await accept(target, proposer)


async def test_an_unanswered_offer_times_out_once_for_each(hasty: Stage) -> None:
    """Both sides hear on-pk-timeout, naming the other, once; a late answer finds nothing."""
    proposer, target = await hasty.offered()
    for one, other in ((proposer, target), (target, proposer)):
        heard = await one.signal.expect("on-pk-timeout")
        assert heard == {"pkAnchorID": other.id, "pkRoomID": other.room}
    answer = await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
    assert answer["code"] == NOT_IN_PK
    await asyncio.gather(proposer.signal.nothing_within(), target.signal.nothing_within())
    await offer(target, proposer)
    await accept(proposer, target)


async def test_an_answered_offer_does_not_time_out(hasty: Stage) -> None:
    """After an accept, and after a reject with a new offer, the first deadline means nothing any more."""
    proposer, target = await hasty.fighting()
    rejected, rejecting = await hasty.offered()
    await rejecting.signal.call("answer-pk", reqRoomID=rejected.room, accept=False)
    await rejected.signal.expect("on-pk-answer")
    await asyncio.gather(proposer.signal.nothing_within(1.2), rejected.signal.nothing_within(0.0))
    assert await proposer.status_of(target.room) == "PK"


async def _by_close(host: Person) -> None:
    done(await host.api.close_room(host.room))


async def _by_logout(host: Person) -> None:
    done(await host.api.logout())


async def _by_disconnect(host: Person) -> None:
    await host.signal.send("disconnect")


Leaving = Callable[[Person], Awaitable[Any]]
WAYS_OUT = pytest.mark.parametrize("leave", [_by_close, _by_logout, _by_disconnect])


@WAYS_OUT
async def test_however_a_host_goes_everybody_is_told(leave: Leaving, stage: Stage) -> None:
    """The opponent hears on-pk-end and is single again, the audience hears on-room-close."""
    host, opponent = await stage.fighting()
    viewer, other_viewer = await stage.viewer(host.room), await stage.viewer(opponent.room)
    await leave(host)
    assert await opponent.signal.expect("on-pk-end") == {"pkRoomID": host.room}
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}
    assert await viewer.status_of(host.room) == "gone"
    assert await viewer.status_of(opponent.room) == "single"
    assert (await viewer.login())["status"] == "idle"
    await other_viewer.signal.nothing_within()


@WAYS_OUT
@pytest.mark.parametrize("leaver", [0, 1])
async def test_whoever_goes_while_an_offer_is_open_the_other_is_told(
    leave: Leaving, leaver: int, stage: Stage
) -> None:
    """The other side hears on-pk-timeout at once and can go on."""
    hosts = await stage.offered()
    gone, left = hosts[leaver], hosts[1 - leaver]
    await leave(gone)
    assert await left.signal.expect("on-pk-timeout") == {"pkAnchorID": gone.id, "pkRoomID": gone.room}
    assert await left.status_of(left.room) == "single"
    await offer(left, await stage.host())


async def test_both_hosts_close_at_once(stage: Stage) -> None:
    """Both hosts of a PK close at the same moment: both are answered, both rooms are gone."""
    for _ in range(5):
        a, b = await stage.fighting()
        for answer in await asyncio.gather(a.api.close_room(a.room), b.api.close_room(b.room)):
            done(answer)
        assert [await a.status_of(each.room) for each in (a, b)] == ["gone", "gone"]


async def test_a_start_that_races_a_close_leaves_no_pk(stage: Stage) -> None:
    """An offer to a room that is being closed leaves the proposer single, now or at once."""
    for _ in range(8):
        proposer, target = await stage.pair()
        answer, closed = await asyncio.gather(
            _answered(proposer, target.room), target.api.close_room(target.room)
        )
        done(closed)
        if answer == "start-pk-res:0":
            assert await _frame(proposer) == "on-pk-timeout:-"
        assert await proposer.status_of(proposer.room) == "single"


async def _answered(proposer: Person, room_id: str) -> str:
    await _start(proposer, room_id)
    return await _frame(proposer)


async def test_a_viewer_of_the_pk_hears_nothing_of_it(stage: Stage) -> None:
    """PK messages are for hosts; viewers poll."""
    proposer, target = await stage.pair()
    viewer = await stage.viewer(target.room)
    await offer(proposer, target)
    await accept(target, proposer)
    await viewer.signal.nothing_within()
    assert (await viewer.signal.call("end-pk", pkRoomID=target.room))["code"] == NOT_IN_PK
