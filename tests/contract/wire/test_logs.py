"""The log: enough to follow what happened, and nothing in it that would be a find for a thief."""

import contextlib
import json
import re
import sqlite3
from datetime import UTC, datetime
from typing import Any

import httpx

from .answers import refusal
from .client import Json
from .conftest import Launch
from .server import RTC_SECRET_KEY, SMS_CODE
from .stage import Stage, eventually

# A fixed code that cannot occur by chance among ids and times.
FIXED_CODE = "fixed-code-of-a-tester"
FIXED_PHONE, PLAIN_PHONE = "13900000001", "13700000001"
SETTINGS = {"debug_level": 0, "sms": {"fixed_codes": {FIXED_PHONE: FIXED_CODE}}}


class Diary:
    """Sends requests and remembers their ids with what became of them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.answers: dict[str, httpx.Response] = {}
        self.secrets: set[str] = {FIXED_CODE, SMS_CODE}

    async def post(self, path: str, body: Any = None, token: str = "") -> httpx.Response:
        return await self.request("POST", path, body, token)

    async def request(self, method: str, path: str, body: Any = None, token: str = "") -> httpx.Response:
        answer = await self.stage.api(token).request(method, path, body)
        self.answers[answer.headers["x-reqid"]] = answer
        return answer

    async def login(self, phone: str, code: str) -> str:
        answer = await self.post("/v1/login?logintype=smscode", {"phoneNumber": phone, "smsCode": code})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        self.secrets.add(token)
        return token


async def test_what_is_logged_and_what_is_not(launch: Launch) -> None:
    """At the lowest level, after all kinds of calls: every line is JSON and dated, every request is there under
    its X-Reqid, and no token, code or phone number is anywhere but in the `test` provider's own line.
    """
    stage = launch(SETTINGS)
    diary = Diary(stage)
    token, code = await _two_logins(diary)
    await _calls_that_fail(diary, token)
    await _a_pk_and_its_tokens(diary)
    assert stage.server.terminate() == 0
    lines = [_line(text) for text in stage.server.log.rstrip("\n").split("\n")]
    _every_request_is_there(lines, diary)
    own = [line for line in lines if line["event"] == "sms code (test provider)"]
    assert [(line["test_phone"], line["test_code"]) for line in own] == [(PLAIN_PHONE, code)]
    for line in lines:
        if line not in own:
            _gives_nothing_away(line, {*diary.secrets, code})
    masked = {line["path"] for line in lines if "****" in str(line.get("path"))}
    assert masked == {"/v1/users/137****0001", "/v1/users/+86137****0001"}


async def _two_logins(diary: Diary) -> tuple[str, str]:
    """Log in with a fixed code and with a sent one; return the token of the latter and its code."""
    await diary.login(FIXED_PHONE, FIXED_CODE)
    assert (await diary.post(f"/v1/send_sms_code?phone_number={PLAIN_PHONE}")).status_code == 200

    async def written() -> bool:
        return "test_code" in diary.stage.server.log

    await eventually(written, "the code is in the log")
    code = re.findall(r'"test_code": "(\d{6})"', diary.stage.server.log)[-1]
    return await diary.login(PLAIN_PHONE, code), code


async def _calls_that_fail(diary: Diary, token: str) -> None:
    """Be refused in every way that has a secret or a phone number in it."""
    login = "/v1/login?logintype=smscode"
    refusal(await diary.post(login, {"phoneNumber": PLAIN_PHONE, "smsCode": "000000"}), 401, 401002)
    refusal(
        await diary.post(login, f'{{"phoneNumber": "{PLAIN_PHONE}", "smsCode": {FIXED_CODE}'), 400, 400000
    )
    refusal(await diary.post(login, {"phoneNumber": int(PLAIN_PHONE), "smsCode": FIXED_CODE}), 400, 400000)
    refusal(await diary.post(f"/v1/login?logintype={PLAIN_PHONE}", {}), 400, 400005)
    refusal(await diary.post(f"/v1/send_sms_code?phone_number={PLAIN_PHONE}"), 429, 429001)
    refusal(await diary.post(f"/v1/send_sms_code?phone_number=%2B86{PLAIN_PHONE}"), 400, 400001)
    refusal(await diary.request("GET", f"/v1/users/{PLAIN_PHONE}"), 404, 404000)
    refusal(await diary.request("GET", f"/v1/users/+86{PLAIN_PHONE}"), 404, 404000)
    diary.secrets.add("a-token-of-nobody")
    refusal(await diary.request("GET", "/v1/rooms", token="a-token-of-nobody"), 401, 401003)
    refusal(await diary.request("GET", "/v1/rooms"), 401, 401001)
    assert (await diary.post("/v1/profile", {"nickname": PLAIN_PHONE}, token)).status_code == 200
    stranger = await diary.stage.stranger()
    assert (await stranger.auth("a-token-of-nobody"))["code"] == 10002
    await stranger.send_raw(f'auth={{"token": "{token}", ')
    assert (await stranger.expect("auth-res"))["code"] == 10001
    await stranger.send_raw(f"binary {PLAIN_PHONE}".encode())
    assert await stranger.expect_close() == 1003


async def _a_pk_and_its_tokens(diary: Diary) -> None:
    """Play a PK, in which room tokens are handed out, and lose one socket and one session."""
    host, opponent = await diary.stage.fighting()
    refreshed = await diary.post("/v1/refresh_room", {"roomID": host.room}, host.api.token)
    diary.secrets |= {host.api.token, opponent.api.token, refreshed.json()["rtcRoomToken"], RTC_SECRET_KEY}
    await host.signal.drop()
    await diary.login(opponent.phone, SMS_CODE)
    assert await opponent.signal.expect_close() == 4002


def _line(text: str) -> Json:
    """Read one line of the log and check what all lines have."""
    line: Json = json.loads(text)
    assert line["event"]
    assert line["level"] in {"debug", "info", "warning", "error"}
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is UTC
    return line


def _every_request_is_there(lines: list[Json], diary: Diary) -> None:
    logged = {line["request_id"]: line for line in lines if line["event"] == "http request"}
    for request_id, answer in diary.answers.items():
        line = logged[request_id]
        assert (line["method"], line["status"]) == (answer.request.method, answer.status_code)
        assert line["ms"] >= 0


def _gives_nothing_away(line: Json, secrets: set[str]) -> None:
    told = json.dumps({key: value for key, value in line.items() if key not in {"timestamp", "ms"}})
    for secret in secrets:
        assert secret not in told
    assert "bearer" not in told.lower()
    assert not re.search(r"1[3789]\d{9}", told)


async def test_a_failing_store_is_told_to_the_operator_only(launch: Launch) -> None:
    """When somebody breaks the database, callers hear "service busy", and the log has the cause and the request.

    `debug_level` 1 leaves the requests that went well out of it.
    """
    stage = launch({"debug_level": 1})
    person = await stage.person()
    with contextlib.closing(sqlite3.connect(stage.server.config.with_name("qlive.db"))) as vandal:
        vandal.execute("DROP TABLE feedback")
    answer = await person.api.post("/v1/feedbacks", {"content": "it is broken"})
    assert refusal(answer, 503, 503002)["message"] == ""
    assert stage.server.terminate() == 0
    lines = [_line(text) for text in stage.server.log.splitlines()]
    (told,) = [line for line in lines if line["event"] == "unavailable"]
    assert (told["level"], told["request_id"]) == ("error", answer.headers["x-reqid"])
    assert "no such table: feedback" in told["cause"]
    assert [line["status"] for line in lines if line["event"] == "http request"] == [503]
