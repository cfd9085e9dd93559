"""HTTP requests that no honest app sends: each gets a proper error, and the server goes on."""

from typing import Any
from urllib.parse import quote

import pytest

from .answers import done, refusal
from .raw import exchange
from .server import SMS_CODE
from .stage import Stage, fresh_phone

REJECTED_BODIES: dict[str, str | bytes] = {
    "empty": "",
    "cut off": '{"roomName":',
    "bare word": "roomName",
    "array": "[]",
    "text": '"x"',
    "number": "5",
    "wrong type": '{"roomName":5}',
    "object for text": '{"roomName":{}}',
    "byte order mark": b'\xef\xbb\xbf{"roomName":"x"}',
    "deep nesting": '{"roomName":' + "[" * 50_000,
    "deep and closed": '{"roomName":' + "[" * 50_000 + "]" * 50_000 + "}",
    "ten mebibytes": '{"roomName":"' + "x" * 10 * 2**20 + '"}',
    "zero bytes": b"\x00" * 64,
    "unescaped quote, as Android sends it": '{"roomName":"my "room"","roomType":"pk"}',
}


@pytest.mark.parametrize("body", REJECTED_BODIES.values(), ids=REJECTED_BODIES)
async def test_a_body_that_cannot_be_read_is_a_bad_request(body: str | bytes, stage: Stage) -> None:
    """A malformed, oversized or mistyped body is 400000 in the usual shape, and nothing happens."""
    person = await stage.person()
    answer = refusal(await person.api.post("/v1/rooms", body), 400, 400000)
    assert answer["message"] == "invalid args in request body"
    assert (await person.api.rooms(f"?creator={person.id}")).json() == {"rooms": None}


READABLE_BODIES: dict[str, str | bytes] = {
    "other case": '{"ROOMNAME":"%s","roomtype":"pk"}',
    "unknown keys": '{"x":[1,{"y":null}],"roomName":"%s"}',
    "last duplicate wins": '{"roomName":"","roomName":"%s"}',
    "text behind it": '{"roomName":"%s"} and more',
    "null type": '{"roomName":"%s","roomType":null}',
    "foreign userID": '{"roomName":"%s","userID":"somebody"}',
    "blanks around the name": '{"roomName":"  %s\\t"}',
    "long unknown number": '{"roomName":"%s","x":123456789012345678901234567890.5e-7}',
}


@pytest.mark.parametrize("body", READABLE_BODIES.values(), ids=READABLE_BODIES)
async def test_a_lenient_body_is_understood(body: str, stage: Stage) -> None:
    """Apps of all generations are understood, whatever their JSON looks like and whatever type they declare."""
    person = await stage.person()
    answer = await person.api.request(
        "POST",
        "/v1/rooms",
        body % person.room_name,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["roomName"] == person.room_name


NULL_BODIES = {
    ("POST", "/v1/rooms"): (400, 400004),
    ("PUT", "/v1/rooms/{room}"): (400, 400004),
    ("POST", "/v1/close_room"): (404, 404002),
    ("POST", "/v1/refresh_room"): (404, 404002),
    ("POST", "/v1/enter_room"): (404, 404002),
}


@pytest.mark.parametrize(("route", "error"), NULL_BODIES.items(), ids=[path for _, path in NULL_BODIES])
async def test_null_means_an_empty_object(
    route: tuple[str, str], error: tuple[int, int], stage: Stage
) -> None:
    """`null` as a body is an object without keys; the original dropped the connection on some routes."""
    host, person = await stage.host(), await stage.person()
    caller = host if route[0] == "PUT" else person
    answer = await caller.api.request(route[0], route[1].format(room=host.room), "null")
    refusal(answer, *error)


@pytest.mark.parametrize("path", ["/v1/leave_room", "/v1/leave_room/"])
async def test_null_leaves_no_room(path: str, stage: Stage) -> None:
    """leave_room with `null` is a leave from nowhere, which always succeeds."""
    person = await stage.person()
    done(await person.api.post(path, "null"))


@pytest.mark.parametrize("path", ["/v1/profile", "/v1/upload/token", "/v1/feedbacks"])
async def test_null_is_a_request_without_wishes(path: str, stage: Stage) -> None:
    """Where every field is optional, `null` succeeds."""
    person = await stage.person()
    assert (await person.api.post(path, "null")).status_code == 200


@pytest.mark.parametrize("number", ["1e999999", "-1e999999", "9" * 5000])
async def test_a_number_beyond_all_bounds_is_no_internal_error(number: str, stage: Stage) -> None:
    """A number that cannot be represented, in a key that nobody asked for, is skipped or a bad request."""
    person = await stage.person()
    answer = await person.api.post("/v1/leave_room", f'{{"x":{number}}}')
    if answer.status_code != 200:
        refusal(answer, 400, 400000)


@pytest.mark.parametrize("name", ["a\\u0000b", "a\\u001fb", "a\\u0085b"])
async def test_control_characters_make_no_name(name: str, stage: Stage) -> None:
    """A name that cannot be shown is refused as invalid."""
    person = await stage.person()
    refusal(await person.api.post("/v1/rooms", f'{{"roomName":"{name}"}}'), 400, 400004)


async def test_half_a_character_is_replaced(stage: Stage) -> None:
    """Half of a surrogate pair becomes the replacement character, as it did in the original."""
    person = await stage.person()
    answer = await person.api.post("/v1/rooms", f'{{"roomName":"{person.id} \\ud800"}}')
    assert answer.status_code == 200, answer.text
    assert answer.json()["roomName"] == f"{person.id} \ufffd"


@pytest.mark.parametrize("room_id", ["\x00", "..", "%", "a/b", "房", "x" * 2000, "' OR 1=1 --", "{roomID}"])
async def test_an_odd_room_id_is_just_no_room(room_id: str, stage: Stage) -> None:
    """Whatever stands in place of a room id, there is no such room."""
    person = await stage.person()
    refusal(await person.api.enter_room(room_id), 404, 404002)
    refusal(await person.api.refresh_room(room_id), 404, 404002)
    answer = await person.api.get(f"/v1/rooms/{quote(room_id, safe='')}")
    assert answer.status_code == 404
    assert answer.json()["code"] in (404000, 404002)


UNKNOWN = [
    ("GET", "/v1"),
    ("GET", "/v2/rooms"),
    ("GET", "//v1/rooms"),
    ("GET", "/v1//rooms"),
    ("GET", "/V1/rooms"),
    ("GET", "/v1/Rooms"),
    ("GET", "/v1/nothing"),
    ("GET", "/v1/rooms/a/b"),
    ("GET", "/v1/login"),
    ("PUT", "/v1/login"),
    ("DELETE", "/v1/rooms"),
    ("PATCH", "/v1/rooms/x"),
    ("POST", "/v1/rooms/x"),
    ("OPTIONS", "/v1/rooms"),
    ("GET", "/v1/close_room/"),
    ("GET", "/qlive"),
]


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
async def test_an_unknown_path_or_method_is_not_found(method: str, path: str, stage: Stage) -> None:
    """There is no 405 and no redirect: an unknown path and a wrong method are 404000, logged in or not."""
    address = f"{stage.server.base_url}{path}"
    body = refusal(await stage.api().request(method, address), 404, 404000)
    assert (body["summary"], body["message"]) == ("not found", "")


@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/login", "/nothing"])
async def test_head_is_not_found(path: str, stage: Stage) -> None:
    """HEAD is as unknown as any other method that a path does not have."""
    assert (await stage.api().request("HEAD", path)).status_code == 404


async def test_no_cors_unless_configured(stage: Stage) -> None:
    """Without configured origins no browser is told that it may read anything."""
    person = await stage.person()
    answer = await person.api.request("GET", "/v1/rooms", headers={"Origin": "http://example.com"})
    assert not [name for name in answer.headers if name.startswith("access-control-")]


TRAILING_SLASHES = [
    ("GET", "/v1/rooms/", None),
    ("POST", "/v1/profile/", {}),
    ("POST", "/v1/im_user_token/", None),
    ("POST", "/v1/upload/token/", {"filename": "a"}),
    ("POST", "/v1/feedbacks/", {}),
    ("POST", "/v1/leave_room/", {}),
    ("POST", "/v1/logout/", None),
]


@pytest.mark.parametrize(("method", "path", "body"), TRAILING_SLASHES)
async def test_every_route_exists_with_a_slash_too(method: str, path: str, body: Any, stage: Stage) -> None:
    """A trailing slash is served directly: iOS follows no redirect."""
    person = await stage.person()
    assert (await person.api.request(method, path, body)).status_code == 200


SECRETIVE_HEADERS = [
    (b"", 401001),
    (b"Authorization:\r\n", 401001),
    (b"Authorization: Bearer\r\n", 401001),
    (b"Authorization: Bearer \r\n", 401001),
    (b"Authorization: bearer TOKEN\r\n", 401001),
    (b"Authorization: BEARER TOKEN\r\n", 401001),
    (b"Authorization: Basic TOKEN\r\n", 401001),
    (b"Authorization: TOKEN\r\n", 401001),
    (b"Authorization: BearerTOKEN\r\n", 401001),
    (b"Cookie: qlive-login-token=TOKEN\r\n", 401001),
    (b"Authorization: Bearer  TOKEN\r\n", 401003),
    (b"Authorization: Bearer xTOKEN\r\n", 401003),
    (b"Authorization: Bearer TOKEN TOKEN\r\n", 401003),
    (b"Authorization: Bearer \xff\xfe\r\n", 401003),
    (b"Authorization: Bearer TOKEN\r\n", 0),
    (b"Authorization: Bearer TOKEN  \r\n", 0),
    (b"authorization: Bearer TOKEN\r\n", 0),
]


@pytest.mark.parametrize(("header", "code"), SECRETIVE_HEADERS)
async def test_only_a_proper_bearer_header_logs_in(header: bytes, code: int, stage: Stage) -> None:
    """No header or another scheme is 401001, an unknown token 401003: on that, and only that, apps log out."""
    person = await stage.person()
    header = header.replace(b"TOKEN", person.api.token.encode())
    answer = await exchange(stage.server, b"GET /v1/rooms HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 401" if code else b"HTTP/1.1 200")
    assert (f'"code":{code},'.encode() in answer) is bool(code)


async def test_an_empty_authorization_header_is_no_obstacle_to_login(stage: Stage) -> None:
    """Android sends an empty Authorization header when it logs in and asks for codes."""
    body = f'{{"phoneNumber":"{fresh_phone()}","smsCode":"{SMS_CODE}"}}'.encode()
    head = b"POST /v1/login?logintype=smscode HTTP/1.1\r\nHost: x\r\nAuthorization:\r\n"
    answer = await exchange(stage.server, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 200")


async def test_authentication_comes_before_the_body(stage: Stage) -> None:
    """A caller who is not logged in learns nothing about his body."""
    refusal(await stage.api().post("/v1/rooms", "{bad"), 401, 401001)
    refusal(await stage.api("forged").post("/v1/rooms", "{bad"), 401, 401003)


@pytest.mark.parametrize("own", ["my-req-id", "x" * 64, "a b;c=~!"])
async def test_a_callers_request_id_comes_back(own: str, stage: Stage) -> None:
    """A request id of printable ASCII and at most 64 characters is taken over."""
    answer = await stage.api().request("GET", "/v1/rooms", headers={"X-Reqid": own})
    assert refusal(answer, 401, 401001)["requestID"] == own


async def test_blanks_around_a_request_id_are_no_part_of_it(stage: Stage) -> None:
    """As in any header; the parser leaves those behind it."""
    answer = await exchange(stage.server, b"GET /v1/rooms HTTP/1.1\r\nHost: x\r\nX-Reqid: \t a b \t \r\n\r\n")
    assert b'"requestID":"a b"' in answer
    assert b"\r\nx-reqid: a b\r\n" in answer


@pytest.mark.parametrize("own", [b"x" * 65, b"a\tb", b"caf\xc3\xa9", b"\x7f", b""])
async def test_an_unfit_request_id_is_replaced(own: bytes, stage: Stage) -> None:
    """What could garble a log or a header never comes back."""
    answer = await exchange(
        stage.server, b"GET /v1/rooms HTTP/1.1\r\nHost: x\r\nX-Reqid: " + own + b"\r\n\r\n"
    )
    assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 400"))
    assert not own or own not in answer


async def test_markup_in_answers_is_escaped(stage: Stage) -> None:
    """`<`, `>`, `&` and the line separators are written as escapes, as the original wrote them."""
    person = await stage.person()
    answer = await person.api.create_room(f"<b>&\u2028 {person.id} 房")
    assert answer.status_code == 200, answer.text
    assert f'"roomName":"\\u003cb\\u003e\\u0026\\u2028 {person.id} 房"' in answer.text


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    b"GARBAGE\r\n\r\n",
    b"GET /v1/rooms HTTP/9.9\r\n\r\n",
    b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
    b"POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET /v1/rooms HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_what_is_not_http_ends_its_own_connection_only(garbage: bytes, stage: Stage) -> None:
    """Bytes that are not HTTP get an error or a closed connection, and the server goes on for others."""
    answer = await exchange(stage.server, garbage)
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert (await stage.api().get("/healthz")).status_code == 200
