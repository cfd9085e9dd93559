"""Where qlive answers otherwise than the original did, on purpose: all of it, in one table.

Each row quotes the rule, says to which recorded events it applies, and turns what was recorded into what is
expected. The replays apply every row; a row that no recording needs any more makes a test fail.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
Body = dict[str, Any]

# "JWT with the empty key as token" became "opaque random token (256 bit)".
SESSION_TOKEN = re.compile(r"[A-Za-z0-9_-]{43,64}")

# A response header that has to be there, whatever it says.
ANYTHING = "*"

_H05_ROOM_B = "ykca3yk62ustofk0"
_H05_USER_B = "fxu5x5udyprh"


@dataclass(frozen=True)
class Difference:
    """One rule: `applies(recording, event)` finds its events and `change` says what is expected there."""

    rule: str
    applies: Callable[[str, Event], bool]
    change: Callable[[Event], Event]


def expected(recording: str, event: Event) -> tuple[Event, list[Difference]]:
    """Return what qlive is expected to say where the original said `event`, and the rules that make it so."""
    rules = [difference for difference in DIFFERENCES if difference.applies(recording, event)]
    for difference in rules:
        event = difference.change(event)
    return event, rules


def _at(recording: str, *places: int) -> Callable[[str, Event], bool]:
    def applies(name: str, event: Event) -> bool:
        return name == recording and event["seq"] in places

    return applies


def _every_answer(_: str, event: Event) -> bool:
    return bool(event["kind"] == "http")


def _with_header(name: str, start: str = "") -> Callable[[str, Event], bool]:
    return lambda _, event: str(event.get("res_headers", {}).get(name, "-")).startswith(start)


def _message(kind: str, holds: Callable[[Body], bool] = lambda _: True) -> Callable[[str, Event], bool]:
    def applies(_: str, event: Event) -> bool:
        name, _, body = str(event.get("data", "")).partition("=")
        return bool(event["kind"] == "ws_recv" and name == kind and holds(json.loads(body)))

    return applies


def _headers(**changed: str) -> Callable[[Event], Event]:
    renamed = {name.replace("_", "-"): value for name, value in changed.items()}
    return lambda event: event | {"res_headers": event.get("res_headers", {}) | renamed}


def _without_header(name: str) -> Callable[[Event], Event]:
    def change(event: Event) -> Event:
        return event | {
            "res_headers": {key: text for key, text in event["res_headers"].items() if key != name}
        }

    return change


def _answer(status: int, body: Body) -> Callable[[Event], Event]:
    as_json = _headers(content_type="application/json; charset=utf-8")
    return lambda event: as_json(event) | {"status": status, "res_body": _json(body)}


def _error(status: int, code: int, summary: str, message: str = "") -> Callable[[Event], Event]:
    body = {"code": code, "requestID": ANYTHING, "summary": summary, "message": message}
    return _answer(status, body)


def _answer_edited(edit: Callable[[Body], Body]) -> Callable[[Event], Event]:
    return lambda event: event | {"res_body": _json(edit(json.loads(event["res_body"])))}


def _message_edited(edit: Callable[[Body], Body]) -> Callable[[Event], Event]:
    def change(event: Event) -> Event:
        kind, _, body = event["data"].partition("=")
        return event | {"data": f"{kind}={_json(edit(json.loads(body)))}"}

    return change


def _json(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _rtc_token(room: str, user: str, permission: str) -> str:
    """A token as one would have been recorded; signature and time are checked on the live one anyway."""
    claims = {"appId": "test-app", "roomName": room, "userId": user, "expireAt": 0, "permission": permission}
    return f"test-ak:-:{base64.urlsafe_b64encode(_json(claims).encode()).decode()}"


def _user_of(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.rpartition(":")[2]))["userId"])


def _token_for_returned_room(body: Body) -> Body:
    user = _user_of(body["rtcRoomToken"])
    return body | {"rtcRoomToken": _rtc_token(body["rtcRoom"], user, "admin")}


def _relay_token_for_proposer(body: Body) -> Body:
    user = _user_of(body["rtcRoomToken"])
    return body | {"relayRtcRoomToken": _rtc_token(body["relayRtcRoom"], user, "user")}


def _relay_token_for_answerer(answerers: dict[str, str]) -> Callable[[Body], Body]:
    """The recorded answer does not name its receiver: `answerers` tells who answered an offer of that room."""

    def edit(body: Body) -> Body:
        room = body["relayRtcRoom"]
        return body | {"relayRtcRoomToken": _rtc_token(room, answerers[room], "user")}

    return edit


def _both_spellings(body: Body) -> Body:
    return body | {"reqRoomID": body["ReqRoomID"]}


def _without_room(body: Body) -> Body:
    return {key: value for key, value in body.items() if key != "room"}


_ROOM_B = {
    "roomID": _H05_ROOM_B,
    "roomName": "room-b",
    "rtcRoom": _H05_ROOM_B,
    "rtcRoomToken": _rtc_token(_H05_ROOM_B, _H05_USER_B, "admin"),
    "wsURL": "ws://127.0.0.1:18082/qlive",
}

_ANSWERERS = {
    "1a05xoejmvt8fj5i": "o30v8rcx7873",  # p01: A's room, answered by B
    "z97so92w0cnhkyz9": "qbytwdj3w6u2",  # p01: B's room, answered by A
    "4wm7ql2trr9vj4hz": "0dr3qesdi6cu",  # p03: A's room, answered by B
}

DIFFERENCES = (
    Difference(
        "malformed body: 400000 with application/json instead of text/plain, same body",
        _with_header("content-type", "text/plain"),
        _headers(content_type="application/json; charset=utf-8"),
    ),
    Difference(
        "no cookie: no app reads it, and a token in a cookie is a liability",
        _with_header("set-cookie", "qlive-login-token"),
        _without_header("set-cookie"),
    ),
    Difference("X-Reqid: also a response header on every answer", _every_answer, _headers(x_reqid=ANYTHING)),
    Difference(
        "create again with one's own room's name: a token for the existing room",
        _at("h05_create_room", 13, 16, 44, 46, 47, 48, 49),
        _answer_edited(_token_for_returned_room),
    ),
    Difference(
        "wsURL follows the Host header; the original broke an IPv6 one",
        _at("h05_create_room", 48),
        _answer_edited(lambda body: body | {"wsURL": "ws://[::1]:18082/qlive"}),
    ),
    Difference(
        "no roomType: absent or empty means `pk`; so B goes live at 23 and 25 returns that room",
        _at("h05_create_room", 23, 25),
        _answer(200, _ROOM_B),
    ),
    Difference(
        "room name 1..100 characters, so 34 Han are fine; but B, live since 23, can only have one room",
        _at("h05_create_room", 29, 30),
        _error(403, 403003, "can only create one room"),
    ),
    Difference(
        "room name 1..100 characters after trimming: a blank is none",
        _at("h05_create_room", 31),
        _error(400, 400004, "invalid room name", "invalid room name  "),
    ),
    Difference(
        "body `null` means `{}` everywhere; the original dropped the connection",
        _at("h09_enter_leave", 23),
        _error(404, 404002, "no such room"),
    ),
    Difference(
        "leave_room while broadcasting: 409 / 409003, one body",
        _at("h09_enter_leave", 35),
        _error(409, 409003, "user is live broadcasting"),
    ),
    Difference(
        "`room` is absent from the login answer unless the user is in a room",
        _at("h09_enter_leave", 40),
        _answer_edited(_without_room),
    ),
    Difference(
        "both token pairs (`rtcRoom*`, `relayRtcRoom*`) always present on accept, with the configured life time",
        _message("on-pk-answer", lambda body: body["accepted"]),
        _message_edited(_relay_token_for_proposer),
    ),
    Difference(
        "the relay token is never missing from answer-pk-res of an accept",
        _message("answer-pk-res", lambda body: "relayRtcRoom" in body),
        _message_edited(_relay_token_for_answerer(_ANSWERERS)),
    ),
    Difference(
        "answers to answer-pk carry `ReqRoomID` and `reqRoomID`",
        _message("answer-pk-res"),
        _message_edited(_both_spellings),
    ),
    Difference(
        "rpcID: string, number or absent, echoed as it came; so 7 is no reason for 10001, the token is",
        _at("w01_auth", 23),
        _message_edited(lambda _: {"rpcID": 7, "code": 10002, "error": "token invalid"}),
    ),
)
