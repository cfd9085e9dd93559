"""RongCloud's adapter: what it sends, and what it makes of the answers."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.outgoing.misbehaving import MisbehavingServer, answer, hang_up, misbehaving
from qlive_adapters.outgoing import CallFailed, Outcome
from qlive_adapters.rongcloud import (
    Application,
    RongCloud,
    RongCloudChatRooms,
    RongCloudModeration,
    RongCloudPresence,
    RongCloudSignals,
    RongCloudTokens,
)
from qlive_app.runtime.metrics import Metrics

from .rongcloud_contract import RongCloudContract, connected
from .rongcloud_stand_in import APP_KEY, APP_SECRET, form_of, stand_in
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


@pytest.fixture
async def server() -> AsyncIterator[MisbehavingServer]:
    async with stand_in() as server:
        yield server


class TestStandIn(RongCloudContract):
    """The contract with the stand-in."""

    @pytest.fixture
    def url(self, server: MisbehavingServer) -> str:
        return server.url


def fields(pairs: list[list[str]]) -> dict[str, list[str]]:
    """Gather fields by their names: the order between names does not count."""
    gathered: dict[str, list[str]] = {}
    for name, value in pairs:
        gathered.setdefault(name, []).append(value)
    return gathered


@pytest.mark.parametrize("name", CALLS)
async def test_requests_are_the_vendors_own(name: str, server: MisbehavingServer) -> None:
    """What a port's call sends is what the vendor's SDK sends."""
    async with connected(server.url) as cloud:
        await CALLS[name](cloud)
    (request,) = server.received
    assert (request.method, request.target) == (WIRE[name]["method"], WIRE[name]["path"])
    assert request.headers["content-type"] == WIRE[name]["headers"]["Content-Type"]
    assert form_of(request) == fields(WIRE[name]["form"])


async def test_signals_as_the_original_sends_them(server: MisbehavingServer) -> None:
    """One message to all, nothing kept of it, and a content of which the apps know every letter."""
    text = 'offer={"userID":"爱<1>"}'
    async with connected(server.url) as cloud:
        await RongCloudSignals(cloud, "qlive-system").send(["u1", "u2"], text)
    (request,) = server.received
    form = form_of(request)
    assert request.target == "/message/private/publish.json"
    quoted = json.dumps(text, ensure_ascii=False)
    content = f'{{"content":{quoted},"user":{{"id":"","name":"","icon":"","extra":""}},"extra":""}}'
    flags = ("count", "isPersisted", "isCounted", "isIncludeSender", "verifyBlacklist", "contentAvailable")
    assert form == {
        "fromUserId": ["qlive-system"],
        "toUserId": ["u1", "u2"],
        "objectName": ["RC:TxtMsg"],
        "content": [content],
        **{flag: ["0"] for flag in flags},
    }


async def test_a_gag(server: MisbehavingServer) -> None:
    """The vendor takes several at once; we gag one at a time."""
    async with connected(server.url) as cloud:
        await RongCloudModeration(cloud).gag("room0001", "u1", minutes=10)
    (request,) = server.received
    assert request.target == WIRE["rc/chatroom_gag_add"]["path"]
    assert form_of(request) == {"chatroomId": ["room0001"], "userId": ["u1"], "minute": ["10"]}


async def test_every_attempt_is_signed_anew(server: MisbehavingServer) -> None:
    """Nonces and names of exchanges are never used twice, not even when a call is repeated."""
    server.script.append(hang_up)
    async with connected(server.url) as cloud:
        assert not await RongCloudPresence(cloud).is_online("u1")
    first, second = (request.headers for request in server.received)
    for headers in (first, second):
        signature = Application(APP_KEY, APP_SECRET).signature(headers["nonce"], headers["timestamp"])
        assert (headers["app-key"], headers["signature"]) == (APP_KEY, signature)
        assert len(headers["nonce"]) <= 18
        assert abs(int(headers["timestamp"]) / 1000 - time.time()) < 60
        assert str(uuid.UUID(headers["x-request-id"])) == headers["x-request-id"]
    assert first["nonce"] != second["nonce"]
    assert first["x-request-id"] != second["x-request-id"]


async def test_online(server: MisbehavingServer) -> None:
    """Who is online is known."""
    async with connected(server.url) as cloud:
        assert await RongCloudPresence(cloud).is_online("online")


def says(status: int, code: int) -> Any:
    """Answer with an error of the vendor's."""
    return answer(status, json.dumps({"code": code, "errorMessage": "the vendor's words"}).encode())


@pytest.mark.parametrize(
    ("behaviour", "outcome", "asked"),
    [
        (says(401, 1004), Outcome.REFUSED, 1),
        (says(400, 1002), Outcome.REFUSED, 1),
        (says(200, 1015), Outcome.REFUSED, 1),
        (says(404, 404), Outcome.REFUSED, 1),
        (says(403, 12345), Outcome.REFUSED, 1),
        (says(429, 1008), Outcome.LIMITED, 2),
        (answer(429, b""), Outcome.LIMITED, 2),
        (says(500, 1000), Outcome.FAILED, 2),
        (says(504, 1050), Outcome.FAILED, 2),
        (says(500, 200), Outcome.FAILED, 2),
        (answer(502, b"<html>"), Outcome.FAILED, 2),
        (answer(200, b"<html>"), Outcome.FAILED, 2),
        (answer(200, b"[]"), Outcome.FAILED, 2),
        (answer(200, b'{"code":200}'), Outcome.FAILED, 2),
    ],
)
async def test_what_answers_mean(behaviour: Any, outcome: Outcome, asked: int) -> None:
    """Status and code must both say success, and the rest must be as documented."""
    async with misbehaving(usual=behaviour) as server, connected(server.url) as cloud:
        with pytest.raises(CallFailed) as caught:
            await RongCloudTokens(cloud).user_token("u1", nickname="Alice", avatar="")
        assert (caught.value.outcome, len(server.received)) == (outcome, asked)
        assert "vendor's words" not in str(caught.value)


@pytest.mark.parametrize(("behaviour", "asked"), [(says(500, 1000), 1), (hang_up, 1), (says(429, 1008), 2)])
async def test_nothing_is_said_twice(behaviour: Any, asked: int, server: MisbehavingServer) -> None:
    """A message that may have been delivered is not sent again; one that was one too many is, a second later."""
    server.script.append(behaviour)
    async with connected(server.url) as cloud:
        signals = RongCloudSignals(cloud, "qlive-system")
        if asked == 1:
            with pytest.raises(CallFailed):
                await signals.send(["u1"], "pong={}")
        else:
            await signals.send(["u1"], "pong={}")
    assert len(server.received) == asked


async def test_the_backup_host(server: MisbehavingServer) -> None:
    """When the first host is ill, the second is asked from then on."""
    async with misbehaving(usual=says(500, 1000)) as ill, connected(ill.url, server.url) as cloud:
        for _ in range(3):
            await RongCloudChatRooms(cloud).open("room0001", "Room One")
        assert (len(ill.received), len(server.received)) == (1, 3)


async def test_the_operator_is_told_once() -> None:
    """What only the operator can mend is an error in the log, once for each kind, without any secret."""
    ill = misbehaving(says(401, 1004), says(401, 1004), usual=says(401, 1006))
    async with ill as server, connected(server.url) as cloud:
        with capture_logs() as lines:
            for _ in range(4):
                with pytest.raises(CallFailed):
                    await RongCloudPresence(cloud).is_online("u1")
    errors = [line for line in lines if line["log_level"] == "error"]
    assert [line["vendor_code"] for line in errors] == [1004, 1006]
    calls = [line for line in lines if line["event"] == "vendor call"]
    assert {(line["log_level"], line["outcome"]) for line in calls} == {("info", "refused")}
    sent = [request.headers["x-request-id"] for request in server.received]
    assert [line["request_id"] for line in calls] == sent
    assert APP_SECRET not in str(lines)
    assert "vendor's words" not in str(lines)


async def test_figures(server: MisbehavingServer) -> None:
    """Each call is counted by what became of it."""
    metrics = Metrics()
    server.script.append(says(400, 1002))
    async with connected(server.url, metrics=metrics) as cloud:
        with pytest.raises(CallFailed):
            await RongCloudChatRooms(cloud).open("room0001", "Room One")
        await RongCloudChatRooms(cloud).open("room0001", "Room One")
    text = metrics.render().decode()
    for outcome in ("ok", "refused"):
        labels = f'operation="open_chatroom",outcome="{outcome}",vendor="rongcloud"'
        assert f"qlive_vendor_call_seconds_count{{{labels}}} 1.0" in text
    assert 'qlive_vendor_circuit_open{vendor="rongcloud"} 0.0' in text
