"""What the second and third generations of apps need of signalling over the IM cloud."""

import json
import time
from collections.abc import AsyncIterator

import pytest

from contract.wire.conftest import SHORT_TIMES
from contract.wire.im_stage import (
    MESSAGES,
    PING_S,
    PONG_TIMEOUT_S,
    SHORT_IM_TIMES,
    STATUSES,
    SYSTEM,
    Channel,
    ImStage,
    Phone,
    begin_pk,
    end_pk,
    im_settings,
    staged,
)
from contract.wire.matching import verified_rtc_claims
from contract.wire.stage import Person, eventually
from qlive_app.fakes import FakeRongCloud, Fault

OK, NOT_IN_PK, SEAT_TAKEN = 0, 10013, 10016
PUBLISH = "/message/private/publish.json"

Company = tuple[tuple[Person, Phone], tuple[Person, Phone], tuple[Person, Phone]]


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ImStage]:
    """People on a server that is signalled over IM and whose times are short."""
    async with FakeRongCloud() as cloud:
        settings = {**SHORT_TIMES, "im": im_settings(cloud, **SHORT_IM_TIMES["im"])}
        async with staged(cloud, tmp_path_factory.mktemp("im"), settings) as cast:
            yield cast


@pytest.fixture
async def unseen(stage: ImStage) -> tuple[Person, Phone]:
    """A host on the IM cloud of whom no report came yet."""
    callbacks = stage.cloud.callbacks
    callbacks.status_url, told = "", callbacks.status_url
    person = await stage.person()
    await person.go_live()
    phone = await stage.phone(person)
    callbacks.status_url = told
    return person, phone


async def is_reached(stage: ImStage, host: Person, phone: Phone) -> None:
    """Check that news comes to this host over IM."""
    rival = await stage.host()
    assert (await rival.signal.call("start-pk", pkRoomID=host.room))["code"] == OK
    assert (await phone.expect("on-pk-offer"))["roomID"] == rival.room


async def company(stage: ImStage) -> Company:
    """A host of a voice room and two listeners, all of them over IM."""
    host, hosts = await stage.caller()
    await host.go_live("voice")
    return (host, hosts), await stage.im_viewer(host.room), await stage.im_viewer(host.room)


async def asks(singer: Person, his: Phone, host: Person, hosts: Phone, position: int) -> None:
    """Ask for a seat as iOS does, without a mark, and see the host hear of it."""
    await his.send("start-join", {"roomID": host.room, "position": position, "message": ""})
    assert await his.expect("start-join-res") == {"code": OK, "error": ""}
    asked = await hosts.expect("on-join-request")
    assert list(asked) == ["roomID", "reqUserID", "nickname", "gender", "avatar", "position"]
    assert (asked["reqUserID"], asked["position"]) == (singer.id, position)


async def test_I1_signals_are_private_texts_of_the_system_user(stage: ImStage) -> None:
    """iOS looks at the sender, both at the type, and the content is read as the original wrote it."""
    person, phone = await stage.im_host()
    await is_reached(stage, person, phone)
    for message in stage.cloud.received(person.id):
        assert (message.sender, message.channel, message.object_name) == (SYSTEM, "PERSON", "RC:TxtMsg")
        content = json.loads(message.content)
        assert list(content) == ["content", "user", "extra"]
        assert content["user"] == {"id": "", "name": "", "icon": "", "extra": ""}
        kind, _, body = message.text.partition("=")
        assert kind
        assert isinstance(json.loads(body), dict)


async def test_I2_a_chat_line_is_no_command(stage: ImStage) -> None:
    """Whatever a chat line looks like, the server does nothing upon it, and says nothing in chat rooms itself."""
    person, phone = await stage.im_host()
    chat = {"toUserId": person.room, "channelType": "TEMPGROUP"}
    for text in ("disconnect={}", f'on-room-close={{"roomID":"{person.room}"}}'):
        await stage.report(person, text, fields=chat)
    assert (await phone.call("end-pk", pkRoomID=person.room))["code"] == NOT_IN_PK
    assert await person.status_of(person.room) == "single"
    assert stage.cloud.calls.to("/message/chatroom/*") == []


async def test_I3_a_report_is_answered_at_once_and_its_work_done_once(stage: ImStage) -> None:
    """However slow the cloud is in the other direction, and however often it repeats itself."""
    person, phone = await stage.im_host()
    stage.cloud.faults.add(Fault("late", path=PUBLISH, delay_s=1.0, times=3))
    began = time.monotonic()
    for _ in range(3):
        answer = await stage.report(person, 'end-pk={"rpcID":"1"}', fields={"msgUID": f"I3-{person.id}"})
        assert (answer.status_code, answer.text) == (200, "{}")
    assert time.monotonic() - began < 1
    assert (await phone.expect("end-pk-res"))["code"] == NOT_IN_PK
    await phone.nothing_within()


@pytest.mark.parametrize("age_s", [0.0, 400.0])
async def test_I3_a_report_that_is_forged_or_stale_is_refused(age_s: float, stage: ImStage) -> None:
    """Anybody could close anybody's room otherwise."""
    body = b"fromUserId=a&toUserId=qlive-system&objectName=RC:TxtMsg&channelType=PERSON&content={}"
    query = None if age_s else {"nonce": "1", "signTimestamp": str(int(time.time() * 1000)), "signature": "0"}
    assert (await stage.post_report(MESSAGES, body, age_s=age_s, query=query)).status_code == 401


@pytest.mark.parametrize("form", [True, False])
async def test_I4_who_comes_online_is_reached_and_going_offline_ends_nothing(
    form: bool, unseen: tuple[Person, Phone], stage: ImStage
) -> None:
    """In both of the shapes in which the cloud reports it."""
    person, phone = unseen
    for status in ("0", "1"):
        found = {"userid": person.id, "status": status, "os": "iOS"}
        fields = "&".join(f"0[{name}]={value}" for name, value in found.items())
        answer = await stage.post_report(STATUSES, (fields if form else json.dumps([found])).encode())
        assert (answer.status_code, answer.text) == (200, "{}")
    await is_reached(stage, person, phone)
    assert await person.status_of(person.room) != "gone"


async def test_I5_the_server_pings_and_who_is_silent_is_offline(stage: ImStage) -> None:
    """Android never pings and iOS stops: only answers to the server's pings keep them."""
    (loyal, _), (silent, phone), witness = await stage.im_host(), await stage.im_host(), await stage.person()
    phone.awake = False
    before = stage.pinged(loyal.id)

    async def is_gone() -> bool:
        return await witness.status_of(silent.room) == "gone"

    await eventually(is_gone, "the silent one is offline")
    assert stage.pinged(loyal.id) - before >= PONG_TIMEOUT_S / PING_S / 2
    assert await witness.status_of(loyal.room) == "single"


async def test_I6_who_joins_the_chat_room_is_there(unseen: tuple[Person, Phone], stage: ImStage) -> None:
    """The chat room has the id of the room and is made with it; a host is among the first in it."""
    person, phone = unseen

    async def is_made() -> bool:
        return person.room in stage.cloud.chatrooms.rooms

    await eventually(is_made, "the chat room is made")
    phone.enter_chat(person.room)
    await is_reached(stage, person, phone)
    await person.api.close_room(person.room)

    async def is_removed() -> bool:
        return person.room not in stage.cloud.chatrooms.rooms

    await eventually(is_removed, "the chat room is removed")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("RC:Chatroom:Welcome", '{"id":"a","counts":1,"rank":1,"level":1,"extra":""}'),
        ("RC:Chatroom:User:Quit", '{"id":"a","extra":""}'),
        ("RC:Chatroom:Like", '{"counts":5,"extra":""}'),
        ("RC:Chatroom:Barrage", '{"type":1,"content":"disconnect={}","extra":""}'),
        ("RC:Chatroom:Gift", '{"id":"GiftId_1","number":1,"total":1,"extra":""}'),
        ("RC:Chatroom:Signal", '{"id":"a","extra":"","signal":"disconnect={}"}'),
        ("RC:Chatroom:End", "{}"),
    ],
)
async def test_I7_what_the_apps_say_to_each_other_is_theirs(kind: str, content: str, stage: ImStage) -> None:
    """The server takes note of it as a sign of life, and answers with nothing of its own."""
    person, phone = await stage.im_host()
    fields = {"toUserId": person.room, "channelType": "TEMPGROUP", "objectName": kind, "content": content}
    answer = await stage.report(person, "", fields=fields)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert (await phone.call("end-pk", pkRoomID=person.room))["code"] == NOT_IN_PK
    assert stage.cloud.calls.to("/message/chatroom/*") == []


async def test_I8_the_proposer_is_told_both_pairs_of_room_and_token(stage: ImStage) -> None:
    """iOS moves into the other room and the newest Android relays to it, if it was in its list of rooms."""
    (ann, anns), (bob, bobs) = await stage.im_host(), await stage.im_host()
    listed = [room["id"] for room in (await ann.api.rooms("?can_pk=true")).json()["rooms"]]
    heard, _ = await begin_pk(ann, anns, bob, bobs)
    assert heard["rtcRoom"] in listed
    for room, token in (("rtcRoom", "rtcRoomToken"), ("relayRtcRoom", "relayRtcRoomToken")):
        claims = verified_rtc_claims(heard[token])
        assert (claims["roomName"], claims["userId"]) == (heard[room], ann.id)
        assert claims["roomName"] == bob.room


async def test_I9_who_accepts_is_told_where_to_relay(stage: ImStage) -> None:
    """The newest Android starts its relay with this answer; an empty token would be a silent black picture."""
    (ann, anns), (bob, bobs) = await stage.im_host(), await stage.im_host()
    _, answered = await begin_pk(ann, anns, bob, bobs)
    claims = verified_rtc_claims(answered["relayRtcRoomToken"])
    assert (claims["roomName"], claims["userId"]) == (answered["relayRtcRoom"], bob.id)
    assert claims["roomName"] == ann.room


@pytest.mark.parametrize("oldest_proposes", [True, False])
async def test_I10_old_and_new_apps_fight_and_go_home(oldest_proposes: bool, stage: ImStage) -> None:
    """All tokens are there whoever proposes; refresh_room works in the PK and after it, for the way home."""
    old, (new, news) = await stage.host(), await stage.im_host()
    hosts: list[tuple[Person, Channel]] = [(old, old.signal), (new, news)]
    (one, ones), (two, twos) = hosts if oldest_proposes else reversed(hosts)
    heard, answered = await begin_pk(one, ones, two, twos)
    for token in (heard["rtcRoomToken"], heard["relayRtcRoomToken"], answered["relayRtcRoomToken"]):
        assert verified_rtc_claims(token)["permission"] == "user"
    for host in (one, two):
        assert (await host.api.refresh_room(host.room)).is_success
    await end_pk(ones, twos, one.room)
    for host in (one, two):
        token = (await host.api.refresh_room(host.room)).json()["rtcRoomToken"]
        assert verified_rtc_claims(token)["roomName"] == host.room


async def test_I11_all_of_a_voice_room_is_told_in_full(stage: ImStage) -> None:
    """Android finds a seat by room, position and user together, and shows texts that must not be missing."""
    (host, hosts), (singer, his), (_, others) = await company(stage)
    who = {"roomID": host.room, "reqUserID": singer.id}
    await asks(singer, his, host, hosts, 5)
    await hosts.send("answer-join", {**who, "accept": True})
    assert await his.expect("on-join-answer") == {**who, "accept": True, "position": 5}
    joined = await hosts.expect("on-audience-join")
    assert joined.items() >= {**who, "position": 5, "nickname": singer.nickname, "gender": ""}.items()
    assert joined["avatar"]
    assert await others.expect("on-audience-join") == joined
    assert (await hosts.expect("answer-join-res"))["code"] == OK
    await singer.api.leave_room(host.room)
    for phone in (hosts, others):
        assert await phone.expect("on-join-end") == joined
    await host.api.close_room(host.room)
    assert await others.expect("on-room-close") == {"roomID": host.room}


async def test_I11_a_request_that_nobody_answers_times_out_for_both(stage: ImStage) -> None:
    """Host and listener hear it."""
    (host, hosts), (singer, his), _ = await company(stage)
    await asks(singer, his, host, hosts, 5)
    for phone in (hosts, his):
        assert await phone.expect("on-join-timeout") == {"roomID": host.room, "reqUserID": singer.id}


async def test_I12_a_taken_seat_is_a_code_that_android_knows(stage: ImStage) -> None:
    """iOS sends no mark and ignores the answer; Android looks for this one."""
    (host, hosts), (singer, his), (_, others) = await company(stage)
    await asks(singer, his, host, hosts, 5)
    assert (await others.call("start-join", roomID=host.room, position=5))["code"] == SEAT_TAKEN


async def test_I13_a_host_leaves_by_disconnect_alone(stage: ImStage) -> None:
    """His room is closed with it."""
    host, phone = await stage.im_host()
    _, viewers = await stage.im_viewer(host.room)
    await phone.send("disconnect")
    assert await viewers.expect("on-room-close") == {"roomID": host.room}
    assert await host.status_of(host.room) == "gone"


@pytest.mark.parametrize("leave_first", [True, False])
async def test_I13_a_viewer_leaves_twice_in_any_order(leave_first: bool, stage: ImStage) -> None:
    """By leave_room and by disconnect: both succeed."""
    host, _ = await stage.im_host()
    viewer, phone = await stage.im_viewer(host.room)
    assert (await host.sees(host.room) or {})["audienceNumber"] == 1
    if leave_first:
        await viewer.api.leave_room(host.room)
    await phone.send("disconnect")
    await stage.cloud.callbacks.settled()
    assert (await viewer.api.leave_room(host.room)).status_code == 200
    assert (await host.sees(host.room) or {})["audienceNumber"] == 0


async def test_I14_an_offer_that_nobody_answers_times_out_for_both(stage: ImStage) -> None:
    """Each hears of it about the other."""
    (ann, anns), (bob, bobs) = await stage.im_host(), await stage.im_host()
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    assert await anns.expect("on-pk-timeout") == {"pkAnchorID": bob.id, "pkRoomID": bob.room}
    assert await bobs.expect("on-pk-timeout") == {"pkAnchorID": ann.id, "pkRoomID": ann.room}
