"""Signalling over the IM cloud, alone and beside WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from qlive_app.fakes.rongcloud import FakeRongCloud, Manners

from .conftest import SHORT_TIMES, Launch
from .im_stage import (
    MESSAGES,
    PING_S,
    PONG_TIMEOUT_S,
    SHORT_IM_TIMES,
    STATUSES,
    Channel,
    ImStage,
    begin_pk,
    end_pk,
    im_settings,
)
from .server import RunningServer
from .stage import Person, Stage, eventually

GRACE_S: float = SHORT_TIMES["websocket_conf"]["reconnect_timeout_s"]
CONNECT_WITHIN_S: float = SHORT_TIMES["presence"]["host_connect_timeout_s"]


@pytest.fixture(scope="module")
async def _all(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[FakeRongCloud, RunningServer]]:
    """The IM cloud and a server whose times are short."""
    async with FakeRongCloud() as cloud:
        settings = {**SHORT_TIMES, "im": im_settings(cloud, **SHORT_IM_TIMES["im"])}
        server = RunningServer(tmp_path_factory.mktemp("im"), settings)
        try:
            await asyncio.to_thread(server.start)
            yield cloud, server
        finally:
            server.stop()


@pytest.fixture
async def stage(_all: tuple[FakeRongCloud, RunningServer]) -> AsyncIterator[ImStage]:
    """People on that server, and a cloud that has its good manners."""
    cloud, server = _all
    cast = ImStage(server, cloud)
    cloud.callbacks.manners = Manners()
    await eventually(lambda: _is_ok(cast), "the cloud is known to answer")
    yield cast
    await cast.aclose()


async def _is_ok(stage: Stage) -> bool:
    return bool((await stage.api().get("/readyz")).json()["status"] == "ok")


async def _until_gone(room_id: str, witness: Person) -> None:
    async def gone() -> bool:
        return await witness.status_of(room_id) == "gone"

    await eventually(gone, f"room {room_id} is gone")


# --- a PK, over either channel -----------------------------------------------------------------------------------


async def fight(proposer: Person, his: Channel, target: Person, hers: Channel) -> None:
    """Fight a PK from offer to end over these channels."""
    heard, answered = await begin_pk(proposer, his, target, hers)
    assert answered["relayRtcRoomToken"]
    assert heard["rtcRoomToken"]
    assert heard["relayRtcRoomToken"]
    assert await target.status_of(proposer.room) == "PK"
    await end_pk(his, hers, target.room)
    assert await target.status_of(proposer.room) == "single"


async def test_a_pk_over_im_alone(stage: ImStage) -> None:
    """Offer, answer and end, as the newest apps do it."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    await fight(ann, anns, bob, bobs)


async def test_a_pk_of_both_kinds_of_host(stage: ImStage) -> None:
    """A host on WebSocket and one on IM fight, whoever of them proposes."""
    ann = await stage.host()
    bob, bobs = await stage.im_host()
    await fight(ann, ann.signal, bob, bobs)
    await fight(bob, bobs, ann, ann.signal)


async def test_a_reject_carries_no_rooms(stage: ImStage) -> None:
    """Third-generation apps act on rtc and relay fields by their presence."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    assert (await bobs.call("answer-pk", reqRoomID=ann.room, accept=False))["code"] == 0
    assert await anns.expect("on-pk-answer") == {"reqRoomID": ann.room, "accepted": False}


# --- what is a request -------------------------------------------------------------------------------------------


async def test_bad_json_in_a_request_is_answered(stage: ImStage) -> None:
    """With 10001, and with the rpcID if that much could be read."""
    _, phone = await stage.im_host()
    phone.send_raw("start-pk={not json}")
    assert await phone.expect("start-pk-res") == {"code": 10001, "error": "unknown message"}
    phone.send_raw('end-pk={"rpcID":"9","pkRoomID":7}')
    assert (await phone.expect("end-pk-res"))["rpcID"] == "9"


async def test_other_texts_are_not_answered(stage: ImStage) -> None:
    """Heartbeats, chatter, unknown types, and the text that ended the original: all just signs of life."""
    person, phone = await stage.im_host()
    for text in ("ping={}", "pong={}", "a=", "=", "ping=", "hello", "something-new={}", 'auth={"token":"t"}'):
        phone.send_raw(text)
    await phone.nothing_within()
    assert await person.status_of(person.room) == "single"


@pytest.mark.parametrize(
    "fields",
    [
        {"channelType": "GROUP"},
        {"channelType": "TEMPGROUP"},
        {"channelType": ""},
        {"toUserId": "somebody-else"},
        {"objectName": "RC:CmdMsg"},
        {"objectName": "app:gift"},
    ],
)
async def test_only_private_texts_to_the_system_user_are_requests(
    stage: ImStage, fields: dict[str, str]
) -> None:
    """The same words anywhere else are a sign of life."""
    person, phone = await stage.im_host()
    answer = await stage.report(person, "disconnect={}", fields=fields)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert (await phone.call("end-pk", pkRoomID=person.room))["code"] == 10013
    assert await person.status_of(person.room) == "single"


async def test_the_system_users_own_words_are_ignored(stage: ImStage) -> None:
    """Whatever is reported of it has no effect."""
    person, _ = await stage.im_host()
    await stage.report(person, "disconnect={}", fields={"fromUserId": "qlive-system"})
    assert await person.status_of(person.room) == "single"


async def test_strangers_are_not_obeyed(stage: ImStage) -> None:
    """Who is not logged in is neither there nor answered."""
    person, phone = await stage.im_host()
    await person.api.logout()
    other, _ = await stage.im_host()
    phone.send_raw(f'start-pk={{"pkRoomID":"{other.room}"}}')
    await phone.nothing_within()
    assert await stage.figure("qlive_im_messages_total", kind="stranger") > 0
    assert await other.status_of(other.room) == "single"


async def test_what_was_sent_before_the_room_was_opened_is_dropped(stage: ImStage) -> None:
    """A late request of whatever kind meant another room."""
    ann, phone = await stage.im_host()
    bob, _ = await stage.im_host()
    before = time.time() - 0.5
    dropped = await stage.figure("qlive_im_messages_total", kind="stale")
    await ann.api.close_room(ann.room)
    await ann.go_live()
    for text in ("disconnect={}", f'start-pk={{"pkRoomID":"{bob.room}"}}'):
        await stage.report(ann, text, sent_at=before)
    assert (await phone.call("end-pk", pkRoomID=ann.room))["code"] == 10013
    assert await bob.status_of(ann.room) == "single"
    assert await stage.figure("qlive_im_messages_total", kind="stale") == dropped + 2


# --- what the cloud reports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [MESSAGES, STATUSES])
@pytest.mark.parametrize("age_s", [301.0, -301.0, None])
async def test_forged_and_stale_reports_do_nothing(stage: ImStage, path: str, age_s: float | None) -> None:
    """A missing signature, a wrong one and a time too far from now are 401."""
    person, _ = await stage.im_host()
    body = (
        f"fromUserId={person.id}&toUserId=qlive-system&objectName=RC:TxtMsg&channelType=PERSON"
        "&content=%7B%22content%22%3A%22disconnect%3D%7B%7D%22%7D&msgUID=U"
    )
    forged = {"nonce": "1", "timestamp": str(int(time.time() * 1000)), "signature": "0" * 40}
    attempts = [{}, forged] if age_s is None else [None]
    for query in attempts:
        answer = await stage.post_report(path, body.encode(), age_s=age_s or 0.0, query=query)
        assert answer.status_code == 401
        assert (answer.json()["code"], answer.json()["message"]) == (401000, "")
    assert await person.status_of(person.room) == "single"


async def test_a_report_within_the_window_counts(stage: ImStage) -> None:
    """Clocks differ; old names of the signed time count as well."""
    person, _ = await stage.im_host()
    stage.cloud.callbacks.manners.age_s = 250
    stage.cloud.callbacks.manners.time_name = "signTimestamp"
    phone = await stage.phone(person)
    assert (await phone.call("end-pk", pkRoomID=person.room))["code"] == 10013


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (MESSAGES, b""),
        (MESSAGES, b"fromUserId="),
        (MESSAGES, b"{broken"),
        (MESSAGES, b"fromUserId=SECRET-NAME&objectName=x"),
        (MESSAGES, b"x" * 1_100_000),
        (STATUSES, b"[1, 2]"),
        (STATUSES, b'[{"userid": "SECRET-NAME", "status": "7"}]'),
        (STATUSES, b"nonsense"),
    ],
)
async def test_what_cannot_be_read_is_dropped(stage: ImStage, path: str, body: bytes) -> None:
    """Answered ``{}``, lest the cloud repeats it; nothing of it is repeated in the log."""
    answer = await stage.post_report(path, body)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert "SECRET-NAME" not in stage.server.log


async def test_content_that_is_no_json_is_a_sign_of_life(stage: ImStage) -> None:
    """Whoever sent it is there, whatever he meant."""
    person, phone = await stage.im_host()
    answer = await stage.report(person, "", fields={"content": "not json at all"})
    assert (answer.status_code, answer.text) == (200, "{}")
    await phone.nothing_within()


async def test_a_repeated_report_counts_once(stage: ImStage) -> None:
    """The cloud may tell the same message again; one answer comes."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    repeated = await stage.figure("qlive_im_messages_total", kind="duplicate")
    stage.cloud.callbacks.manners.copies = 3
    assert (await anns.call("start-pk", pkRoomID=bob.room))["code"] == 0
    await bobs.expect("on-pk-offer")
    await bobs.call("answer-pk", reqRoomID=ann.room, accept=True)
    await anns.expect("on-pk-answer")
    await anns.nothing_within()
    assert await stage.figure("qlive_im_messages_total", kind="duplicate") == repeated + 4


async def test_reports_for_another_cloud(stage: ImStage) -> None:
    """An unknown provider is 400, and a slash at the end is no such path."""
    for path in ("/v1/im_messages/other", "/v1/im_user_status/other"):
        answer = await stage.api().post(path, "x")
        assert (answer.status_code, answer.json()["message"]) == (400, "unsupported IM provider")
    assert (await stage.api().post(f"{MESSAGES}/", "x")).status_code == 404


async def test_reports_without_an_im_cloud(launch: Launch) -> None:
    """When another provider is in use the callbacks answer ``{}`` and do nothing."""
    stage = await asyncio.to_thread(launch, {})
    for path in (MESSAGES, STATUSES):
        answer = await stage.api().post(path, "anything")
        assert (answer.status_code, answer.text) == (200, "{}")


# --- being there -------------------------------------------------------------------------------------------------


async def test_who_answers_pings_stays(stage: ImStage) -> None:
    """Every user is pinged at the interval, and who answers keeps all that he has."""
    person, _ = await stage.im_host()
    witness = await stage.person()
    before = stage.pinged(person.id)
    await asyncio.sleep(2 * PONG_TIMEOUT_S)
    pings = stage.pinged(person.id) - before
    assert 2 * PONG_TIMEOUT_S / PING_S * 0.6 <= pings <= 2 * PONG_TIMEOUT_S / PING_S * 1.2
    assert await witness.status_of(person.room) == "single"


async def test_who_is_silent_is_given_up(stage: ImStage) -> None:
    """A host who answers no pings is gone when his time is over; opponent and audience are told."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    _, viewer = await stage.im_viewer(ann.room)
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    await bobs.call("answer-pk", reqRoomID=ann.room, accept=True)
    anns.awake = False
    silent_since = time.monotonic()
    assert await bobs.expect("on-pk-end") == {"pkRoomID": ann.room}
    took_s = time.monotonic() - silent_since
    assert PONG_TIMEOUT_S * 0.8 <= took_s <= 2 * PONG_TIMEOUT_S
    assert await viewer.expect("on-room-close") == {"roomID": ann.room}
    assert await bob.status_of(bob.room) == "single"


async def test_the_cloud_saying_offline_ends_nothing(stage: ImStage) -> None:
    """One device of a user going offline does not mean that he is gone: silence does."""
    person, phone = await stage.im_host()
    second, witness = await stage.phone(person), await stage.person()
    phone.switch_off()
    await asyncio.sleep(2 * PONG_TIMEOUT_S)
    assert await witness.status_of(person.room) == "single"
    second.switch_off()
    await _until_gone(person.room, witness)


async def test_asking_for_a_token_is_no_sign_of_life(stage: ImStage) -> None:
    """Presence over IM begins with the first sign; until then nobody is pinged, and the host has to connect."""
    stage.cloud.callbacks.status_url = ""
    person, witness = await stage.person(), await stage.person()
    await person.go_live()
    await stage.phone(person)
    await _until_gone(person.room, witness)
    assert stage.pinged(person.id) == 0


@pytest.mark.parametrize("first", ["text", "welcome", "status", "status without time", "status as form"])
async def test_the_first_sign_begins_the_presence(stage: ImStage, first: str) -> None:
    """A text to the system user, joining a chat room, or coming online: from then on one is reached over IM."""
    manners = stage.cloud.callbacks.manners
    if "status" not in first:
        stage.cloud.callbacks.status_url = ""
    manners.event_time = first in ("text", "welcome", "status")
    manners.status_form = first == "status as form"
    person = await stage.person()
    await person.go_live()
    phone = await stage.phone(person)
    if first == "text":
        phone.send_raw("hello")
    if first == "welcome":
        fields = {"objectName": "RC:Chatroom:Welcome", "toUserId": person.room, "channelType": "TEMPGROUP"}
        await stage.report(person, "", fields=fields)
    await asyncio.sleep(CONNECT_WITHIN_S + GRACE_S)
    assert await person.status_of(person.room) == "single"
    other = await stage.host()
    await other.signal.call("start-pk", pkRoomID=person.room)
    assert (await phone.expect("on-pk-offer"))["roomID"] == other.room


async def test_a_late_sign_of_life_takes_nothing_away(stage: ImStage) -> None:
    """The newest known sign counts: neither an old pong nor an old status makes a living user look dead."""
    person, phone = await stage.im_host()
    for _ in range(5):
        await stage.report(person, "pong={}", sent_at=time.time() - 3600)
        old = [{"userid": person.id, "status": "0", "os": "iOS", "time": 1000}]
        await stage.post_report(STATUSES, json.dumps(old).encode())
        await asyncio.sleep(PONG_TIMEOUT_S / 4)
    assert await person.status_of(person.room) == "single"
    assert (await phone.call("end-pk", pkRoomID=person.room))["code"] == 10013


async def test_a_late_pong_after_leaving_does_not_hurt_the_next_room(stage: ImStage) -> None:
    """A pong that overtakes nothing any more: the host's next room lives on."""
    person, phone = await stage.im_host()
    await phone.send("disconnect")
    await _until_gone(person.room, person)
    await person.go_live()
    await stage.report(person, "pong={}", sent_at=time.time() - 0.2)
    phone.send_raw("ping={}")
    await asyncio.sleep(PONG_TIMEOUT_S * 1.5)
    assert await person.status_of(person.room) == "single"


# --- leaving -----------------------------------------------------------------------------------------------------


async def test_disconnect_over_im_is_the_users_word(stage: ImStage) -> None:
    """The room closes at once, everybody concerned is told, and the leaver is reached and pinged no more."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    viewer = await stage.viewer(ann.room)
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    await bobs.call("answer-pk", reqRoomID=ann.room, accept=True)
    await anns.expect("on-pk-answer")
    await anns.send("disconnect", {"rpcID": 3})
    assert await bobs.expect("on-pk-end") == {"pkRoomID": ann.room}
    assert await viewer.signal.expect("on-room-close") == {"roomID": ann.room}
    await anns.nothing_within()
    assert (await ann.login())["status"] == "idle"


async def test_disconnect_on_either_channel_counts_for_both(stage: ImStage) -> None:
    """Over IM it closes the WebSocket with 1000; over WebSocket it ends what was seen over IM."""
    for over_im in (True, False):
        person, phone = await stage.im_host()
        signal = await person.connect()
        await (phone.send("disconnect") if over_im else signal.send("disconnect"))
        assert await signal.expect_close() == 1000
        await _until_gone(person.room, person)
        await phone.nothing_within()


async def test_the_websocket_comes_first(stage: ImStage) -> None:
    """Who has both channels hears over WebSocket; replies go the way that the request came."""
    ann, anns = await stage.im_host()
    bob = await stage.host()
    await ann.connect()
    assert (await anns.call("start-pk", pkRoomID=bob.room))["code"] == 0
    await bob.signal.expect("on-pk-offer")
    await bob.signal.call("answer-pk", reqRoomID=ann.room, accept=True)
    assert (await ann.signal.expect("on-pk-answer"))["accepted"] is True
    await anns.nothing_within()
    await ann.signal.drop()
    await bob.signal.call("end-pk", pkRoomID=ann.room)
    assert await anns.expect("on-pk-end") == {"pkRoomID": ann.room}
    await asyncio.sleep(GRACE_S * 2)
    assert await bob.status_of(ann.room) == "single"


async def test_an_app_that_only_chats_over_im_loses_no_push(stage: ImStage) -> None:
    """Seen on the IM cloud and signalled over WebSocket: what came in between is there after the next auth-res."""
    ann, bob = await stage.host(), await stage.host()
    welcome = {"objectName": "RC:Chatroom:Welcome", "toUserId": ann.room, "channelType": "TEMPGROUP"}
    assert (await stage.report(ann, "hello", fields=welcome)).text == "{}"
    await ann.signal.drop()
    assert (await bob.signal.call("start-pk", pkRoomID=ann.room))["code"] == 0
    await ann.connect()
    assert (await ann.signal.expect("on-pk-offer"))["roomID"] == bob.room


async def test_http_tells_everybody_over_im(stage: ImStage) -> None:
    """close_room and logout tell opponent and audience; nobody is left behind in a PK."""
    for ends in ("close", "logout"):
        ann, anns = await stage.im_host()
        bob, bobs = await stage.im_host()
        _, viewer = await stage.im_viewer(ann.room)
        await anns.call("start-pk", pkRoomID=bob.room)
        await bobs.expect("on-pk-offer")
        await bobs.call("answer-pk", reqRoomID=ann.room, accept=True)
        await (ann.api.close_room(ann.room) if ends == "close" else ann.api.logout())
        assert await bobs.expect("on-pk-end") == {"pkRoomID": ann.room}
        assert await viewer.expect("on-room-close") == {"roomID": ann.room}
