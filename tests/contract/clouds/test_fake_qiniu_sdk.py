"""The vendor's own Python SDK cannot tell the fake of Qiniu from the vendor."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

import pytest

from qlive_app.fakes import FakeQiniu, Fault
from qlive_app.fakes.qiniu.rtc import APP
from qlive_app.fakes.qiniu.sms import SIGNATURE, TEMPLATE

from .vendor import room_token, sdk, upload_token

PHONE = "13800000001"
PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the SDK go straight to the fake."""
    monkeypatch.setenv("NO_PROXY", "*")


def auth(fake: FakeQiniu, secret: str | None = None) -> Any:
    return sdk.QiniuMacAuth(fake.keys.key, secret or fake.keys.secret)


async def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[Any, Any]:
    """Call the SDK, which blocks, and return the body and the rest of the answer."""
    body, info = await asyncio.to_thread(function, *arguments, **named)
    return body, info


def sms(fake: FakeQiniu, secret: str | None = None) -> Any:
    client = sdk.Sms(auth(fake, secret))
    client.server = fake.url
    return client


def rtc(fake: FakeQiniu) -> Any:
    client = sdk.RtcServer(auth(fake))
    client.host = fake.url
    return client


async def test_a_message(qiniu: FakeQiniu) -> None:
    """It is accepted and stands in the outbox, for each phone."""
    body, info = await call(sms(qiniu).sendMessage, TEMPLATE, [PHONE, "13800000002"], {"code": "123456"})
    assert info.status_code == 200
    assert [(each.mobile, each.parameters) for each in qiniu.sms.outbox] == [
        (PHONE, {"code": "123456"}),
        ("13800000002", {"code": "123456"}),
    ]
    assert qiniu.sms.to(PHONE)[0].job_id == body["job_id"]


async def test_messages_that_are_refused(qiniu: FakeQiniu) -> None:
    """A wrong secret, an unknown template, no phone, and a phone too soon: each has its status."""
    _, info = await call(sms(qiniu, "wrong").sendMessage, TEMPLATE, [PHONE], {"code": "1"})
    assert info.status_code == 401
    for template, phones in (("other", [PHONE]), (TEMPLATE, []), (TEMPLATE, ["+8613800000001"])):
        _, info = await call(sms(qiniu).sendMessage, template, phones, {"code": "1"})
        assert info.status_code == 400
    qiniu.knobs.sms_interval_s = 60
    statuses = []
    for _ in range(3):
        _, info = await call(sms(qiniu).sendMessage, TEMPLATE, [PHONE], {"code": "1"})
        statuses.append(info.status_code)
        qiniu.clock.advance(31)
    assert statuses == [200, 429, 200]
    assert len(qiniu.sms.outbox) == 2


async def test_the_signature_has_to_be_known(qiniu: FakeQiniu) -> None:
    """The SDK does not send one, so this is told apart by what is known."""
    qiniu.sms.signatures.discard(SIGNATURE)
    _, info = await call(sms(qiniu).sendMessage, TEMPLATE, [PHONE], {"code": "1"})
    assert info.status_code == 400


async def test_rooms(qiniu: FakeQiniu) -> None:
    """Who is in them, who is put out, and the errors for whom and where there is nobody."""
    server = rtc(qiniu)
    for room, user in (("room0001", "ada"), ("room0001", "cyd"), ("room0002", "bob")):
        qiniu.rtc.join(room_token(qiniu, room, user))
    body, _ = await call(server.list_user, APP, "room0001")
    assert body == {"users": [{"userId": "ada"}, {"userId": "cyd"}]}
    body, _ = await call(server.list_active_rooms, APP, "room")
    assert body["rooms"] == ["room0001", "room0002"]
    assert body["end"] is True
    statuses = []
    for room, user in (("room0001", "bob"), ("room0001", "ada"), ("room0001", "cyd"), ("room0001", "cyd")):
        _, info = await call(server.kick_user, APP, room, user)
        statuses.append(info.status_code)
    assert statuses == [612, 200, 200, 615]
    assert qiniu.rtc.members("room0001") == set()
    body, _ = await call(server.list_user, APP, "room0001")
    assert body == {"users": []}
    _, info = await call(server.list_user, "other-app", "room0001")
    assert info.status_code == 612


async def upload(fake: FakeQiniu, token: str, key: str, data: bytes, **named: Any) -> tuple[Any, Any]:
    zone = importlib.import_module("qiniu.region").LegacyRegion(
        up_host=fake.url, up_host_backup=fake.url, scheme="http", home_dir="/nowhere"
    )
    return await call(sdk.put_data, token, key, data, regions=[zone], **named)


async def test_an_upload(qiniu: FakeQiniu) -> None:
    """It is stored under the key that its token is for, with the hash that the SDK works out too."""
    token = upload_token(qiniu, "avatar/ada.png", {"insertOnly": 1, "endUser": "ada"})
    body, info = await upload(qiniu, token, "avatar/ada.png", PNG, mime_type="image/png")
    assert info.status_code == 200, info
    stored = qiniu.kodo.files["avatar/ada.png"]
    assert (stored.body, stored.mime, stored.end_user) == (PNG, "image/png", "ada")
    assert body == {"key": "avatar/ada.png", "hash": stored.etag}
    _, info = await upload(qiniu, token, "avatar/bob.png", PNG)
    assert info.status_code == 403
    qiniu.clock.advance(61)
    _, info = await upload(qiniu, token, "avatar/ada.png", PNG)
    assert info.status_code == 401


async def test_faults_reach_the_sdk(qiniu: FakeQiniu) -> None:
    """It sees a status that HTTP does not know, and a reset connection as no answer at all."""
    qiniu.faults.add(Fault("answer", status=573))
    server = rtc(qiniu)
    _, info = await call(server.list_user, APP, "room0001")
    assert info.status_code == 573
    qiniu.faults.add(Fault("reset", times=None))
    _, info = await call(server.list_user, APP, "room0001")
    assert info.status_code == -1
    qiniu.faults.clear()
    body, _ = await call(server.list_user, APP, "room0001")
    assert body == {"users": []}
