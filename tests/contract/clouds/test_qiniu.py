"""Qiniu's adapters over real sockets, against a server that checks signatures with the vendor's own library."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from qlive_adapters.local import SystemClock
from qlive_adapters.outgoing import Vendor
from qlive_adapters.qiniu import (
    Credentials,
    QiniuAuth,
    QiniuRtcRooms,
    QiniuSms,
    QiniuStreamJobs,
    QiniuStreams,
)
from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import ProviderUnavailable, SmsCodeLimited
from qlive_core.ports.clouds import StreamJob, StreamJobKind

from .scripted_qiniu import ACCESS_KEY, SECRET_KEY, Behaviour, Reply, ScriptedQiniu, scripted_qiniu

PHONE, CODE = "13800000001", "654321"
TOKEN_REFUSED = Reply(401, {"error": "bad token"})
NO_SUCH_APP = Reply(612, {"error": "app not found"})
Connect = Callable[..., Vendor]


@pytest.fixture
async def cloud() -> AsyncIterator[ScriptedQiniu]:
    async with scripted_qiniu() as cloud:
        yield cloud


@pytest.fixture
async def connect(cloud: ScriptedQiniu) -> AsyncIterator[Connect]:
    """Make vendors with a key pair, at the server unless it is somewhere else."""
    made: list[Vendor] = []

    def vendor(secret_key: str = SECRET_KEY, url: str = "") -> Vendor:
        auth = QiniuAuth(Credentials(ACCESS_KEY, secret_key), SystemClock())
        made.append(Vendor("qiniu", [url or cloud.url], Metrics(), auth=auth))
        return made[-1]

    yield vendor
    for each in made:
        await each.aclose()


def _sms(vendor: Vendor, signature_id: str = "1138278041873555456") -> QiniuSms:
    return QiniuSms(vendor, template_id="1138278041873555457", signature_id=signature_id, budget_s=0.5)


async def test_a_code_is_sent_with_the_body_of_the_original(cloud: ScriptedQiniu, connect: Connect) -> None:
    """Byte for byte."""
    await _sms(connect()).send_code(PHONE, CODE)
    (request,) = cloud.received
    assert (request.method, request.target) == ("POST", "/v1/message")
    assert request.content == (
        b'{"signature_id":"1138278041873555456","template_id":"1138278041873555457",'
        b'"mobiles":["13800000001"],"parameters":{"code":"654321"}}'
    )


async def test_a_template_may_have_its_signature(cloud: ScriptedQiniu, connect: Connect) -> None:
    """Then none is named."""
    await _sms(connect(), signature_id="").send_code(PHONE, CODE)
    assert list(cloud.received[0].body) == ["template_id", "mobiles", "parameters"]


@pytest.mark.parametrize(
    ("behaviour", "error", "level"),
    [
        (Reply(200, {"job_id": "1"}), None, "debug"),
        (Reply(200), None, "debug"),
        (Reply(429, {"error": "x"}), SmsCodeLimited, "warning"),
        (Reply(403, {"error": "x", "message": f"no more for {PHONE}"}), SmsCodeLimited, "warning"),
        (Reply(400, {"error": "x", "message": "frequency limit"}), SmsCodeLimited, "warning"),
        (Reply(403, {"error": "request time too skewed"}), ProviderUnavailable, "error"),
        (Reply(400, {"error": "x", "message": f"bad {PHONE}, {CODE}"}), ProviderUnavailable, "error"),
        (TOKEN_REFUSED, ProviderUnavailable, "error"),
        (Reply(500, {"error": f"for {PHONE}"}), ProviderUnavailable, "warning"),
        (Reply(502), ProviderUnavailable, "warning"),
        ("silent", None, "warning"),
        ("hang up", None, "warning"),
    ],
)
async def test_what_becomes_of_a_code(
    cloud: ScriptedQiniu, connect: Connect, behaviour: Behaviour, error: type[Exception] | None, level: str
) -> None:
    """Refusals are errors, silence is not, nothing is sent twice, and the log names neither phone nor code."""
    cloud.script.append(behaviour)
    with capture_logs() as logs:
        if error is None:
            await _sms(connect()).send_code(PHONE, CODE)
        else:
            with pytest.raises(error):
                await _sms(connect()).send_code(PHONE, CODE)
    assert len(cloud.received) == 1
    levels = ["debug", "info", "warning", "error"]
    assert max((line["log_level"] for line in logs), key=levels.index) == level
    assert PHONE not in str(logs)
    assert CODE not in str(logs)


async def test_a_code_is_certainly_not_sent_without_a_connection(connect: Connect) -> None:
    """So the person can try again at once."""
    async with scripted_qiniu() as gone:
        url = gone.url
    with pytest.raises(ProviderUnavailable):
        await _sms(connect(url=url)).send_code(PHONE, CODE)


async def test_a_wrong_secret_is_an_error_for_the_operator(cloud: ScriptedQiniu, connect: Connect) -> None:
    """It does not look like an outage."""
    with capture_logs() as logs, pytest.raises(ProviderUnavailable):
        await _sms(connect(secret_key="wrong")).send_code(PHONE, CODE)
    assert not cloud.received
    assert "error" in {line["log_level"] for line in logs}


@pytest.mark.parametrize(
    ("reply", "members"),
    [
        (Reply(200, {"users": [{"userId": "ann"}, {"userId": "bob"}]}), {"ann", "bob"}),
        (Reply(200, {"users": []}), set()),
        (Reply(200, {"users": None}), set()),
        (Reply(200, {}), set()),
        (Reply(612, {"error": "room not found"}), set()),
        (Reply(615, {"error": "room not active"}), set()),
    ],
)
async def test_members(cloud: ScriptedQiniu, connect: Connect, reply: Reply, members: set[str]) -> None:
    """Nobody is in a room that does not exist."""
    cloud.script.append(reply)
    assert await QiniuRtcRooms(connect(), "app").members("room-a") == members
    assert [(each.method, each.target) for each in cloud.received] == [
        ("GET", "/v3/apps/app/rooms/room-a/users")
    ]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200),
        Reply(200, {}),
        Reply(612, {"error": "user not found"}),
        Reply(615, {"error": "room not active"}),
    ],
)
async def test_kicking(cloud: ScriptedQiniu, connect: Connect, reply: Reply) -> None:
    """Who is not there is out."""
    cloud.script.append(reply)
    await QiniuRtcRooms(connect(), "app").kick("room-a", "ann")
    assert [(each.method, each.target) for each in cloud.received] == [
        ("DELETE", "/v3/apps/app/rooms/room-a/users/ann")
    ]


JOB = StreamJob("job-1", StreamJobKind.MERGE, "room-a", ("ann", "bob"), "ann")


def _jobs(vendor: Vendor) -> QiniuStreamJobs:
    return QiniuStreamJobs(vendor, "app", lambda host_id: f"rtmp://p.com/hub/{host_id}?expire=1")


async def test_a_merge_shows_people_side_by_side(cloud: ScriptedQiniu, connect: Connect) -> None:
    """Each as high as a telephone held upright, on the stream of the host."""
    await _jobs(connect()).start(JOB)
    (request,) = cloud.received
    assert (request.method, request.target) == ("POST", "/v4/apps/app/rooms/room-a/jobs")
    places = [{"x": x, "y": 0, "w": 360, "h": 640, "z": 0} for x in (0, 360)]
    assert request.body == {
        "id": "job-1",
        "type": "basic",
        "inputs": [
            {"kind": "media", "userId": user, "position": place}
            for user, place in zip(("ann", "bob"), places, strict=True)
        ],
        "config": {"fps": 25, "kbps": 1500, "width": 720, "height": 640, "stretchMode": "aspectFill"},
        "outputs": [{"type": "rtmp", "url": "rtmp://p.com/hub/ann?expire=1"}],
    }


@pytest.mark.parametrize("people", range(1, 9))
async def test_merges_of_any_number(cloud: ScriptedQiniu, connect: Connect, people: int) -> None:
    """The columns fill the picture, and all sizes are even; one person has all of it."""
    job = StreamJob("j", StreamJobKind.MERGE, "r", tuple(map(str, range(people))), "0")
    await _jobs(connect()).start(job)
    body = cloud.received[0].body
    places, config = [each["position"] for each in body["inputs"]], body["config"]
    assert sum(place["w"] for place in places) == config["width"]
    assert [place["x"] for place in places] == [place["w"] * column for column, place in enumerate(places)]
    assert {place["h"] for place in places} == {config["height"]}
    assert not any(size % 2 for size in (config["width"], config["height"], places[0]["w"]))
    if people == 1:
        assert (config["width"], config["height"]) == (720, 1280)


async def test_a_forward_is_one_persons_stream(cloud: ScriptedQiniu, connect: Connect) -> None:
    """As it is, so without a picture to compose."""
    await _jobs(connect()).start(StreamJob("j", StreamJobKind.FORWARD, "r", ("ann",), "ann"))
    assert cloud.received[0].body == {
        "id": "j",
        "type": "simple",
        "inputs": [{"kind": "media", "userId": "ann"}],
        "outputs": [{"type": "rtmp", "url": "rtmp://p.com/hub/ann?expire=1"}],
    }


@pytest.mark.parametrize("reply", [Reply(614, {"error": "x"}), Reply(400, {"error": "job already exists"})])
async def test_a_job_that_runs_is_started(cloud: ScriptedQiniu, connect: Connect, reply: Reply) -> None:
    """Its id is ours, so it is the same one."""
    cloud.script.append(reply)
    await _jobs(connect()).start(JOB)
    assert len(cloud.received) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"status": "OK", "id": "job-1"}),
        Reply(612, {"error": "job not found"}),
        Reply(404),
        Reply(615),
    ],
)
async def test_a_job_that_does_not_run_is_stopped(
    cloud: ScriptedQiniu, connect: Connect, reply: Reply
) -> None:
    """Whatever ended it."""
    cloud.script.append(reply)
    await _jobs(connect()).stop(JOB)
    (request,) = cloud.received
    assert (request.target, request.body) == ("/v4/apps/app/rooms/room-a/jobs/stop", {"id": "job-1"})


@pytest.mark.parametrize(
    ("reply", "is_live"),
    [
        (Reply(200, {"startAt": 1463577162, "clientIP": "1.2.3.4", "bps": 100}), True),
        (Reply(200, {"startAt": 0, "clientIP": "", "bps": 0}), False),
        (Reply(200, {}), False),
        (Reply(404, {"error": "not found"}), False),
        (Reply(612, {"error": "stream not found"}), False),
        (Reply(619, {"error": "no live"}), False),
    ],
)
async def test_whether_a_stream_is_live(
    cloud: ScriptedQiniu, connect: Connect, reply: Reply, is_live: bool
) -> None:
    """However the vendor says that it is not."""
    cloud.script.append(reply)
    assert await QiniuStreams(connect(), "hub").is_live("user0001") is is_live
    assert [(each.method, each.target) for each in cloud.received] == [
        ("GET", "/v2/hubs/hub/streams/dXNlcjAwMDE=/live")
    ]


async def test_which_of_many_streams_are_live(cloud: ScriptedQiniu, connect: Connect) -> None:
    """A hundred in one call, which is as many as the vendor takes."""
    cloud.script += [
        Reply(200, {"items": [{"key": "0", "startAt": 1, "fps": {"audio": 1}}, {"key": "99", "startAt": 1}]}),
        Reply(200, {"items": None}),
        Reply(200, {"items": [{"key": "249", "startAt": 1}]}),
    ]
    hosts = [str(number) for number in range(250)]
    assert await QiniuStreams(connect(), "hub").live_among(hosts) == {"0", "99", "249"}
    assert [each.target for each in cloud.received] == ["/v2/hubs/hub/livestreams"] * 3
    assert [host for each in cloud.received for host in each.body["items"]] == hosts
    assert max(len(each.body["items"]) for each in cloud.received) == 100
    assert await QiniuStreams(connect(), "hub").live_among([]) == set()
    assert len(cloud.received) == 3


async def test_cutting_a_stream_off(cloud: ScriptedQiniu, connect: Connect) -> None:
    """For ever, for a while, and not any more; a stream that there never was is cut off already."""
    streams = QiniuStreams(connect(), "hub")
    cloud.script += [Reply(200), Reply(200), Reply(612, {"error": "stream not found"})]
    await streams.disable("user0001")
    await streams.disable("user0001", until=1_700_000_000)
    await streams.enable("user0001")
    assert {each.target for each in cloud.received} == {"/v2/hubs/hub/streams/dXNlcjAwMDE=/disabled"}
    assert [each.body for each in cloud.received] == [
        {"disabledTill": -1},
        {"disabledTill": 1_700_000_000},
        {"disabledTill": 0},
    ]


def _calls(vendor: Vendor) -> dict[str, Callable[[], Any]]:
    rooms, jobs, streams = QiniuRtcRooms(vendor, "app"), _jobs(vendor), QiniuStreams(vendor, "hub")
    return {
        "members": lambda: rooms.members("r"),
        "kick": lambda: rooms.kick("r", "u"),
        "start": lambda: jobs.start(JOB),
        "stop": lambda: jobs.stop(JOB),
        "is_live": lambda: streams.is_live("u"),
        "live_among": lambda: streams.live_among(["u"]),
        "disable": lambda: streams.disable("u"),
        "enable": lambda: streams.enable("u"),
    }


CALLS = ["members", "kick", "start", "stop", "is_live", "live_among", "disable", "enable"]


@pytest.mark.parametrize("call", CALLS)
async def test_what_can_be_repeated_is(cloud: ScriptedQiniu, connect: Connect, call: str) -> None:
    """One failure is nothing that anybody notices."""
    cloud.script += ["hang up", Reply(200, {})]
    await _calls(connect())[call]()
    first, second = cloud.received
    assert first == second


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "reply", [TOKEN_REFUSED, Reply(400, {"error": "invalid args"}), Reply(573), Reply(302)]
)
async def test_refusals_are_not_taken_for_success(
    cloud: ScriptedQiniu, connect: Connect, call: str, reply: Reply
) -> None:
    """Nor asked for again."""
    cloud.script += [reply]
    with pytest.raises(ProviderUnavailable):
        await _calls(connect())[call]()
    assert len(cloud.received) == 1


@pytest.mark.parametrize("call", ["members", "kick", "start", "stop"])
async def test_an_unknown_application_is_not_an_empty_room(
    cloud: ScriptedQiniu, connect: Connect, call: str
) -> None:
    """It is a mistake in the configuration that must not pass for success."""
    cloud.script.append(NO_SUCH_APP)
    with pytest.raises(ProviderUnavailable):
        await _calls(connect())[call]()
