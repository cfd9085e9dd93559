"""The published documents: true to what is served, and readable without the internet."""

import re
from importlib.metadata import version
from urllib.parse import urljoin

import httpx
import pytest

from qlive_core.signalling import asyncapi_document

from .answers import refusal
from .client import Json
from .stage import Person, Stage

PAGE = "/swagger/index.html"

ROUTES = {
    ("post", "/v1/send_sms_code"),
    ("post", "/v1/login"),
    ("post", "/v1/profile"),
    ("post", "/v1/logout"),
    ("post", "/v1/rooms"),
    ("get", "/v1/rooms"),
    ("get", "/v1/rooms/{roomID}"),
    ("put", "/v1/rooms/{roomID}"),
    ("post", "/v1/close_room"),
    ("post", "/v1/refresh_room"),
    ("post", "/v1/enter_room"),
    ("post", "/v1/leave_room"),
    ("post", "/v1/im_user_token"),
    ("post", "/v1/im_messages/{provider}"),
    ("post", "/v1/im_user_status/{provider}"),
    ("post", "/v1/upload/token"),
    ("post", "/v1/feedbacks"),
    ("get", "/metrics"),
    ("get", "/healthz"),
    ("get", "/readyz"),
}


@pytest.fixture
async def openapi(stage: Stage) -> Json:
    """The OpenAPI document as it is served."""
    document: Json = (await stage.api().get("/swagger/openapi.json")).json()
    return document


async def test_the_page_needs_nothing_from_elsewhere(stage: Stage) -> None:
    """All that the page and its style sheet refer to is served by qlive itself, in a type that browsers take."""
    page = await stage.api().get(PAGE)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    named = re.findall(r"""(?:src|href)=["']([^"']+)|url: ["']([^"']+)""", page.text)
    references = [first or second for first, second in named]
    assert len(references) == 4
    for reference in references:
        answer = await _served(stage, urljoin(PAGE, reference))
        if answer.headers["content-type"].startswith("text/css"):
            _refers_to_nothing_else(answer.text)


async def _served(stage: Stage, address: str) -> httpx.Response:
    """Fetch what is referred to, which has to be on this server."""
    assert address.startswith("/"), f"{address} is on another host"
    answer = await stage.api().get(address)
    assert answer.status_code == 200, address
    assert answer.content
    return answer


def _refers_to_nothing_else(style_sheet: str) -> None:
    for reference in re.findall(r"url\(\s*[\"']?([^\"')]+)", style_sheet):
        assert reference.startswith(("data:", "#")), reference
    assert "@import" not in style_sheet


async def test_the_page_asks_nobody_whether_the_document_is_valid(stage: Stage) -> None:
    """Swagger UI would send the document's address to a validator on the internet unless told not to."""
    assert "validatorUrl: null" in (await stage.api().get(PAGE)).text


async def test_exactly_the_routes_that_exist_are_documented(openapi: Json, stage: Stage) -> None:
    """The document lists the routes of the protocol and no others, and no listed path takes another method."""
    documented = {(method, path) for path, methods in openapi["paths"].items() for method in methods}
    assert documented == ROUTES
    person = await stage.person()
    for path, methods in openapi["paths"].items():
        for method in {"get", "post", "put", "delete", "patch"} - set(methods):
            answer = await person.api.request(method.upper(), _filled(path, "none"))
            refusal(answer, 404, 404000)


async def test_every_documented_operation_is_served(openapi: Json, stage: Stage) -> None:
    """Each one answers, with a status that its documentation has."""
    host = await stage.person()
    await host.go_live()
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if path != "/v1/logout":
                await _is_served(host, method, _filled(path, host.room), operation)
    await _is_served(host, "post", "/v1/logout", openapi["paths"]["/v1/logout"]["post"])


async def _is_served(caller: Person, method: str, path: str, operation: Json) -> None:
    answer = await caller.api.request(method.upper(), path, {})
    assert str(answer.status_code) in operation["responses"], f"{method} {path}: {answer.text}"
    assert '"code":404000' not in answer.text


def _filled(path: str, room_id: str) -> str:
    return path.replace("{roomID}", room_id).replace("{provider}", "rongcloud")


async def test_every_reference_in_the_document_leads_somewhere(openapi: Json) -> None:
    """What `$ref` names is there, each operation has a name of its own, and each parameter of a path is told."""
    for reference in set(re.findall(r"'\$ref': '([^']+)'", str(openapi))):
        found = openapi
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    operations = [
        (path, operation) for path, methods in openapi["paths"].items() for operation in methods.values()
    ]
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    for path, operation in operations:
        within = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert within == set(re.findall(r"{(\w+)}", path))


async def test_asyncapi_is_made_from_the_messages(stage: Stage) -> None:
    """The document is the one that the message classes give, with the address at which this server listens."""
    answer = await stage.api().get("/asyncapi.json")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json() == asyncapi_document(version=version("qlive"), url=stage.server.ws_url)


@pytest.mark.parametrize("path", ["/", "/swagger", "/swagger/"])
async def test_whoever_types_an_address_finds_the_page(path: str, stage: Stage) -> None:
    """The routes of apps never redirect; these are for people."""
    answer = await stage.api().get(path)
    assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
    assert (await stage.api().get("/v1")).json()["code"] == 404000
