"""The whole HTTP face on an embedded store in memory, without sockets."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from attrs import evolve

from qlive_app.bootstrap import Assembly, assemble
from qlive_app.config import Settings
from qlive_app.config.consistency import ROUTES_OF_THE_API
from qlive_app.config.settings import Rtc, Sms, Store
from qlive_app.runtime.metrics import Metrics

PHONES = [f"1380000000{number}" for number in range(5)]
SETTINGS = Settings(
    store=Store(path=":memory:"),
    sms=Sms(fixed_codes=dict.fromkeys(PHONES, "1")),
    cors_origins=("https://example.com",),
)


@pytest.fixture
async def assembly() -> AsyncIterator[Assembly]:
    assembly = assemble(SETTINGS, Metrics())
    await assembly.mirror.load()
    yield assembly
    await assembly.stores.close()


@pytest.fixture
async def http(assembly: Assembly) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(assembly.http_app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport, trust_env=False, base_url="http://qlive.example.com:8080"
    ) as client:
        yield client


async def _login(http: httpx.AsyncClient, phone: str) -> dict[str, str]:
    """Return the header with which the user is logged in."""
    body = {"phoneNumber": phone, "smsCode": "1"}
    answer = await http.post("/v1/login?logintype=smscode", json=body)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def _go_live(http: httpx.AsyncClient, phone: str) -> tuple[dict[str, str], str]:
    user = await _login(http, phone)
    answer = await http.post("/v1/rooms", headers=user, json={"roomName": f"room of {phone}"})
    return user, answer.json()["roomID"]


async def _listed(http: httpx.AsyncClient, user: dict[str, str], query: str = "") -> Any:
    answer = await http.get(f"/v1/rooms{query}", headers=user)
    rooms = answer.json()["rooms"]
    return None if rooms is None else [room["id"] for room in rooms]


async def test_the_configuration_knows_all_routes(http: httpx.AsyncClient) -> None:
    """Metrics could be put where one of them is, and neither would be what operators expect."""
    served = (await http.get("/swagger/openapi.json")).json()["paths"].keys() - {"/metrics"}
    assert all(
        any(path == route or path.startswith(f"{route}/") for route in ROUTES_OF_THE_API) for path in served
    )


async def test_a_kept_list_is_for_those_who_may_see_it(http: httpx.AsyncClient) -> None:
    """A list that was shown to one is not shown to somebody who is not logged in."""
    viewer = await _login(http, PHONES[0])
    await _go_live(http, PHONES[1])
    assert len(await _listed(http, viewer)) == 1
    assert (await http.get("/v1/rooms")).json()["code"] == 401001
    assert (await http.get("/v1/rooms", headers={"Authorization": "Bearer x"})).json()["code"] == 401003


async def test_a_kept_list_hides_the_callers_own_room(http: httpx.AsyncClient) -> None:
    """Whoever asked before: hosts never see their own room in the list of all."""
    viewer = await _login(http, PHONES[0])
    ann, ann_room = await _go_live(http, PHONES[1])
    bob, bob_room = await _go_live(http, PHONES[2])
    for _ in range(2):
        assert await _listed(http, viewer) == [ann_room, bob_room]
        assert await _listed(http, ann) == [bob_room]
        assert await _listed(http, bob) == [ann_room]
    assert await _listed(http, ann, "?can_pk=true") == [bob_room]


async def test_a_kept_list_is_never_stale(http: httpx.AsyncClient) -> None:
    """Everything that a list shows is shown as it is: rooms, names, audience and profiles."""
    viewer = await _login(http, PHONES[0])
    assert await _listed(http, viewer) is None
    ann, room = await _go_live(http, PHONES[1])

    async def shown() -> Any:
        answer = await http.get("/v1/rooms", headers=viewer)
        (one,) = answer.json()["rooms"]
        return one["name"], one["audienceNumber"], one["creator"]["nickname"]

    assert await shown() == (f"room of {PHONES[1]}", 0, "用户_0001")
    await http.put(f"/v1/rooms/{room}", headers=ann, json={"roomName": "new"})
    await http.post("/v1/enter_room", headers=viewer, json={"roomID": room})
    await http.post("/v1/profile", headers=ann, json={"nickname": "Ann"})
    assert await shown() == ("new", 1, "Ann")
    await http.post("/v1/close_room", headers=ann, json={"roomID": room})
    assert await _listed(http, viewer) is None


async def test_a_room_that_was_shown_is_never_stale(http: httpx.AsyncClient) -> None:
    """Viewers who ask again see every change, and notice when the room is gone."""
    viewer = await _login(http, PHONES[0])
    ann, room = await _go_live(http, PHONES[1])

    async def shown() -> Any:
        body = (await http.get(f"/v1/rooms/{room}", headers=viewer)).json()
        return body.get("name"), body.get("audienceNumber"), body.get("code")

    assert await shown() == (f"room of {PHONES[1]}", 0, None)
    await http.post("/v1/enter_room", headers=viewer, json={"roomID": room})
    await http.put(f"/v1/rooms/{room}", headers=ann, json={"roomName": "new"})
    assert await shown() == ("new", 1, None)
    assert (await http.get(f"/v1/rooms/{room}")).json()["code"] == 401001
    await http.post("/v1/close_room", headers=ann, json={"roomID": room})
    assert await shown() == (None, None, 404002)


async def test_pages_follow_each_other(http: httpx.AsyncClient) -> None:
    """Newest first, each room once, and the last page names no next one."""
    viewer = await _login(http, PHONES[0])
    rooms = [(await _go_live(http, phone))[1] for phone in PHONES[1:]]
    first = (await http.get("/v1/rooms?limit=3", headers=viewer)).json()
    rest = (await http.get(f"/v1/rooms?cursor={first['nextCursor']}", headers=viewer)).json()
    assert [room["id"] for room in first["rooms"] + rest["rooms"]] == rooms[::-1]
    assert list(rest) == ["rooms"]


async def test_an_empty_page_is_no_null(http: httpx.AsyncClient) -> None:
    """Whoever asks for pages is no old app."""
    viewer = await _login(http, PHONES[0])
    assert await _listed(http, viewer, "?creator=x") is None
    assert await _listed(http, viewer, "?creator=x&limit=1") == []


async def test_a_voice_room_hands_out_what_its_audience_needs(http: httpx.AsyncClient) -> None:
    """Token and signalling address; viewers of PK rooms get neither."""
    host, viewer = await _login(http, PHONES[0]), await _login(http, PHONES[1])
    created = await http.post("/v1/rooms", headers=host, json={"roomName": "v", "roomType": "voice"})
    entered = await http.post("/v1/enter_room", headers=viewer, json={"roomID": created.json()["roomID"]})
    assert entered.json()["wsURL"] == created.json()["wsURL"] == "ws://qlive.example.com:0/qlive"
    assert entered.json()["rtcRoomToken"] != created.json()["rtcRoomToken"]
    _, room = await _go_live(http, PHONES[2])
    other = await http.post("/v1/enter_room", headers=viewer, json={"roomID": room})
    assert not {"wsURL", "rtcRoomToken"} & set(other.json())


async def test_browsers_of_configured_origins_may_read_errors_too(http: httpx.AsyncClient) -> None:
    """A web app must see why it was refused, and may ask beforehand."""
    origin = {"Origin": "https://example.com"}
    refused = await http.get("/v1/rooms", headers=origin)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://example.com"
    asked = await http.options("/v1/rooms", headers=origin | {"Access-Control-Request-Method": "POST"})
    assert asked.headers["access-control-allow-origin"] == "https://example.com"
    stranger = await http.get("/v1/rooms", headers={"Origin": "https://other.example.com"})
    assert "access-control-allow-origin" not in stranger.headers


async def test_im_clouds_are_heard_politely(http: httpx.AsyncClient) -> None:
    """The known one gets `{}`, whatever it says; another is refused; there is no variant with a slash."""
    for name in ("im_messages", "im_user_status"):
        assert (await http.post(f"/v1/{name}/rongcloud", content=b"\xff")).text == "{}"
        other = (await http.post(f"/v1/{name}/other")).json()
        assert (other["code"], other["message"]) == (400000, "unsupported IM provider")
        assert (await http.post(f"/v1/{name}/rongcloud/")).json()["code"] == 404000


async def test_the_login_type_comes_before_the_body(http: httpx.AsyncClient) -> None:
    """An app that logs in otherwise is told so, not that its body is wrong."""
    for query, message in (
        ("", "empty login type"),
        ("?logintype=", "login type  not supported"),
        ("?logintype=x", "login type x not supported"),
    ):
        answer = await http.post(f"/v1/login{query}", content=b"{")
        assert (answer.status_code, answer.json()["code"]) == (400, 400005)
        assert answer.json()["message"] == message


async def test_readiness_names_what_is_wrong(http: httpx.AsyncClient, assembly: Assembly) -> None:
    """A server that has not started is healthy and not ready."""
    assert (await http.get("/healthz")).text == '{"status":"ok"}'
    unready = await http.get("/readyz")
    assert (unready.status_code, unready.json()["problems"]) == (503, ["server: starting"])
    assembly.health.report("server", "")
    assert (await http.get("/readyz")).text == '{"status":"ok","problems":[]}'


async def test_every_documented_operation_is_served(http: httpx.AsyncClient) -> None:
    """With and without a slash at its end, and it asks for a login exactly where the document says so."""
    document = (await http.get("/swagger/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for variant in (path, f"{path}/"):
                if "{provider}" in path and variant != path:
                    continue
                answer = await http.request(method, variant.replace("{provider}", "rongcloud"))
                assert str(answer.status_code) in operation["responses"], (method, variant, answer.text)
                assert (answer.status_code == 401) is ("security" in operation), (method, variant)


async def test_the_document_is_whole(http: httpx.AsyncClient) -> None:
    """Every reference leads somewhere, every schema is used, and operation ids are unique."""
    text = (await http.get("/swagger/openapi.json")).text
    document = json.loads(text)
    referred = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred == document["components"]["schemas"].keys()
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(set(ids)) == len(ids)


async def test_documents_work_offline(http: httpx.AsyncClient) -> None:
    """The page loads nothing from elsewhere, and everything that it loads is there."""
    page = (await http.get("/swagger/index.html")).text
    assert "//" not in page
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "openapi.json"):
        assert name in page
        assert (await http.get(f"/swagger/{name}")).status_code == 200
    for path in ("/swagger/index.css", "/swagger/index.html/", "/swagger/..%2f__init__.py"):
        assert (await http.get(path)).json()["code"] == 404000


async def test_signalling_is_documented_for_where_it_is(http: httpx.AsyncClient) -> None:
    """The AsyncAPI document names the host that its reader uses."""
    document = (await http.get("/asyncapi.json")).json()
    assert document["servers"]["signalling"]["host"] == "qlive.example.com:0"


async def test_play_urls_that_expire_are_never_old() -> None:
    """Lists, rooms and answers to viewers show the same URL for a while, and then a new one before it expires."""
    rtc = Rtc(play_host="p.com", publish_hub="hub", play_format="hls", play_key="key", play_url_expire_s=100)
    signing = assemble(evolve(SETTINGS, rtc=rtc), Metrics())
    await signing.mirror.load()
    transport = httpx.ASGITransport(signing.http_app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, trust_env=False, base_url="http://x") as http:
        start = time.time() // 100 * 100
        with patch.object(signing.clock, "wall") as now:
            now.return_value = start
            _, room = await _go_live(http, PHONES[0])
            viewer = await _login(http, PHONES[1])
            seen = []
            for elapsed in (0, 99, 100, 101):
                now.return_value = start + elapsed
                entered = await http.post("/v1/enter_room", headers=viewer, json={"roomID": room})
                one = await http.get(f"/v1/rooms/{room}", headers=viewer)
                listed = await http.get("/v1/rooms", headers=viewer)
                shown = {
                    entered.json()["playURL"],
                    one.json()["playURL"],
                    listed.json()["rooms"][0]["playURL"],
                }
                (url,) = shown
                seen.append(url)
    assert seen == [seen[0], seen[0], seen[2], seen[2]]
    assert [f"{int(start + good_until):x}" for good_until in (200, 300)] == [
        parse_qs(urlsplit(url).query)["t"][0] for url in (seen[0], seen[2])
    ]
    await signing.stores.close()


async def test_metrics_are_where_they_are_configured() -> None:
    """An operator may move them, and then they are nowhere else."""
    settings = evolve(SETTINGS, prometheus=evolve(SETTINGS.prometheus, metrics_path="/internal/metrics"))
    moved = assemble(settings, Metrics())
    transport = httpx.ASGITransport(moved.http_app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, trust_env=False, base_url="http://x") as http:
        assert "qlive_api_http_request_count" in (await http.get("/internal/metrics")).text
        assert (await http.get("/metrics")).status_code == 404
    await moved.stores.close()
