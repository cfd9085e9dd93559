"""How the fake of RongCloud calls the application back, in good manners and in bad."""

import hashlib
import re
import time
from urllib.parse import parse_qs

import httpx
import pytest

from qlive_app.fakes import FakeRongCloud, Fault
from qlive_app.fakes.rongcloud import FakeClient, Manners
from qlive_app.fakes.serving import Request

from .application import Application
from .rongcloud_calls import Server

MESSAGES, STATUS = "/v1/im_messages/rongcloud", "/v1/im_user_status/rongcloud"
SYSTEM = "qlive-system"


@pytest.fixture
async def ada(rongcloud: FakeRongCloud, http: httpx.AsyncClient) -> FakeClient:
    """A client that connected before there was anybody to tell."""
    return rongcloud.connect(await Server(rongcloud, http).token("ada"), source="iOS")


@pytest.fixture(autouse=True)
def told(rongcloud: FakeRongCloud, ada: FakeClient, application: Application) -> None:
    """Have the application be told from now on."""
    rongcloud.callbacks.message_url = application.url + MESSAGES
    rongcloud.callbacks.status_url = application.url + STATUS


def is_signed(request: Request, name: str = "timestamp") -> bool:
    at, nonce = request.query.get(name, ""), request.query["nonce"]
    right = hashlib.sha1(f"qlive-rc-secret{nonce}{at}".encode()).hexdigest()
    return request.query.get("signature") == right


async def heard(rongcloud: FakeRongCloud, application: Application, path: str = MESSAGES) -> list[Request]:
    """Return what the application was told, once all was."""
    await rongcloud.callbacks.settled()
    return [each.request for each in application.calls.to(path)]


def texts(requests: list[Request]) -> list[str]:
    return [re.findall('"content":"([^"]*)"', each.field("content"))[0] for each in requests]


async def test_a_message(rongcloud: FakeRongCloud, application: Application, ada: FakeClient) -> None:
    """It has the fields of full message routing, and a fresh signature by the app key."""
    sent = ada.send_text(SYSTEM, "ping={}")
    (request,) = await heard(rongcloud, application)
    assert request.header("Content-Type") == "application/x-www-form-urlencoded; charset=utf-8"
    assert {key: values[0] for key, values in request.form.items()} == {
        "fromUserId": "ada",
        "toUserId": SYSTEM,
        "objectName": "RC:TxtMsg",
        "content": '{"content":"ping={}","extra":""}',
        "channelType": "PERSON",
        "msgTimestamp": str(sent.at_ms),
        "msgUID": sent.uid,
        "sensitiveType": "0",
        "source": "iOS",
    }
    assert is_signed(request)
    assert request.query["appKey"] == "qlive-rc-appkey"
    assert abs(int(request.query["timestamp"]) / 1000 - time.time()) < 5


async def test_a_message_in_a_chat_room(
    rongcloud: FakeRongCloud, http: httpx.AsyncClient, application: Application, ada: FakeClient
) -> None:
    """Its target is the room; what the server says itself is not routed back, nor is what was refused."""
    server = Server(rongcloud, http)
    await server.room("room0001")
    ada.join("room0001")
    ada.say("room0001", "RC:Chatroom:Welcome", '{"id":"ada"}')
    gift = {"fromUserId": SYSTEM, "toChatroomId": "room0001", "objectName": "app:gift", "content": "{}"}
    await server.call("/message/chatroom/publish", **gift)
    (request,) = await heard(rongcloud, application)
    assert (request.field("channelType"), request.field("toUserId")) == ("TEMPGROUP", "room0001")
    assert request.field("objectName") == "RC:Chatroom:Welcome"


async def test_coming_and_going(rongcloud: FakeRongCloud, application: Application, ada: FakeClient) -> None:
    """A status is a JSON array with one entry."""
    ada.disconnect()
    (request,) = await heard(rongcloud, application, STATUS)
    assert request.header("Content-Type") == "application/json"
    (status,) = request.json()
    assert (status["userid"], status["status"], status["os"]) == ("ada", "1", "iOS")
    assert abs(status["time"] / 1000 - time.time()) < 5
    assert is_signed(request)


async def test_chat_room_status(
    rongcloud: FakeRongCloud, http: httpx.AsyncClient, application: Application, ada: FakeClient
) -> None:
    """It is told where there is a URL for it, whose own query is kept."""
    rongcloud.callbacks.chatroom_url = f"{application.url}/rooms?from=rc"
    await Server(rongcloud, http).room("room0001")
    ada.join("room0001")
    ada.disconnect()
    joined, quit_ = await heard(rongcloud, application, "/rooms")
    assert [each.json()[0]["type"] for each in (joined, quit_)] == [1, 2]
    assert joined.query["from"] == "rc"
    assert is_signed(joined)


async def test_it_tries_three_times(
    rongcloud: FakeRongCloud, application: Application, ada: FakeClient
) -> None:
    """Whatever is not answered 200 is told again, at most twice; the next event is told nevertheless."""
    application.faults.add(Fault("answer", status=500, times=2), Fault("reset", done=True))
    application.faults.add(Fault("answer", status=503))
    ada.send_text(SYSTEM, "one")
    ada.send_text(SYSTEM, "two")
    assert texts(await heard(rongcloud, application)) == ["one", "one", "one", "two", "two"]
    first, second = rongcloud.callbacks.deliveries
    assert first.tries == ("500", "500", "ReadError")
    assert not first.taken
    assert second.tries == ("503", "200")
    assert second.taken


async def test_it_does_not_wait_forever(
    rongcloud: FakeRongCloud, application: Application, ada: FakeClient
) -> None:
    """A silent application is given up on after the time for each try."""
    rongcloud.callbacks.manners = Manners(timeout_s=0.05)
    application.faults.add(Fault("silent", times=None))
    ada.send_text(SYSTEM, "one")
    await rongcloud.callbacks.settled()
    assert rongcloud.callbacks.deliveries[0].tries == ("ReadTimeout",) * 3


async def test_duplicates(rongcloud: FakeRongCloud, application: Application, ada: FakeClient) -> None:
    """Copies have the same id; their signatures are fresh, or on request the very same."""
    rongcloud.callbacks.manners = Manners(copies=3)
    ada.send_text(SYSTEM, "one")
    first = await heard(rongcloud, application)
    assert len({each.field("msgUID") for each in first}) == 1
    assert len({each.query["nonce"] for each in first}) == 3
    rongcloud.callbacks.manners = Manners(copies=2, reuse_signature=True)
    ada.send_text(SYSTEM, "two")
    second = (await heard(rongcloud, application))[3:]
    assert len(second) == 2
    assert second[0].target == second[1].target


async def test_reordering(rongcloud: FakeRongCloud, application: Application, ada: FakeClient) -> None:
    """So many are gathered and told last first; the rest after a while."""
    rongcloud.callbacks.manners = Manners(reorder=3, gather_s=0.05)
    for number in range(4):
        ada.send_text(SYSTEM, str(number))
    assert texts(await heard(rongcloud, application)) == ["2", "1", "0", "3"]


async def test_signatures_that_are_wrong(
    rongcloud: FakeRongCloud, application: Application, ada: FakeClient
) -> None:
    """Altered, left out, without a time, or from another time."""
    for manners in (
        Manners(signature="wrong"),
        Manners(signature="missing"),
        Manners(time_name="missing"),
        Manners(age_s=3600),
    ):
        rongcloud.callbacks.manners = manners
        ada.send_text(SYSTEM, "one")
        await rongcloud.callbacks.settled()
    wrong, missing, timeless, stale = await heard(rongcloud, application)
    assert len(wrong.query["signature"]) == 40
    assert not is_signed(wrong)
    assert "signature" not in missing.query
    assert "timestamp" not in timeless.query
    assert is_signed(stale)
    assert time.time() - int(stale.query["timestamp"]) / 1000 > 3590


async def test_older_services(rongcloud: FakeRongCloud, application: Application, ada: FakeClient) -> None:
    """Another name for the time, no app key, the status as a form, and events without their time."""
    rongcloud.callbacks.manners = Manners(time_name="signTimestamp", status_form=True, event_time=False)
    ada.send_text(SYSTEM, "one")
    ada.disconnect()
    (message,) = await heard(rongcloud, application)
    (status,) = await heard(rongcloud, application, STATUS)
    assert is_signed(message, "signTimestamp")
    assert "appKey" not in message.query
    assert "msgTimestamp" not in message.form
    form = {key: values[0] for key, values in parse_qs(status.body.decode()).items()}
    assert form == {"0[userid]": "ada", "0[status]": "1", "0[os]": "iOS"}


async def test_answering_pings(
    rongcloud: FakeRongCloud, http: httpx.AsyncClient, application: Application, ada: FakeClient
) -> None:
    """On request a client answers them by itself, and shows only the rest."""
    ada.auto_pong = True
    server = Server(rongcloud, http)
    for said in ("ping={}", "on-pk-offer={}"):
        content = f'{{"content":"{said}"}}'
        fields = {"fromUserId": SYSTEM, "toUserId": "ada", "objectName": "RC:TxtMsg", "content": content}
        await server.call("/message/private/publish", **fields)
    assert (await ada.receive()).text == "on-pk-offer={}"
    (pong,) = await heard(rongcloud, application)
    assert texts([pong]) == ["pong={}"]
    assert (pong.field("fromUserId"), pong.field("toUserId")) == ("ada", SYSTEM)
