"""The whole product with the clouds of production: on good days, on bad ones, and when there are no clouds."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from qlive_app.fakes import Fault
from qlive_app.fakes.qiniu.pili import PlayRefused
from qlive_app.fakes.serving.outgoing import http_client

from .answers import refusal
from .client import Json
from .figures import Figures
from .im_stage import Channel, begin_pk, end_pk
from .production import Answered, Production, producing, until
from .stage import Person, accept, ask, let_in, offer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
VENDORS_WORDS = ("told to fail", "errorMessage", "rongcloud", "qiniu")
WITHIN_S, USUALLY_WITHIN_S = 8.0, 1.0

A_BAD_DAY = (
    Fault("late", probability=0.2, delay_s=0.3, times=None),
    Fault("answer", status=503, probability=0.08, times=None),
    Fault("answer", status=500, probability=0.08, times=None),
    Fault("answer", status=429, probability=0.05, times=None),
    Fault("reset", probability=0.08, times=None),
)


@pytest.fixture(scope="module")
async def _good_day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Production]:
    async with producing(tmp_path_factory.mktemp("production"), {}) as stage:
        yield stage


@pytest.fixture
def stage(_good_day: Production) -> Production:
    """People on a server whose clouds are well."""
    return _good_day


async def take_seat(
    position: int, singer: Person, his: Channel, host: Person, hosts: Channel, *others: Channel
) -> None:
    """Ask for a seat and be let in, and see everybody hear of it in his channel."""
    assert (await his.call("start-join", roomID=host.room, position=position))["code"] == 0
    asked = await hosts.expect("on-join-request")
    assert (asked["reqUserID"], asked["position"]) == (singer.id, position)
    fields = {"roomID": host.room, "reqUserID": singer.id, "accept": True}
    await hosts.send("answer-join", {"rpcID": "in", **fields})
    assert (await his.expect("on-join-answer"))["accept"] is True
    joined = await hosts.expect("on-audience-join")
    assert (joined["reqUserID"], joined["position"]) == (singer.id, position)
    assert (await hosts.expect("answer-join-res"))["code"] == 0
    for other in others:
        assert await other.expect("on-audience-join") == joined


async def leave_seat(host: Person, his: Channel, *others: Channel) -> Json:
    """Leave the seat, and return what everybody else hears."""
    assert (await his.call("end-join", roomID=host.room))["code"] == 0
    first, *rest = [await other.expect("on-join-end") for other in others]
    assert all(heard == first for heard in rest)
    return first


async def sing(stage: Production) -> list[Person]:
    """Spend an evening in a voice room: its host and a guest over IM, another guest over WebSocket."""
    host, hosts = await stage.on_air("voice", over_im=True)
    await until(lambda: host.room in stage.cloud.chatrooms.rooms, "the chat room is made")
    ann, anns = await stage.listener(host.room, over_im=True)
    bob, bobs = await stage.listener(host.room, over_im=False)
    assert stage.qiniu.rtc.members(host.room) == {host.id, ann.id, bob.id}
    await take_seat(3, ann, anns, host, hosts, bobs)
    await take_seat(0, bob, bobs, host, hosts, anns)
    assert (await leave_seat(host, anns, hosts, bobs))["reqUserID"] == ann.id
    seen = await ann.sees(host.room) or {}
    assert [each["id"] for each in seen["joinedAudiences"]] == [bob.id]
    assert (await host.api.close_room(host.room)).is_success
    for channel in (anns, bobs):
        assert await channel.expect("on-room-close") == {"roomID": host.room}
    await until(lambda: host.room not in stage.cloud.chatrooms.rooms, "the chat room is removed")
    return [host, ann, bob]


async def fight(stage: Production) -> list[Person]:
    """Fight a PK: a host over IM proposes, one over WebSocket accepts and ends it."""
    ann, anns = await stage.on_air(over_im=True)
    bob, bobs = await stage.on_air(over_im=False)
    rtc = stage.qiniu.rtc
    heard, answered = await begin_pk(ann, anns, bob, bobs)
    for token in (heard["rtcRoomToken"], heard["relayRtcRoomToken"], answered["relayRtcRoomToken"]):
        rtc.join(token)
    assert rtc.members(ann.room) == rtc.members(bob.room) == {ann.id, bob.id}

    def jobs() -> list[str]:
        return [job.trouble for (room_id, _), job in rtc.jobs.items() if room_id == bob.room]

    await until(lambda: jobs() == ["", ""], "both streams are composed")
    for host in (ann, bob):
        url = (await bob.sees(host.room) or {})["playURL"]
        assert stage.qiniu.pili.play(url).name == host.id
    await end_pk(bobs, anns, ann.room)
    await until(lambda: not jobs(), "no stream is composed any more")
    for host in (ann, bob):
        assert (await host.api.close_room(host.room)).is_success
    return [ann, bob]


async def nothing_is_left(stage: Production, people: list[Person]) -> None:
    """Check that nobody and nothing is stuck: everybody could go live again, and the clouds are empty."""
    for person in people:
        assert await stage.rooms_of(person) is None
        await person.go_live()
        assert (await person.api.close_room(person.room)).is_success
    await until(lambda: not stage.cloud.chatrooms.rooms, "all chat rooms are removed")
    assert not stage.qiniu.rtc.jobs


def well_answered(answers: list[Answered]) -> None:
    """Check that no answer failed but for want of a cloud, that none was slow, and that no vendor speaks in any."""
    assert [each for each in answers if each.status >= 400 and not each.needs_a_cloud] == []
    assert {each.status for each in answers if each.needs_a_cloud} <= {200, 429, 502}
    assert max(each.seconds for each in answers) < WITHIN_S
    own = sorted(each.seconds for each in answers if not each.needs_a_cloud)
    assert own[len(own) * 9 // 10] < USUALLY_WITHIN_S
    assert [each for each in answers if any(words in each.text.lower() for words in VENDORS_WORDS)] == []


async def test_an_evening(stage: Production) -> None:
    """Logins by message, a voice room and a PK with both kinds of signalling: everything as it should be."""
    await nothing_is_left(stage, [*await sing(stage), *await fight(stage)])
    well_answered(stage.answers)
    assert {each.status for each in stage.answers} == {200}


async def test_a_play_url_is_signed(stage: Production) -> None:
    """It plays while the host publishes; cut off, it does not."""
    ann, _ = await stage.on_air(over_im=False)
    stage.qiniu.pili.streams.clear()
    url = (await ann.sees(ann.room) or {})["playURL"]
    with pytest.raises(PlayRefused, match="not live"):
        stage.qiniu.pili.play(url)
    with pytest.raises(PlayRefused, match="sign"):
        stage.qiniu.pili.play(url.partition("?")[0])


async def test_feedback_with_a_picture(stage: Production) -> None:
    """The token lets exactly that file in, which is then where feedback says that it is."""
    person = await stage.person()
    permitted = (await person.api.post("/v1/upload/token", {"filename": "a.png", "expireSeconds": 60})).json()
    async with http_client() as http:
        for name, status in (("b.png", 403), ("a.png", 200)):
            answer = await _upload(http, stage.qiniu.url, permitted["token"], name)
            assert answer.status_code == status
        assert (await http.get(f"{stage.qiniu.url}/files/a.png")).content == PNG
    answer = await person.api.post("/v1/feedbacks", {"content": "nice", "attachment": "a.png"})
    assert int(answer.json()["feedbackID"]) > 0


async def _upload(http: httpx.AsyncClient, url: str, token: str, name: str) -> httpx.Response:
    return await http.post(url, data={"token": token, "key": name}, files={"file": (name, PNG, "image/png")})


async def test_secrets_stay_out_of_the_log(stage: Production) -> None:
    """Neither keys nor codes nor tokens are written down."""
    person = await stage.person()
    room = await person.go_live()
    token = await stage.im_token(person)
    keys = (stage.qiniu.keys.secret, stage.cloud.keys.secret, stage.qiniu.knobs.play_key)
    log = stage.server.log
    for secret in (*keys, person.api.token, room["rtcRoomToken"], token, person.phone):
        assert secret not in log


async def test_an_evening_on_a_bad_day(tmp_path: Path) -> None:
    """Clouds that are slow, fail, break off and report twice and in disorder, and half of one is down.

    Whoever needs no cloud does not notice; whoever does is told in time; news comes in the end, and nothing sticks.
    Comparing with such clouds takes nobody's seat or room.
    """
    async with producing(tmp_path, {"reconcile": {"interval_s": 0.5}}) as stage:
        manners = stage.cloud.callbacks.manners
        manners.copies, manners.reorder, manners.gather_s = 2, 3, 0.1
        await stage.cloud.listeners[0].close()
        for fake in (stage.qiniu, stage.cloud):
            fake.faults.add(*A_BAD_DAY)
        evenings = await asyncio.gather(sing(stage), fight(stage), sing(stage), fight(stage))
        well_answered(stage.answers)
        await nothing_is_left(stage, [person for people in evenings for person in people])
        figures = await Figures.of(stage.api())
        assert figures.value("qlive_im_messages_total", kind="duplicate") > 0
        for kind in ("empty_seat", "offline"):
            assert figures.value("qlive_drift_total", kind=kind, fate="healed") == 0
        assert {call.outcome for call in stage.cloud.calls.to()} > {"200", "500", "503"}


async def test_an_evening_without_clouds(tmp_path: Path) -> None:
    """Over WebSocket all is as ever; what needs a cloud is refused in time; all heals when they are back."""
    async with producing(tmp_path, {}) as stage, AsyncExitStack() as undone:
        ann, anns = await stage.caller()
        people = [await stage.person() for _ in range(4)]
        for listener in (*stage.qiniu.listeners, *stage.cloud.listeners):
            await listener.close()
            undone.push_async_callback(listener.open)
        stage.answers.clear()
        singer, guest, bob, cat = people
        await singer.go_live("voice")
        await guest.watch(singer.room)
        for host in (bob, cat):
            await host.go_live()
        for person in people:
            await person.connect()
        await ask(guest, singer, 3)
        await let_in(guest, singer)
        await offer(bob, cat)
        await accept(cat, bob)
        assert (await cat.signal.call("end-pk", pkRoomID=bob.room))["code"] == 0
        await bob.signal.expect("on-pk-end")
        assert (await bob.api.close_room(bob.room)).is_success
        for needs in (ann.api.post("/v1/im_user_token"), ann.api.send_sms_code("13999999999")):
            began = time.monotonic()
            refusal(await needs, 502, 502001)
            assert time.monotonic() - began < WITHIN_S
        await stage.until_ready("degraded")
        well_answered(stage.answers)
        await undone.aclose()
        await stage.until_ready()
        await until(
            lambda: {singer.room, cat.room} == set(stage.cloud.chatrooms.rooms), "chat rooms are made"
        )
        assert not stage.qiniu.rtc.jobs
        assert await stage.code("13999999999")
        await offer_over_im(cat, ann, anns)


async def offer_over_im(proposer: Person, target: Person, targets: Channel) -> None:
    """Offer a PK to a host over IM and see him hear of it."""
    await target.go_live()
    assert (await proposer.signal.call("start-pk", pkRoomID=target.room))["code"] == 0
    assert (await targets.expect("on-pk-offer"))["roomID"] == proposer.room
