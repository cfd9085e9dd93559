"""Web pages of other origins: none by default, and those that are configured."""

import httpx

from .answers import refusal
from .conftest import Launch
from .stage import Stage

PAGE, STRANGER = "https://app.example.com", "https://evil.example.com"


async def _preflight(stage: Stage, origin: str, method: str = "POST") -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return await stage.api().request("OPTIONS", "/v1/rooms", headers=asked)


def _grants(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-")]


async def test_no_origin_by_default(stage: Stage) -> None:
    """A browser that asks is told that there is no such thing, and the calls themselves grant nothing."""
    preflight = await _preflight(stage, PAGE)
    refusal(preflight, 404, 404000)
    answer = await stage.api().request("GET", "/healthz", headers={"Origin": PAGE})
    assert not [*_grants(preflight), *_grants(answer)]


async def test_a_configured_origin(launch: Launch) -> None:
    """Its pages may ask, call with a token, and read answers, refusals and request ids; others may not."""
    stage = launch({"cors_origins": [PAGE]})
    preflight = await _preflight(stage, PAGE)
    assert preflight.is_success
    assert preflight.headers["access-control-allow-origin"] == PAGE
    granted = preflight.headers["access-control-allow-headers"].lower()
    assert "authorization" in granted
    assert "content-type" in granted
    assert {"GET", "POST", "PUT"} <= set(preflight.headers["access-control-allow-methods"].split(", "))
    person = await stage.person()
    for api, status in ((person.api, 200), (stage.api(), 401)):
        answer = await api.request("GET", "/v1/rooms", headers={"Origin": PAGE})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, PAGE)
        assert answer.headers["access-control-expose-headers"].lower() == "x-reqid"
    refusal(await stage.api().request("OPTIONS", "/v1/rooms"), 404, 404000)
    for stranger in (
        await _preflight(stage, STRANGER),
        await stage.api().request("GET", "/v1/rooms", headers={"Origin": STRANGER}),
    ):
        assert "access-control-allow-origin" not in stranger.headers
