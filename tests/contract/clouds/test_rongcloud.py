"""RongCloud's adapter: what it sends, and what it makes of the answers."""

import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from qlive_adapters.outgoing import CallFailed, Outcome
from qlive_adapters.rongcloud import (
    RongCloud,
    RongCloudChatRooms,
    RongCloudModeration,
    RongCloudPresence,
    RongCloudSignals,
    RongCloudTokens,
)
from qlive_app.fakes import FakeRongCloud, Fault
from qlive_app.fakes.serving import Request
from qlive_app.runtime.metrics import Metrics

from .rongcloud_contract import RongCloudContract, connected
from .test_rongcloud_vectors import VECTORS

Call = Callable[[RongCloud], Awaitable[Any]]
WIRE = {vector["name"]: vector for vector in VECTORS["rongcloud_wire"]}
SAID = WIRE["rc/chatroom_publish"]["form"]

CALLS: dict[str, Call] = {
    "rc/user_get_token": lambda cloud: RongCloudTokens(cloud).user_token(
        "user0001", nickname="Alice", avatar="https://cdn.example.com/a.png"
    ),
    "rc/user_check_online": lambda cloud: RongCloudPresence(cloud).is_online("user0001"),
    "rc/chatroom_create": lambda cloud: RongCloudChatRooms(cloud).open("room0001", "Room One"),
    "rc/chatroom_destroy": lambda cloud: RongCloudChatRooms(cloud).close("room0001"),
    "rc/chatroom_query": lambda cloud: RongCloudChatRooms(cloud).existing(["room0001", "room0002"]),
    "rc/chatroom_publish": lambda cloud: RongCloudChatRooms(cloud).publish(
        "room0001", sender="qlive-system", kind="RC:TxtMsg", content=dict(SAID)["content"]
    ),
    "rc/chatroom_gag_rollback": lambda cloud: RongCloudModeration(cloud).ungag("room0001", "u1"),
    "rc/chatroom_block_add": lambda cloud: RongCloudModeration(cloud).kick("room0001", "u1", minutes=10),
    "rc/chatroom_block_rollback": lambda cloud: RongCloudModeration(cloud).readmit("room0001", "u1"),
    "rc/chatroom_global_ban_add": lambda cloud: RongCloudModeration(cloud).ban("u1", minutes=10),
    "rc/chatroom_global_ban_remove": lambda cloud: RongCloudModeration(cloud).unban("u1"),
}


class TestFake(RongCloudContract):
    """The contract with the fake."""

    @pytest.fixture
    def url(self, rongcloud: FakeRongCloud) -> str:
        return rongcloud.url


def requests(fake: FakeRongCloud) -> list[Request]:
    """Return what the fake was asked, oldest first."""
    return [call.request for call in fake.calls.to()]


def fields(pairs: list[list[str]]) -> dict[str, list[str]]:
    """Gather fields by their names: the order between names does not count."""
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered


@pytest.mark.parametrize("name", CALLS)
async def test_requests_are_the_vendors_own(name: str, rongcloud: FakeRongCloud) -> None:
    """What a port's call sends is what the vendor's SDK sends."""
    async with connected(rongcloud.url) as cloud:
        await CALLS[name](cloud)
    (request,) = requests(rongcloud)
    assert (request.method, request.target) == (WIRE[name]["method"], WIRE[name]["path"])
    assert request.header("Content-Type") == WIRE[name]["headers"]["Content-Type"]
    assert request.form == fields(WIRE[name]["form"])


async def test_signals_as_the_original_sends_them(rongcloud: FakeRongCloud) -> None:
    """One message to all, nothing kept of it, and a content of which the apps know every letter."""
    text = 'offer={"userID":"爱<1>"}'
    async with connected(rongcloud.url) as cloud:
        await RongCloudSignals(cloud, "qlive-system").send(["u1", "u2"], text)
    (request,) = requests(rongcloud)
    assert request.target == "/message/private/publish.json"
    quoted = json.dumps(text, ensure_ascii=False)
    content = f'{{"content":{quoted},"user":{{"id":"","name":"","icon":"","extra":""}},"extra":""}}'
    flags = ("count", "isPersisted", "isCounted", "isIncludeSender", "verifyBlacklist", "contentAvailable")
    assert request.form == {
        "fromUserId": ["qlive-system"],
        "toUserId": ["u1", "u2"],
        "objectName": ["RC:TxtMsg"],
        "content": [content],
        **{flag: ["0"] for flag in flags},
    }


async def test_a_gag(rongcloud: FakeRongCloud) -> None:
    """The vendor takes several at once; we gag one at a time."""
    async with connected(rongcloud.url) as cloud:
        await RongCloudModeration(cloud).gag("room0001", "u1", minutes=10)
    (request,) = requests(rongcloud)
    assert request.target == WIRE["rc/chatroom_gag_add"]["path"]
    assert request.form == {"chatroomId": ["room0001"], "userId": ["u1"], "minute": ["10"]}


async def test_every_attempt_is_signed_anew(rongcloud: FakeRongCloud) -> None:
    """Nonces and names of exchanges are never used twice, not even when a call is repeated."""
    rongcloud.faults.add(Fault("reset"))
    async with connected(rongcloud.url) as cloud:
        assert not await RongCloudPresence(cloud).is_online("u1")
    first, second = requests(rongcloud)
    for request in (first, second):
        assert len(request.header("Nonce") or "") <= 18
        assert abs(int(request.header("Timestamp") or 0) / 1000 - time.time()) < 60
        request_id = request.header("X-Request-ID") or ""
        assert str(uuid.UUID(request_id)) == request_id
    for name in ("Nonce", "X-Request-ID", "Signature"):
        assert first.header(name) != second.header(name)


async def test_online(rongcloud: FakeRongCloud) -> None:
    """Who is online is known."""
    async with connected(rongcloud.url) as cloud:
        token = await RongCloudTokens(cloud).user_token("u1", nickname="Alice", avatar="")
        rongcloud.connect(token)
        assert await RongCloudPresence(cloud).is_online("u1")


def says(status: int, body: str, times: int | None = None) -> Fault:
    """Have calls answered with this."""
    return Fault("answer", status=status, body=body, times=times)


def refuses(status: int, code: int, times: int | None = None) -> Fault:
    """Have calls answered with an error of the vendor's."""
    return says(status, json.dumps({"code": code, "errorMessage": "the vendor's words"}), times)


@pytest.mark.parametrize(
    ("fault", "outcome", "asked"),
    [
        (refuses(401, 1004), Outcome.REFUSED, 1),
        (refuses(400, 1002), Outcome.REFUSED, 1),
        (refuses(200, 1015), Outcome.REFUSED, 1),
        (refuses(404, 404), Outcome.REFUSED, 1),
        (refuses(403, 12345), Outcome.REFUSED, 1),
        (refuses(429, 1008), Outcome.LIMITED, 2),
        (says(429, ""), Outcome.LIMITED, 2),
        (refuses(500, 1000), Outcome.FAILED, 2),
        (refuses(504, 1050), Outcome.FAILED, 2),
        (refuses(500, 200), Outcome.FAILED, 2),
        (says(502, "<html>"), Outcome.FAILED, 2),
        (says(200, "<html>"), Outcome.FAILED, 2),
        (says(200, "[]"), Outcome.FAILED, 2),
        (says(200, '{"code":200}'), Outcome.FAILED, 2),
    ],
)
async def test_what_answers_mean(
    fault: Fault, outcome: Outcome, asked: int, rongcloud: FakeRongCloud
) -> None:
    """Status and code must both say success, and the rest must be as documented."""
    rongcloud.faults.add(fault)
    async with connected(rongcloud.url) as cloud:
        with pytest.raises(CallFailed) as caught:
            await RongCloudTokens(cloud).user_token("u1", nickname="Alice", avatar="")
    assert (caught.value.outcome, len(requests(rongcloud))) == (outcome, asked)
    assert "vendor's words" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "asked"),
    [(refuses(500, 1000, times=1), 1), (Fault("reset"), 1), (refuses(429, 1008, times=1), 2)],
)
async def test_nothing_is_said_twice(fault: Fault, asked: int, rongcloud: FakeRongCloud) -> None:
    """A message that may have been delivered is not sent again; one that was one too many is, a second later."""
    rongcloud.faults.add(fault)
    async with connected(rongcloud.url) as cloud:
        signals = RongCloudSignals(cloud, "qlive-system")
        if asked == 1:
            with pytest.raises(CallFailed):
                await signals.send(["u1"], "pong={}")
        else:
            await signals.send(["u1"], "pong={}")
    assert len(requests(rongcloud)) == asked


async def test_the_backup_host(rongcloud: FakeRongCloud) -> None:
    """When the first host is ill, the second is asked from then on."""
    rongcloud.faults.add(Fault("answer", status=500, listener=0, times=None))
    async with connected(*(each.url for each in rongcloud.listeners)) as cloud:
        for _ in range(3):
            await RongCloudChatRooms(cloud).open("room0001", "Room One")
    assert [call.listener for call in rongcloud.calls.to()] == [0, 1, 1, 1]


async def test_the_operator_is_told_once(rongcloud: FakeRongCloud) -> None:
    """What only the operator can mend is an error in the log, once for each kind, without any secret."""
    rongcloud.faults.add(refuses(401, 1004, times=2), refuses(401, 1006))
    async with connected(rongcloud.url) as cloud:
        with capture_logs() as lines:
            for _ in range(4):
                with pytest.raises(CallFailed):
                    await RongCloudPresence(cloud).is_online("u1")
    errors = [line for line in lines if line["log_level"] == "error"]
    assert [line["vendor_code"] for line in errors] == [1004, 1006]
    calls = [line for line in lines if line["event"] == "vendor call"]
    assert {(line["log_level"], line["outcome"]) for line in calls} == {("info", "refused")}
    sent = [request.header("X-Request-ID") for request in requests(rongcloud)]
    assert [line["request_id"] for line in calls] == sent
    assert rongcloud.keys.secret not in str(lines)
    assert "vendor's words" not in str(lines)


async def test_figures(rongcloud: FakeRongCloud) -> None:
    """Each call is counted by what became of it."""
    metrics = Metrics()
    rongcloud.faults.add(refuses(400, 1002, times=1))
    async with connected(rongcloud.url, metrics=metrics) as cloud:
        with pytest.raises(CallFailed):
            await RongCloudChatRooms(cloud).open("room0001", "Room One")
        await RongCloudChatRooms(cloud).open("room0001", "Room One")
    text = metrics.render().decode()
    for outcome in ("ok", "refused"):
        labels = f'operation="open_chatroom",outcome="{outcome}",vendor="rongcloud"'
        assert f"qlive_vendor_call_seconds_count{{{labels}}} 1.0" in text
    assert 'qlive_vendor_circuit_open{vendor="rongcloud"} 0.0' in text
