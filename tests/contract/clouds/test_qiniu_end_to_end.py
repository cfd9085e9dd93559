"""A server that is configured for Qiniu, and people who use it, at a Qiniu that keeps its own rules."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from qlive_app.bootstrap import Assembly, Media, assemble
from qlive_app.config import read_settings
from qlive_app.fakes import FakeQiniu
from qlive_app.fakes.qiniu.pili import HUB, PlayRefused
from qlive_app.fakes.qiniu.rtc import APP
from qlive_app.fakes.qiniu.sms import SIGNATURE, TEMPLATE
from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import ProviderUnavailable, SmsCodeLimited
from qlive_core.ports.clouds import StreamJob, StreamJobKind

PHONE = "13800000001"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
ROOM = "room000000000001"
MERGE = StreamJob("pk-1", StreamJobKind.MERGE, ROOM, ("ann", "bob"), "ann")
FORWARD = StreamJob("single-1", StreamJobKind.FORWARD, ROOM, ("ann",), "ann")
Configure = Callable[..., Assembly]


@pytest.fixture
async def configured(qiniu: FakeQiniu) -> AsyncIterator[Configure]:
    """Assemble servers with further keys in the sections ``rtc`` and ``storage``."""
    async with AsyncExitStack() as stack:

        def configure(*, rtc: Any = None, storage: Any = None) -> Assembly:
            document = {
                "store": {"path": ":memory:"},
                "sms": {
                    "provider": "qiniu",
                    "qiniu_sms": {"template_id": TEMPLATE, "signature_id": SIGNATURE, "api_host": qiniu.url},
                },
                "rtc": {
                    "app_id": APP,
                    "api_host": qiniu.url,
                    "pili_api_host": qiniu.url,
                    "play_host": "play.example.com",
                    "publish_host": "publish.example.com",
                    "publish_hub": HUB,
                    **(rtc or {}),
                },
                "storage": {"bucket": qiniu.kodo.bucket, **(storage or {})},
            }
            environ = {
                "QINIU_ACCESS_KEY": qiniu.keys.key,
                "QINIU_SECRET_KEY": qiniu.keys.secret,
                "QLIVE_PUBLISH_KEY": qiniu.knobs.publish_key,
            }
            assembly = assemble(
                read_settings(json.dumps(document), environ, source="qlive.conf").settings, Metrics()
            )
            stack.push_async_callback(assembly.stores.close)
            for each in assembly.clouds.closing:
                stack.push_async_callback(each.aclose)
            return assembly

        yield configure


def _media(assembly: Assembly) -> Media:
    assert assembly.clouds.media is not None
    return assembly.clouds.media


async def test_a_person_logs_in_with_a_message(qiniu: FakeQiniu, configured: Configure) -> None:
    """The code that arrives is the one that opens the account."""
    assembly = configured()
    await assembly.services.codes.send(PHONE, "127.0.0.1")
    (message,) = qiniu.sms.to(PHONE)
    outcome = await assembly.services.sessions.login(PHONE, str(message.parameters["code"]))
    assert outcome.reply.account.phone == PHONE


async def test_the_cloud_may_find_that_it_is_too_much(qiniu: FakeQiniu, configured: Configure) -> None:
    """In either of the ways in which it says so."""
    sms = configured().services.codes.sms
    qiniu.knobs.sms_interval_s = 60
    await sms.send_code(PHONE, "123456")
    for status in (429, 403):
        qiniu.knobs.sms_limit_status = status
        with pytest.raises(SmsCodeLimited):
            await sms.send_code(PHONE, "123457")
    assert len(qiniu.sms.to(PHONE)) == 1


async def test_a_clock_that_is_off_is_no_limit(qiniu: FakeQiniu, configured: Configure) -> None:
    """The cloud refuses every request then, and nobody can do anything about it but the operator."""
    qiniu.clock.advance(16 * 60)
    with pytest.raises(ProviderUnavailable):
        await configured().services.codes.sms.send_code(PHONE, "123456")


async def test_people_are_seen_and_put_out(qiniu: FakeQiniu, configured: Configure) -> None:
    """With our tokens they come in; who is out already is no error."""
    assembly = configured()
    rooms = _media(assembly).rooms
    assert await rooms.members(ROOM) == frozenset()
    await rooms.kick(ROOM, "ann")
    for user in ("ann", "bob"):
        qiniu.rtc.join(assembly.services.rooms.token(ROOM, user, "user"))
    assert await rooms.members(ROOM) == {"ann", "bob"}
    for _ in range(2):
        await rooms.kick(ROOM, "ann")
    assert await rooms.members(ROOM) == {"bob"}


async def test_an_application_that_is_not_there(configured: Configure) -> None:
    """It is not taken for an empty room."""
    media = _media(configured(rtc={"app_id": "another"}))
    for call in (media.rooms.members(ROOM), media.rooms.kick(ROOM, "ann"), media.jobs.start(MERGE)):
        with pytest.raises(ProviderUnavailable):
            await call


@pytest.mark.parametrize("security", ["none", "static", "expiry", "expiry_sk"])
@pytest.mark.parametrize("job", [MERGE, FORWARD], ids=["merge", "forward"])
async def test_jobs_publish_the_hosts_stream(
    qiniu: FakeQiniu, configured: Configure, security: Any, job: StreamJob
) -> None:
    """However the hub is protected; starting and stopping twice is doing it once."""
    qiniu.knobs.publish_security = security
    media = _media(configured(rtc={"publish_security": security}))
    assert not await media.streams.is_live("ann")
    for _ in range(2):
        await media.jobs.start(job)
    assert await media.streams.is_live("ann")
    for _ in range(2):
        await media.jobs.stop(job)
    assert not await media.streams.is_live("ann")


@pytest.mark.parametrize("offline", ["zeros", "404", "619"])
@pytest.mark.parametrize("missing", [404, 612])
async def test_offline_in_every_dialect(
    qiniu: FakeQiniu, configured: Configure, offline: Any, missing: Any
) -> None:
    """Whether there ever was such a stream or not."""
    qiniu.knobs.offline_live, qiniu.knobs.missing_stream = offline, missing
    media = _media(configured())
    assert not await media.streams.is_live("ann")
    await media.jobs.start(FORWARD)
    await media.jobs.stop(FORWARD)
    assert not await media.streams.is_live("ann")


@pytest.mark.parametrize("play_format", ["rtmp", "hls", "flv"])
@pytest.mark.parametrize("base", [10, 16])
async def test_play_urls_are_good_for_their_time(
    qiniu: FakeQiniu, configured: Configure, play_format: str, base: Any
) -> None:
    """At least as long as configured and at most twice that."""
    qiniu.knobs.play_security, qiniu.knobs.play_time_base = "expire", base
    rtc = {"play_format": play_format, "play_time_base": str(base), "play_url_expire_s": 1000}
    assembly = configured(rtc=rtc | {"play_key": qiniu.knobs.play_key})
    qiniu.pili.publish(f"rtmp://publish.example.com/{HUB}/ann")
    url = assembly.services.rtc.play_url("ann")
    for elapsed in (0, 995):
        qiniu.clock.advance(elapsed)
        assert qiniu.pili.play(url).name == "ann"
    qiniu.clock.advance(1010)
    with pytest.raises(PlayRefused):
        qiniu.pili.play(url)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.png", PNG, 200),
        ("a.png", PNG + bytes(1000), 413),
        ("a.png", b"<script>", 403),
        ("b.png", PNG, 403),
    ],
)
async def test_uploads_are_what_they_are_allowed_to_be(
    qiniu: FakeQiniu, configured: Configure, name: str, content: bytes, status: int
) -> None:
    """Neither too large, nor of another kind, nor under another name."""
    assembly = configured(storage={"max_bytes": 1000, "mime_types": ["image/png", "image/jpeg"]})
    permission = assembly.services.uploads.permit("ann", "a.png", 60)
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            qiniu.url + "/",
            data={"token": permission.token, "key": name},
            files={"file": (name, content, "text/html")},
        )
    assert answer.status_code == status
    assert set(qiniu.kodo.files) == ({name} if status == 200 else set())
