"""Everything that a fake can do wrong, and to which calls it does it."""

import asyncio
import time

import httpx
import pytest

from qlive_app.fakes import FakeQiniu, Fault
from qlive_app.fakes.qiniu.rtc import APP

from .vendor import Signed, room_token

KICK = f"/v3/apps/{APP}/rooms/room0001/users/ada"


@pytest.fixture
async def api(qiniu: FakeQiniu, http: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client whose calls are let in; there is a room with Ada in it that she can be put out of."""
    http.base_url = httpx.URL(qiniu.url)
    http.auth = Signed(qiniu)
    qiniu.rtc.join(room_token(qiniu, "room0001", "ada"))
    return http


def is_in(fake: FakeQiniu) -> bool:
    return "ada" in fake.rtc.members("room0001")


@pytest.mark.parametrize("done", [False, True])
async def test_another_answer(qiniu: FakeQiniu, api: httpx.AsyncClient, *, done: bool) -> None:
    """With any status and body; the call takes effect only if it is said to."""
    qiniu.faults.add(Fault("answer", status=699, body="<html>", done=done))
    answer = await api.delete(KICK)
    assert (answer.status_code, answer.text) == (699, "<html>")
    assert answer.headers["X-Reqid"]
    assert is_in(qiniu) is not done


@pytest.mark.parametrize("done", [False, True])
async def test_a_reset(qiniu: FakeQiniu, api: httpx.AsyncClient, *, done: bool) -> None:
    """The connection is reset before or after the call took effect; the next one is as ever."""
    qiniu.faults.add(Fault("reset", done=done))
    with pytest.raises(httpx.ReadError):
        await api.delete(KICK)
    assert is_in(qiniu) is not done
    assert (await api.delete(KICK)).status_code == (615 if done else 200)
    assert [call.outcome for call in qiniu.calls.to(KICK)] == ["reset", "615" if done else "200"]


@pytest.mark.parametrize("done", [False, True])
async def test_silence(qiniu: FakeQiniu, api: httpx.AsyncClient, *, done: bool) -> None:
    """No answer ever comes, and the connection stays open."""
    qiniu.faults.add(Fault("silent", done=done))
    with pytest.raises(httpx.ReadTimeout):
        await api.delete(KICK, timeout=0.05)
    assert is_in(qiniu) is not done


async def test_half_a_body(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """The status is right and the connection ends in the middle of the body."""
    qiniu.faults.add(Fault("half"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        await api.delete(KICK)
    assert not is_in(qiniu)


async def test_a_body_that_is_not_json(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """The answer is whole as far as HTTP can tell."""
    qiniu.faults.add(Fault("malformed"))
    answer = await api.delete(KICK)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        answer.json()
    assert not is_in(qiniu)


async def test_latency(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """The right answer comes late, and calls on other connections do not wait for it."""
    qiniu.faults.add(Fault("late", delay_s=0.2, path="*/users"))
    began = time.perf_counter()
    slow = asyncio.create_task(api.get(f"/v3/apps/{APP}/rooms/room0001/users"))
    assert (await api.get(f"/v3/apps/{APP}/rooms")).status_code == 200
    assert not slow.done()
    assert (await slow).json() == {"users": [{"userId": "ada"}]}
    assert time.perf_counter() - began > 0.15


async def test_waiting_for_a_call(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """It ends with the call that was waited for, or in time."""
    with pytest.raises(TimeoutError):
        await qiniu.calls.until(KICK, timeout_s=0.01)
    waiting = asyncio.create_task(qiniu.calls.until("*/users/*", 2))
    for _ in range(2):
        await api.delete(KICK)
    assert [call.outcome for call in await waiting] == ["200", "615"]


async def test_which_calls_are_hit(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """Those of the path and the method, as many as were said, and the first fault that fits."""
    qiniu.faults.add(
        Fault("answer", status=501, path="/v3/*", method="DELETE"),
        Fault("answer", status=502, path=f"/v3/apps/{APP}/rooms", times=2),
        Fault("answer", status=503, times=None),
    )
    rooms, seen = f"/v3/apps/{APP}/rooms", []
    for method, path in (("GET", rooms), ("GET", rooms), ("GET", rooms), ("DELETE", KICK), ("DELETE", KICK)):
        seen.append((await api.request(method, path)).status_code)
    qiniu.faults.clear()
    seen.append((await api.get(rooms)).status_code)
    assert seen == [502, 502, 503, 501, 503, 200]


async def test_chance_is_repeatable() -> None:
    """The same seed hits the same calls, about as many as the probability says."""
    runs = []
    for seed in (1, 1, 2):
        fake = FakeQiniu(seed=seed)
        fake.faults.add(Fault("reset", probability=0.3, times=None))
        runs.append([fake.fault(0, "GET", "/v3/apps") is not None for _ in range(1000)])
    assert runs[0] == runs[1] != runs[2]
    assert 250 < sum(runs[0]) < 350


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "other"},
        {"kind": "late", "delay_s": -1},
        {"kind": "late", "tmes": 1},
        {"kind": "late", "times": 0},
        [],
    ],
    ids=str,
)
async def test_control_over_http_refuses_what_it_does_not_know(
    qiniu: FakeQiniu, http: httpx.AsyncClient, wrong: object
) -> None:
    """It says what is wrong, and nothing is planned."""
    answer = await http.post(f"{qiniu.url}/_fake/faults", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert qiniu.faults.planned == []


async def test_control_over_http(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """Faults, knobs, the clock and the record of calls, all without a signature and never hit by a fault."""
    fault = {"kind": "answer", "status": 429, "path": "/v3/*", "times": 2}
    assert (await api.post("/_fake/faults", json=fault)).json()["faults"][0]["left"] == 2
    assert (await api.get(KICK)).status_code == 429
    assert (await api.get("/_fake/faults")).json()["faults"][0]["left"] == 1
    assert (await api.delete("/_fake/faults")).json() == {"faults": []}
    await api.post("/_fake/knobs", json={"sms_limit_status": 403})
    assert qiniu.knobs.sms_limit_status == 403
    before = qiniu.clock.now()
    await api.post("/_fake/clock", json={"ahead_s": 3600})
    assert qiniu.clock.now() - before >= 3600
    (call,) = (await api.get("/_fake/calls")).json()["calls"]
    assert (call["method"], call["target"], call["outcome"]) == ("GET", KICK, "429")
    token = room_token(qiniu, "room0002", "bob")
    assert (await api.post("/_fake/rtc/join", json={"token": token})).json()["user"] == "bob"
    assert (await api.post("/_fake/rtc/join", json={"token": "a:b:c"})).status_code == 400
    state = (await api.get("/_fake/state")).json()
    assert state["rtc"]["rooms"][APP]["room0002"] == ["bob"]
    assert (await api.get("/_fake/other")).status_code == 404


async def test_the_start_page(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """It shows what is held, the last calls with the reason of their refusal, and never what could be run."""
    qiniu.rtc.join(room_token(qiniu, "room0002", "bob"))
    await api.get("/v3/apps/%3Cscript%3E/rooms?<script>")
    page = await api.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "room0002" in page.text
    assert "no app" in page.text
    assert "/_fake/faults" in page.text
    assert "<script" not in page.text
