"""Every text that a user can send is bounded, on its way in and on every way out."""

import json
from typing import Any

import pytest

from qlive_core.model.account import Account
from qlive_core.model.feedback import Feedback

from .client import Json
from .stage import Stage

LONG = "长" * 20_000  # 60 KB: almost as much as a body may have
ODD = ("a\x00b", "a\x1bb", "a\x07b")
IDENTIFIERS = {"userID", "roomID"}
"""What names something by an id is looked up, and not kept."""


def bodies(document: Json) -> list[tuple[str, str, Json]]:
    """Return method, path and schema of every request with a JSON body, from the server's own document."""
    schemas = document["components"]["schemas"]
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None and "$ref" in content["schema"]:
                found.append((method, path, schemas[content["schema"]["$ref"].rpartition("/")[2]]))
    return found


def example(schema: Json) -> Json:
    return {name: each.get("example", "") for name, each in schema["properties"].items()}


def texts_of(schema: Json) -> list[str]:
    return [
        name
        for name, each in schema["properties"].items()
        if each.get("type") == "string" and name not in IDENTIFIERS
    ]


async def test_no_text_is_taken_without_a_bound(stage: Stage) -> None:
    """Whatever field of whatever request: it is refused in few words, and nothing of it is kept."""
    person = await stage.person()
    document = (await person.api.get("/swagger/openapi.json")).json()
    tried = 0
    for method, path, schema in bodies(document):
        for field in texts_of(schema):
            body = example(schema) | {field: LONG}
            text = json.dumps(body, ensure_ascii=False)
            answer = await person.api.request(method.upper(), path.replace("{roomID}", "none"), text)
            assert 400 <= answer.status_code < 500, (path, field, answer.text[:200])
            assert len(answer.content) < 2000, (path, field)
            tried += 1
    assert tried >= 9


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", ["nickname", "gender", "avatar"])
async def test_control_characters_are_refused(field: str, odd: str, stage: Stage) -> None:
    """They would garble a terminal, a mail or another user's screen."""
    person = await stage.person()
    answer = await person.api.post("/v1/profile", {field: odd})
    assert (answer.status_code, answer.json()["code"]) == (400, 400000)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/profile",
            {"nickname": "名" * 64, "gender": "x" * 16, "avatar": "https://a.example/" + "x" * 1000},
        ),
        ("/v1/feedbacks", {"content": "一行\r\n\t二行" * 500, "attachment": "x" * 1024}),
        ("/v1/upload/token", {"filename": "x" * 750}),
    ],
)
async def test_the_longest_texts_are_taken(path: str, body: dict[str, Any], stage: Stage) -> None:
    """Up to the bound, in characters and not in bytes."""
    person = await stage.person()
    assert (await person.api.post(path, body)).status_code == 200


async def test_a_profile_is_shown_as_it_was_sent(stage: Stage) -> None:
    """The longest one, to everybody who sees it."""
    host = await stage.host()
    name = "名" * 64
    await host.api.post("/v1/profile", {"nickname": name})
    other = await stage.host()
    seen = await other.sees(host.room) or {}
    assert seen["creator"]["nickname"] == name
    await other.signal.call("start-pk", pkRoomID=host.room)
    assert (await host.signal.expect("on-pk-offer"))["nickname"]


def test_longer_texts_of_older_databases_are_cut() -> None:
    """Whatever a store holds, nothing longer comes out of it."""
    account = Account("a", "13800000001", LONG, LONG, LONG, 0.0, 0.0)
    assert (len(account.nickname), len(account.gender), len(account.avatar)) == (64, 16, 1024)
    assert len(Feedback("a", LONG, "", 0.0).content) == 5000
