"""A server that is configured for Qiniu reaches Qiniu."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from qlive_app.bootstrap import Assembly, assemble
from qlive_app.config import read_settings
from qlive_app.runtime.metrics import Metrics
from qlive_core.ports.clouds import StreamJob, StreamJobKind

from .scripted_qiniu import ACCESS_KEY, SECRET_KEY, Reply, ScriptedQiniu, scripted_qiniu

PHONE = "13800000001"


def _document(url: str) -> dict[str, Any]:
    return {
        "store": {"path": ":memory:"},
        "sms": {"provider": "qiniu", "qiniu_sms": {"template_id": "t", "api_host": url}},
        "rtc": {
            "provider": "qiniu",
            "app_id": "app",
            "api_host": url,
            "pili_api_host": url,
            "publish_host": "p.com",
            "publish_hub": "hub",
            "publish_security": "expiry",
            "publish_key": "key",
        },
    }


@pytest.fixture
async def cloud() -> AsyncIterator[ScriptedQiniu]:
    async with scripted_qiniu() as cloud:
        yield cloud


@pytest.fixture
async def assembly(cloud: ScriptedQiniu) -> AsyncIterator[Assembly]:
    environ = {"QINIU_ACCESS_KEY": ACCESS_KEY, "QINIU_SECRET_KEY": SECRET_KEY}
    settings = read_settings(json.dumps(_document(cloud.url)), environ, source="qlive.conf").settings
    assembly = assemble(settings, Metrics())
    await assembly.mirror.load()
    yield assembly
    await assembly.stores.close()
    for each in assembly.clouds:
        await each.aclose()


async def test_a_person_logs_in_with_a_code_from_the_cloud(cloud: ScriptedQiniu, assembly: Assembly) -> None:
    """The code that is sent is the one that opens the account; after a failure it can be asked for again."""
    transport = httpx.ASGITransport(assembly.http_app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        cloud.script.append(Reply(500))
        failed = await http.post(f"/v1/send_sms_code?phone_number={PHONE}")
        assert (failed.status_code, failed.json()["code"]) == (502, 502001)
        sent = await http.post(f"/v1/send_sms_code?phone_number={PHONE}")
        assert sent.status_code == 200
        code = cloud.received[-1].body["parameters"]["code"]
        login = await http.post("/v1/login?logintype=smscode", json={"phoneNumber": PHONE, "smsCode": code})
        assert login.status_code == 200


async def test_the_media_cloud_is_reached(cloud: ScriptedQiniu, assembly: Assembly) -> None:
    """Rooms, jobs that publish to a protected hub, and streams."""
    media = assembly.media
    assert media is not None
    cloud.script += [Reply(200, {"users": [{"userId": "ann"}]}), Reply(200), Reply(200, {"startAt": 1})]
    assert await media.rooms.members("r") == {"ann"}
    await media.jobs.start(StreamJob("j", StreamJobKind.FORWARD, "r", ("ann",), "ann"))
    assert await media.streams.is_live("ann")
    output = urlsplit(cloud.received[1].body["outputs"][0]["url"])
    assert output._replace(query="").geturl() == "rtmp://p.com/hub/ann"
    assert parse_qs(output.query).keys() == {"expire", "token"}
