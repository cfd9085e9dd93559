"""What the fake of Qiniu knows of rooms, streams and files, and what it refuses."""

import hashlib
import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from qlive_app.fakes import FakeQiniu
from qlive_app.fakes.qiniu.pili import PlayRefused, PublishRefused
from qlive_app.fakes.qiniu.rtc import APP, TokenRefused
from qlive_app.fakes.serving import Fault

from .application import Application
from .gate_vectors import group, name
from .vendor import Signed, room_token, sdk, upload_token

PNG = b"\x89PNG\r\n\x1a\n and more"
HUB = "qlive-test-hub"
ADDRESS = f"rtmp://publish.example.com/{HUB}/ada"
JOB = {
    "type": "basic",
    "id": "merge-0001",
    "inputs": [{"kind": "media", "userId": "ada", "position": {"x": 0, "y": 0, "w": 360, "h": 640, "z": 0}}],
    "config": {"width": 720, "height": 640, "stretchMode": "aspectFill"},
    "outputs": [{"type": "rtmp", "url": ADDRESS}],
}


@pytest.fixture
def api(qiniu: FakeQiniu, http: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client whose calls the vendor's SDK signs."""
    http.base_url = httpx.URL(qiniu.url)
    http.auth = Signed(qiniu)
    return http


# Rooms.


@pytest.mark.parametrize(
    "wrong",
    [
        {"appId": "other"},
        {"roomName": "ro"},
        {"roomName": "room 1"},
        {"userId": "a" * 51},
        {"permission": "root"},
        {"expireAt": 1700000000},
        {"expireAt": "4000000000"},
    ],
    ids=str,
)
def test_a_token_that_lets_nobody_in(wrong: dict[str, object]) -> None:
    """Each claim has its form, and the token its time."""
    fake = FakeQiniu()
    with pytest.raises(
        TokenRefused, match=next(iter(wrong)) if wrong != {"expireAt": 1700000000} else "expired"
    ):
        fake.rtc.join(room_token(fake, "room0001", "ada", **wrong))
    assert fake.rtc.members("room0001") == set()


def test_joining_and_leaving() -> None:
    """Who joins is in the room, and the last one who leaves closes it."""
    fake = FakeQiniu()
    joined = fake.rtc.join(room_token(fake, "room0001", "ada", permission="admin"))
    assert (joined.room, joined.user_id, joined.permission) == ("room0001", "ada", "admin")
    fake.rtc.leave("room0001", "ada")
    assert fake.rtc.apps[APP] == {}


async def test_rooms_by_the_page(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """Following ``offset`` until ``end`` shows each room once."""
    for number in range(5):
        qiniu.rtc.join(room_token(qiniu, f"room{number}", "ada"))
    seen: list[str] = []
    offset, end = 0, False
    while not end:
        page = (await api.get(f"/v3/apps/{APP}/rooms?prefix=room&offset={offset}&limit=2")).json()
        seen += page["rooms"]
        offset, end = page["offset"], page["end"]
    assert seen == [f"room{number}" for number in range(5)]


async def test_a_job_publishes_a_stream(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """As long as it runs; starting it again by its own id leaves one, stopping it twice is no error."""
    jobs = f"/v4/apps/{APP}/rooms/room0001/jobs"
    for _ in range(2):
        assert (await api.post(jobs, json=JOB)).json() == {"status": "OK", "id": "merge-0001"}
    assert len(qiniu.rtc.jobs) == 1
    assert qiniu.pili.is_live("ada")
    for _ in range(2):
        assert (await api.post(f"{jobs}/stop", json={"id": "merge-0001"})).status_code == 200
    assert not qiniu.pili.is_live("ada")
    assert (await api.post(f"{jobs}/update", json=JOB)).status_code == 612


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "other"},
        {"inputs": []},
        {"inputs": [{"kind": "media"}]},
        {"inputs": [{"kind": "media", "userId": "ada", "position": {"w": 361}}]},
        {"config": {"width": 721}},
        {"config": {"stretchMode": "other"}},
        {"outputs": []},
        {"outputs": [{"type": "rtmp", "url": "https://example.com"}]},
    ],
    ids=str,
)
async def test_a_job_that_is_refused(
    qiniu: FakeQiniu, api: httpx.AsyncClient, wrong: dict[str, object]
) -> None:
    """What the vendor calls invalid input starts nothing."""
    answer = await api.post(f"/v4/apps/{APP}/rooms/room0001/jobs", json={**JOB, **wrong})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid input"})
    assert not qiniu.rtc.jobs


# Streams.


def in_our_hub(vector: dict[str, Any]) -> FakeQiniu:
    """A fake that is set up as the vector was made."""
    arguments, fake = vector["args"], FakeQiniu()
    fake.pili.hub = vector["signed_url"].split("/")[3]
    ends = arguments.get("ExpireAt", arguments.get("Timestamp", fake.clock.now()))
    fake.clock.advance(ends - 60 - fake.clock.now())
    if "PublishKey" in arguments or "SecretKey" in arguments:
        fake.knobs.publish_security = arguments["SecurityType"]
        fake.knobs.publish_key = arguments.get("PublishKey", "")
    else:
        fake.knobs.play_security, fake.knobs.play_key = "expire", arguments["Key"]
        fake.knobs.play_time_base = arguments["TsBase"]
    return fake


def publishing(vector: dict[str, Any]) -> bool:
    keys = vector["args"].get("AccessKey", "qlive-test-ak")
    return "Timestamp" not in vector["args"] and keys == "qlive-test-ak"


PUBLISH = [each for each in group("pili_signed_url") if publishing(each)]
PLAY = [each for each in group("pili_signed_url") if "Timestamp" in each["args"]]


@pytest.mark.parametrize("vector", PUBLISH, ids=name)
def test_addresses_to_publish_to(vector: dict[str, Any]) -> None:
    """What the vendor signed is let in until it expires; unsigned, altered and late ones are not."""
    fake, url = in_our_hub(vector), vector["signed_url"]
    stream = fake.pili.publish(url)
    assert fake.pili.is_live(stream.name)
    for wrong in (url.partition("?")[0], re.sub("(key|token)=", r"\1=x", url)):
        with pytest.raises(PublishRefused):
            fake.pili.publish(wrong)
    if "ExpireAt" in vector["args"]:
        fake.clock.advance(61)
        with pytest.raises(PublishRefused, match="time to come"):
            fake.pili.publish(url)


@pytest.mark.parametrize("vector", PLAY, ids=name)
def test_addresses_to_play(vector: dict[str, Any]) -> None:
    """What the vendor signed plays a live stream until it expires; altered ones do not."""
    fake, url = in_our_hub(vector), vector["signed_url"]
    with pytest.raises(PlayRefused, match="not live"):
        fake.pili.play(url)
    plain = vector["input_url"].split("/")
    fake.pili.publish(f"rtmp://publish.example.com/{plain[3]}/{plain[4].partition('.')[0]}")
    fake.pili.play(url)
    with pytest.raises(PlayRefused, match="sign is not"):
        fake.pili.play(url.replace("t=", "t=1"))
    fake.clock.advance(61)
    with pytest.raises(PlayRefused, match="expired"):
        fake.pili.play(url)


async def test_a_stream_over_its_life(qiniu: FakeQiniu, api: httpx.AsyncClient) -> None:
    """Unknown, live, cut off by being disabled, and allowed again."""
    path = f"/v2/hubs/{HUB}/streams/YWRh"
    assert (await api.get(f"{path}/live")).status_code == 612
    qiniu.pili.publish(ADDRESS)
    assert (await api.get(f"{path}/live")).json()["startAt"] > 0
    live = await api.post(f"/v2/hubs/{HUB}/livestreams", json={"items": ["ada", "bob"]})
    assert [each["key"] for each in live.json()["items"]] == ["ada"]
    assert (await api.post(f"{path}/disabled", json={"disabledTill": -1})).status_code == 200
    assert (await api.get(f"{path}/live")).json()["startAt"] == 0
    assert len((await api.get(f"{path}/historyactivity")).json()["items"]) == 1
    with pytest.raises(PublishRefused, match="disabled"):
        qiniu.pili.publish(ADDRESS)
    await api.post(f"{path}/disabled", json={"disabledTill": 0})
    qiniu.pili.publish(ADDRESS)
    assert (await api.get(f"/v2/hubs/{HUB}/streams?liveonly=true")).json() == {
        "items": [{"key": "ada"}],
        "marker": "",
    }


@pytest.mark.parametrize(("mode", "status"), [("zeros", 200), ("404", 404), ("619", 619)])
async def test_ways_to_be_offline(qiniu: FakeQiniu, api: httpx.AsyncClient, mode: Any, status: int) -> None:
    """All that are seen in the field can be had."""
    qiniu.pili.publish(ADDRESS)
    qiniu.pili.stop(ADDRESS)
    qiniu.knobs.offline_live = mode
    assert (await api.get(f"/v2/hubs/{HUB}/streams/YWRh/live")).status_code == status


async def test_titles_are_in_url_safe_base64(api: httpx.AsyncClient) -> None:
    """With padding; the other alphabet is a mistake that the vendor would not find a stream for either."""
    assert (await api.get(f"/v2/hubs/{HUB}/streams/YT9iPmM/live")).status_code == 400
    assert (await api.get(f"/v2/hubs/{HUB}/streams/YT9iPm+=/live")).status_code == 400
    assert (await api.get(f"/v2/hubs/{HUB}/streams/YT9iPmM=/live")).status_code == 612


# Files.


async def put(fake: FakeQiniu, http: httpx.AsyncClient, token: str, key: str, **form: Any) -> httpx.Response:
    fields = {"token": token, "key": key, **{name: value for name, value in form.items() if name != "file"}}
    return await http.post(
        f"{fake.url}/", data=fields, files={"file": form.get("file", ("a.png", PNG, "image/png"))}
    )


@pytest.mark.parametrize(
    ("key", "policy", "form", "status"),
    [
        ("a.png", {}, {}, 200),
        ("b.png", {}, {}, 403),
        ("a.png", {"fsizeLimit": 5}, {}, 413),
        ("a.png", {"fsizeMin": 500}, {}, 403),
        ("a.png", {"mimeLimit": "image/*"}, {}, 200),
        ("a.png", {"mimeLimit": "image/jpeg;image/webp"}, {}, 403),
        ("a.png", {"mimeLimit": "!image/png"}, {}, 403),
        (
            "a.png",
            {"mimeLimit": "image/png", "detectMime": 1},
            {"file": ("a", b"no image", "text/plain")},
            403,
        ),
        ("a.png", {"mimeLimit": "image/png", "detectMime": 1}, {"file": ("a", PNG, "text/plain")}, 200),
        ("a.png", {}, {"crc32": "1"}, 406),
    ],
)
async def test_what_a_token_permits(
    qiniu: FakeQiniu,
    http: httpx.AsyncClient,
    key: str,
    policy: dict[str, object],
    form: dict[str, Any],
    status: int,
) -> None:
    """Key, size and type are held against the policy; what is refused is not stored."""
    answer = await put(qiniu, http, upload_token(qiniu, "a.png", policy), key, **form)
    assert answer.status_code == status, answer.text
    assert ("a.png" in qiniu.kodo.files) is (status == 200)


async def test_tokens_that_permit_nothing(qiniu: FakeQiniu, http: httpx.AsyncClient) -> None:
    """No token, one of another key pair, one for another bucket, and one whose time is over."""
    good = upload_token(qiniu, "a.png", {})
    statuses = [
        (await put(qiniu, http, token, "a.png")).status_code
        for token in ("", good[:-4] + "AAAA", upload_token(qiniu, "a.png", {}, bucket="other"))
    ]
    qiniu.clock.advance(61)
    statuses.append((await put(qiniu, http, good, "a.png")).status_code)
    assert statuses == [401, 401, 631, 401]


async def test_overwriting(qiniu: FakeQiniu, http: httpx.AsyncClient) -> None:
    """A token for a key may, unless it is for insertion only; a token for the bucket may not."""
    other = {"file": ("b.png", PNG + b"!", "image/png")}
    assert (
        await put(qiniu, http, upload_token(qiniu, "a.png", {"insertOnly": 1}), "a.png")
    ).status_code == 200
    for token in (upload_token(qiniu, "a.png", {"insertOnly": 1}), upload_token(qiniu, None, {})):
        assert (await put(qiniu, http, token, "a.png", **other)).status_code == 614
    assert (await put(qiniu, http, upload_token(qiniu, "a.png", {}), "a.png", **other)).status_code == 200
    assert (await http.get(f"{qiniu.url}/files/a.png")).content == PNG + b"!"


async def test_a_call_back_after_an_upload(
    qiniu: FakeQiniu, http: httpx.AsyncClient, application: Application
) -> None:
    """It is signed, its answer goes to whoever uploads, and if it fails the file is stored all the same."""
    policy = {
        "callbackUrl": f"{application.url}/uploaded?from=kodo",
        "callbackBody": "key=$(key)&size=$(fsize)&by=$(endUser)&tag=$(x:tag)",
        "endUser": "ada & co",
    }
    token = upload_token(qiniu, "a.png", policy)
    answer = await put(qiniu, http, token, "a.png", **{"x:tag": "t&1"})
    assert answer.json() == {"seen": "a.png"}
    (call,) = application.calls.to("/uploaded")
    assert parse_qs(call.request.body.decode()) == {
        "key": ["a.png"],
        "size": [str(len(PNG))],
        "by": ["ada & co"],
        "tag": ["t&1"],
    }
    auth = sdk.Auth(qiniu.keys.key, qiniu.keys.secret)
    assert auth.verify_callback(
        call.request.header("Authorization"), call.request.target, call.request.body.decode()
    )
    application.faults.add(Fault("answer", status=500))
    failed = await put(qiniu, http, upload_token(qiniu, "b.png", policy), "b.png")
    assert failed.status_code == 579
    assert "b.png" in qiniu.kodo.files


async def test_hashes_of_large_files(qiniu: FakeQiniu, http: httpx.AsyncClient) -> None:
    """Above 4 MiB the hash is one of hashes, as the SDK computes it."""
    data = hashlib.sha256(b"x").digest() * 150_000
    answer = await put(qiniu, http, upload_token(qiniu, "big", {}), "big", file=("big", data, "text/plain"))
    utils = sdk.utils
    assert answer.json()["hash"] == utils.etag_stream(BytesIO(data))
