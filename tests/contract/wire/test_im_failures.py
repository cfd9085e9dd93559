"""Signalling over IM on bad days: a cloud that is slow, broken or not there, a killed server, and a large crowd."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from qlive_adapters.sqlite.store import SqliteStores
from qlive_app.fakes.rongcloud import FakeRongCloud
from qlive_app.fakes.serving.faults import Fault
from qlive_core.model.presence import Presence
from qlive_core.model.session import Session

from .conftest import SHORT_TIMES
from .im_stage import PONG_TIMEOUT_S, SHORT_IM_TIMES, ImStage, im_settings, staged
from .server import Settings
from .stage import Person, Stage, eventually

PUBLISH = "/message/private/publish.json"
CROWD = 10_000


@pytest.fixture
async def cloud() -> AsyncIterator[FakeRongCloud]:
    """The IM cloud, on this machine."""
    async with FakeRongCloud() as fake:
        yield fake


@pytest.fixture
async def stage(cloud: FakeRongCloud, tmp_path: Path) -> AsyncIterator[ImStage]:
    """People on a server of the test's own, whose times are short."""
    async with staged(cloud, tmp_path, _short_times(cloud)) as cast:
        await _until_readiness("ok", cast)
        yield cast


def _short_times(cloud: FakeRongCloud) -> Settings:
    return {**SHORT_TIMES, "im": im_settings(cloud, **SHORT_IM_TIMES["im"])}


async def _readiness(stage: Stage) -> dict[str, Any]:
    answer = await stage.api().get("/readyz")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _until_readiness(status: str, stage: Stage) -> None:
    async def is_so() -> bool:
        return bool((await _readiness(stage))["status"] == status)

    await eventually(is_so, f"/readyz says {status}", within_s=20)


async def _all_live(hosts: list[Person], witness: Person) -> bool:
    return [await witness.status_of(host.room) for host in hosts] == ["single"] * len(hosts)


@pytest.mark.parametrize("delay_s", [0.1, 1.0])
async def test_a_slow_cloud_makes_nobody_look_dead(stage: ImStage, delay_s: float) -> None:
    """Twenty hosts who answer every ping stay, though each call to the cloud takes as long as that."""
    witness = await stage.person()
    hosts = [(await stage.im_host())[0] for _ in range(20)]
    stage.cloud.faults.add(Fault("late", path=PUBLISH, delay_s=delay_s, times=None))
    await asyncio.sleep(3 * PONG_TIMEOUT_S)
    assert await _all_live(hosts, witness)


async def test_a_cloud_that_takes_no_pings_makes_nobody_look_dead(stage: ImStage) -> None:
    """While pings are not taken silence says nothing; when the cloud is back, who is silent goes and others stay."""
    (loyal, _), (silent, phone), witness = await stage.im_host(), await stage.im_host(), await stage.person()
    phone.awake = False
    stage.cloud.faults.add(Fault("answer", path=PUBLISH, status=503, times=None))
    await asyncio.sleep(3 * PONG_TIMEOUT_S)
    assert await _all_live([loyal, silent], witness)
    assert (await _readiness(stage))["status"] == "degraded"
    stage.cloud.faults.clear()

    async def is_gone() -> bool:
        return await witness.status_of(silent.room) == "gone"

    await eventually(is_gone, "the silent host is given up", within_s=20)
    assert await witness.status_of(loyal.room) == "single"


async def test_a_failing_cloud_delays_news_and_fails_no_command(stage: ImStage) -> None:
    """The answer stands, and both sides hear of it when the cloud takes texts again."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    stage.cloud.faults.add(Fault("answer", path=PUBLISH, status=500, times=None))
    await bobs.send("answer-pk", {"rpcID": "1", "reqRoomID": ann.room, "accept": True})

    async def fights() -> bool:
        return await bob.status_of(ann.room) == "PK"

    await eventually(fights, "the answer counts")
    await asyncio.sleep(0.5)
    stage.cloud.faults.clear()
    assert (await anns.expect("on-pk-answer"))["accepted"] is True
    assert (await bobs.expect("answer-pk-res"))["code"] == 0
    assert await stage.figure("qlive_im_push_retries_total") > 0


async def test_the_server_starts_without_the_cloud(cloud: FakeRongCloud, tmp_path: Path) -> None:
    """It serves WebSocket, says what is wrong, answers 502 where the cloud is needed, and heals by itself."""
    cloud.faults.add(Fault("reset", times=None))
    async with staged(cloud, tmp_path, _short_times(cloud)) as stage:
        await _until_readiness("degraded", stage)
        assert "im: " in (await _readiness(stage))["problems"][0]
        ann, bob = await stage.pair()
        await ann.signal.call("start-pk", pkRoomID=bob.room)
        await bob.signal.expect("on-pk-offer")
        started = time.monotonic()
        refused = await ann.api.post("/v1/im_user_token")
        assert time.monotonic() - started < 8
        assert (refused.status_code, refused.json()["code"], refused.json()["message"]) == (502, 502001, "")
        cloud.faults.clear()
        await _until_readiness("ok", stage)
        _, phone = await stage.im_host()
        assert (await phone.call("end-pk", pkRoomID=ann.room))["code"] == 10013


async def test_a_token_that_cannot_be_had_tells_of_the_cloud(stage: ImStage) -> None:
    """Also while nobody is there who would be pinged."""
    person = await stage.person()
    stage.cloud.faults.add(Fault("reset", times=None))
    assert (await person.api.post("/v1/im_user_token")).status_code == 502
    assert (await _readiness(stage))["status"] == "degraded"
    stage.cloud.faults.clear()
    await _until_readiness("ok", stage)


async def test_a_killed_server_knows_its_im_users_again(stage: ImStage) -> None:
    """After kill -9 they are pinged and reached at once; who answers stays, who does not goes in time."""
    (ann, anns), (bob, bobs) = await stage.im_host(), await stage.im_host()
    silent, phone = await stage.im_host()
    witness = await stage.person()
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    await bobs.call("answer-pk", reqRoomID=ann.room, accept=True)
    await anns.expect("on-pk-answer")
    phone.awake = False
    stage.server.kill()
    await asyncio.sleep(PONG_TIMEOUT_S)
    await asyncio.to_thread(stage.server.start)
    restarted = time.monotonic()

    async def silent_is_gone() -> bool:
        return await witness.status_of(silent.room) == "gone"

    await eventually(silent_is_gone, "the silent host is given up")
    assert time.monotonic() - restarted >= PONG_TIMEOUT_S * 0.5
    assert await witness.status_of(ann.room) == "PK"
    assert (await anns.call("end-pk", pkRoomID=ann.room))["code"] == 0
    assert await bobs.expect("on-pk-end") == {"pkRoomID": ann.room}


async def test_a_shutdown_says_what_there_is_to_say(stage: ImStage) -> None:
    """What came before the end is handled and told, and the process ends in time and well."""
    ann, anns = await stage.im_host()
    bob, bobs = await stage.im_host()
    await anns.call("start-pk", pkRoomID=bob.room)
    await bobs.expect("on-pk-offer")
    stage.cloud.faults.add(Fault("late", path=PUBLISH, delay_s=0.3, times=None))
    await stage.report(bob, f'answer-pk={{"reqRoomID":"{ann.room}","accept":true}}')
    assert await asyncio.to_thread(stage.server.terminate) == 0
    assert (await anns.expect("on-pk-answer"))["accepted"] is True


async def test_ten_thousand_users_are_pinged(cloud: FakeRongCloud, tmp_path: Path) -> None:
    """In fifty calls spread over each interval, while others are served as if nobody was there."""
    interval_s = 2.0
    settings = {"im": im_settings(cloud, ping_ticker_s=interval_s, pong_timeout_s=8.0)}
    await _crowd(tmp_path / "qlive.db")
    async with staged(cloud, tmp_path, settings) as stage:
        await _until_readiness("ok", stage)
        witness = await stage.person()
        await asyncio.sleep(interval_s)
        cloud.calls.clear()
        usual_s = await _usual_wait(witness, for_s=2 * interval_s)
        pings = [call.at for call in cloud.calls.to(PUBLISH)]
        assert 80 <= len(pings) <= 120
        in_a_tenth = [sum(at <= other < at + interval_s / 10 for other in pings) for at in pings]
        assert max(in_a_tenth) <= 20, "a burst"
        assert usual_s < 0.2


async def _crowd(path: Path) -> None:
    """Let ten thousand users have been seen over IM just now."""
    stores, now = SqliteStores(path), time.time()
    users = [f"crowd{number:07d}" for number in range(CROWD)]
    for start in range(0, CROWD, 500):
        some = users[start : start + 500]
        await asyncio.gather(*(stores.sessions.add(Session(u, u, now + 3600)) for u in some))
        await asyncio.gather(*(stores.presences.add(Presence(u, "", "n", now + 8, im=True)) for u in some))
    await stores.close()


async def _usual_wait(witness: Person, *, for_s: float) -> float:
    """Call again and again; return for how long at most nine of ten calls wait."""
    waits, end = [], time.monotonic() + for_s
    while time.monotonic() < end:
        began = time.monotonic()
        await witness.api.rooms()
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.005)
    return sorted(waits)[len(waits) * 9 // 10]
