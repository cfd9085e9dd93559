"""Every text of a user on every way in and out has a bound; the list of texts comes from the wire classes."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from qlive_app.bootstrap import Assembly, assemble
from qlive_app.config import Settings
from qlive_app.config.settings import Sms, Store
from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import Notify
from qlive_core.model.account import Account
from qlive_core.model.feedback import Feedback
from qlive_core.model.feedback_mail import FeedbackMail, MailState
from qlive_core.signalling import Request, encode, message_types
from qlive_core.signalling.lenient_json import STRING, wire_fields
from qlive_core.usecases.feedback_mails import letter

PHONES = [f"1380000000{number}" for number in range(3)]
SETTINGS = Settings(store=Store(path=":memory:"), sms=Sms(fixed_codes=dict.fromkeys(PHONES, "1")))
NAMES_WHAT_EXISTS = {"userID", "roomID", "phoneNumber", "smsCode"}
"""Looked up, and neither kept nor shown."""
NEVER_PASSED_ON = {"token", "message"}
ODD = ("a\x00b", "a\x1b[31mb", "a\x7fb", "a\x85b", "a\u202eb", "a\u2066b")
HUGE = "\u202e\x00" + "大" * 1_000_000
LONGEST = 4096
"""No text that is shown is longer, but for feedback."""


@asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[tuple[Assembly, httpx.AsyncClient]]:
    assembly = assemble(settings, Metrics())
    await assembly.mirror.load()
    transport = httpx.ASGITransport(assembly.http_app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport, trust_env=False, base_url="http://qlive.test"
    ) as client:
        yield assembly, client
    await assembly.stores.close()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with _serving(SETTINGS) as (_, client):
        yield client


async def _login(http: httpx.AsyncClient, phone: str) -> dict[str, str]:
    body = {"phoneNumber": phone, "smsCode": "1"}
    answer = await http.post("/v1/login?logintype=smscode", json=body)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def _texts(document: Any) -> Iterator[tuple[str, str, str, int | None]]:
    """Yield method, path, field and maximum of every text in the bodies of requests."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody")
            if body is None:
                continue
            name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            for field, schema in document["components"]["schemas"][name]["properties"].items():
                if schema["type"] == "string" and field not in NAMES_WHAT_EXISTS:
                    yield method, path, field, schema.get("maxLength")


async def test_every_text_in_a_body_is_bounded(http: httpx.AsyncClient) -> None:
    """Each has a documented maximum: that many characters are taken, one more and odd ones are not."""
    user = await _login(http, PHONES[0])
    room = (await http.post("/v1/rooms", headers=user, json={"roomName": "songs"})).json()["roomID"]
    found = list(_texts((await http.get("/swagger/openapi.json")).json()))
    assert len(found) >= 8
    for method, path, field, maximum in found:
        if field == "roomType":
            continue  # one of two words

        async def send(text: str, method: str = method, path: str = path, field: str = field) -> Any:
            where = path.replace("{roomID}", room).replace("{roomId}", room)
            answer = await http.request(method, where, headers=user, json={field: text})
            return answer.status_code, answer.json()

        assert maximum is not None, f"{field} of {path} has no maximum"
        for text in ("大" * (maximum + 1), "x" * 50_000, *ODD):
            status, answer = await send(text)
            assert (status, answer["code"]) in ((400, 400000), (400, 400004)), (path, field, ascii(text[:9]))
            assert len(answer["message"]) < 600
        status, answer = await send("大" * maximum)
        assert status == 200 or answer["code"] == 403003, (path, field)


def test_requests_over_signalling_hold_no_other_text() -> None:
    """What is sent over WebSocket and IM names what exists, or is never passed on."""
    for cls in message_types().values():
        if not issubclass(cls, Request):
            continue
        for field in wire_fields(cls):
            if field.shape is STRING:
                named = field.name.endswith("ID") or field.name in NEVER_PASSED_ON
                assert named or field.max_characters is not None, f"{cls.TYPE}.{field.name}"


def _longest(value: Any) -> int:
    if isinstance(value, dict):
        return max(map(_longest, value.values()), default=0)
    if isinstance(value, list):
        return max(map(_longest, value), default=0)
    return len(value) if isinstance(value, str) else 0


async def test_older_texts_are_bounded_on_every_way_out(tmp_path: Path) -> None:
    """Rows from before there were maxima: lists, answers, pushes and mails show as much as is allowed."""
    path = tmp_path / "qlive.db"
    settings = evolve(SETTINGS, store=Store(path=str(path)))
    async with _serving(settings) as (_, http):
        await _login(http, PHONES[0])
        await _login(http, PHONES[1])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE account SET nickname = ?, gender = ?, avatar = ?", (HUGE,) * 3)
    async with _serving(settings) as (assembly, http):
        await _look_at_every_way_out(assembly, http)


async def _look_at_every_way_out(assembly: Assembly, http: httpx.AsyncClient) -> None:
    ann, bob = await _login(http, PHONES[0]), await _login(http, PHONES[1])
    room = (await http.post("/v1/rooms", headers=ann, json={"roomName": "a"})).json()["roomID"]
    other = (await http.post("/v1/rooms", headers=bob, json={"roomName": "b"})).json()["roomID"]
    answers = [await http.get(path, headers=bob) for path in ("/v1/rooms", f"/v1/rooms/{room}")]
    answers.append(await http.post("/v1/profile", headers=ann, json={}))
    login = {"phoneNumber": PHONES[0], "smsCode": "1"}
    answers.append(await http.post("/v1/login?logintype=smscode", json=login))
    for answer in answers:
        assert answer.status_code == 200
        assert 64 <= _longest(answer.json()) <= LONGEST
        assert "\u202e" not in answer.text
        assert len(answer.content) < 16_000
    owner = await assembly.stores.accounts.by_phone(PHONES[0])
    assert owner is not None
    offered = await assembly.services.battles.start(owner.id, other)
    texts = [encode(effect.message) for effect in offered.effects if isinstance(effect, Notify)]
    assert texts
    for text in texts:
        assert len(text) < 16_000


def test_older_feedback_makes_a_small_mail() -> None:
    """Feedback and its sender's nickname are bounded in the mail; line ends stay."""
    feedback = Feedback("user-1", "one\ntwo\n" + HUGE, HUGE, 0.0)
    sender = Account("user-1", PHONES[0], HUGE, HUGE, HUGE, 0.0, 0.0)
    mail = letter(FeedbackMail(1, feedback, MailState.WAITING, 0.0), sender)
    assert len(mail.text) < 20_000
    assert len(mail.subject) < 100
    assert "one\ntwo\n" in mail.text
    assert not set("\u202e\x00") & set(mail.text)
    json.dumps(mail.text).encode()
