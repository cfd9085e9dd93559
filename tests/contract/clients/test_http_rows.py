"""What the apps need of the HTTP API."""

import asyncio
import base64
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from contract.wire.answers import ERROR_KEYS, done, refusal
from contract.wire.client import Json
from contract.wire.conftest import SHORT_TIMES, Launch
from contract.wire.matching import verified_rtc_claims
from contract.wire.production import producing
from contract.wire.raw import parsed
from contract.wire.server import SMS_CODE
from contract.wire.stage import Stage, accept, eventually, offer
from qlive_app.fakes import Fault

from .apps import AndroidApp, App, IosApp

PERSON_KEYS = ["id", "nickname", "gender", "avatar"]
HOSTED_KEYS = ["roomID", "roomName", "rtcRoom", "rtcRoomToken", "wsURL"]
POLL_S = 5.0
LEASE_S: float = SHORT_TIMES["presence"]["audience_lease_s"]

EVERY_ROUTE = [
    ("POST", "/v1/send_sms_code"),
    ("POST", "/v1/login"),
    ("POST", "/v1/profile"),
    ("GET", "/v1/rooms"),
    ("POST", "/v1/rooms"),
    ("GET", "/v1/rooms/nosuch"),
    ("PUT", "/v1/rooms/nosuch"),
    ("POST", "/v1/close_room"),
    ("POST", "/v1/refresh_room"),
    ("POST", "/v1/enter_room"),
    ("POST", "/v1/leave_room"),
    ("POST", "/v1/im_user_token"),
    ("POST", "/v1/upload/token"),
    ("POST", "/v1/feedbacks"),
    ("POST", "/v1/logout"),
]


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
async def test_H1_a_slash_at_the_end_changes_nothing_and_redirects_nobody(
    method: str, path: str, ios: IosApp
) -> None:
    """iOS blocks every redirect, so both spellings are answered, and in the same way."""
    await ios.log_in()
    plain = await ios.call(method, path)
    if path == "/v1/logout":
        await ios.log_in()
    slashed = await ios.call(method, f"{path}/")
    assert plain.status_code == slashed.status_code
    assert not plain.is_redirect
    assert plain.headers["content-type"] == slashed.headers["content-type"]
    codes = [answer.json().get("code") for answer in (plain, slashed) if answer.is_error]
    assert len(set(codes)) <= 1
    assert 404000 not in codes


async def test_H2_json_is_read_whatever_the_content_type_says(ios: IosApp) -> None:
    """iOS declares its pretty-printed JSON to be a form."""
    assert "application/x-www-form-urlencoded" in ios.headers("POST", 1).values()
    await ios.log_in()
    ios.room_name = f'a/b "c" \\ {ios.phone}'
    assert "\n" in ios.body({"roomName": ios.room_name})
    assert (await ios.go_live())["roomName"] == ios.room_name


@pytest.mark.parametrize("path", ["/v1/send_sms_code?phone_number=PHONE", "/v1/im_user_token", "/v1/logout"])
async def test_H3_an_empty_body_is_no_mistake(path: str, android: AndroidApp) -> None:
    """Android says that it sends JSON and sends nothing."""
    await android.log_in()
    assert android.body({}) == ""
    assert (await android.post(path.replace("PHONE", android.phone))).status_code == 200


async def test_H4_an_empty_authorization_header_is_as_good_as_none(android: AndroidApp) -> None:
    """Android sends one when it asks for a code and when it logs in; what it gets is worth a bearer header."""
    assert android.headers("POST", 0)["Authorization"] == ""
    done(await android.post(f"/v1/send_sms_code?phone_number={android.phone}"))
    await android.log_in()
    assert android.headers("GET", 0)["Authorization"] == f"Bearer {android.token}"
    assert (await android.get("/v1/rooms")).status_code == 200


async def test_H4_where_a_user_is_needed_an_empty_header_is_no_login(android: AndroidApp) -> None:
    """It is refused as a missing one, which is not what makes the app log out."""
    refusal(await android.get("/v1/rooms"), 401, 401001)


async def test_H5_no_cookie_is_set_and_none_is_believed(app: App, stage: Stage) -> None:
    """No app keeps cookies, and a token in a cookie is a liability."""
    answer = await app.post("/v1/login?logintype=smscode", {"phoneNumber": app.phone, "smsCode": SMS_CODE})
    cookie = {"Cookie": f"qlive-login-token={answer.json()['token']}"}
    refusal(await stage.api().request("GET", "/v1/rooms", headers=cookie), 401, 401001)
    app.token = answer.json()["token"]
    for said in (answer, await app.get("/v1/rooms"), await app.post("/v1/logout")):
        assert "set-cookie" not in said.headers


async def test_H6_success_with_nothing_to_say_is_an_empty_json_text(app: App, stage: Stage) -> None:
    """Android takes an empty body for an error, and iOS a key in it."""
    done(await app.post(f"/v1/send_sms_code?phone_number={app.phone}"))
    await app.log_in()
    host = await stage.host()
    await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})
    done(await app.post("/v1/leave_room", {"userID": app.id, "roomID": host.room}))
    room = await app.go_live()
    done(await app.post("/v1/close_room", {"userID": app.id, "roomID": room["roomID"]}))
    done(await app.post("/v1/logout"))


SUCCESS_KEYS = {"rooms", "roomID", "rtcRoomToken", "token", "audienceNumber", "gender"}

MISTAKES: list[tuple[str, str, Json | None, int, int]] = [
    ("POST", "/v1/send_sms_code", None, 400, 400001),
    ("POST", "/v1/login", {"phoneNumber": "1", "smsCode": "1"}, 400, 400005),
    ("POST", "/v1/login?logintype=smscode", {"phoneNumber": 1}, 400, 400000),
    ("POST", "/v1/rooms", {"roomName": ""}, 400, 400004),
    ("POST", "/v1/rooms", {"roomName": "x", "roomType": "tv"}, 400, 400007),
    ("POST", "/v1/enter_room", {"roomID": "nosuch"}, 404, 404002),
    ("GET", "/v1/rooms/nosuch", None, 404, 404002),
    ("GET", "/v1/rooms?limit=x", None, 400, 400000),
    ("GET", "/v1/nothing", None, 404, 404000),
    ("GET", "/v1/close_room", None, 404, 404000),
    ("DELETE", "/v1/rooms", None, 404, 404000),
    ("OPTIONS", "/v1/rooms", None, 404, 404000),
    ("GET", "//v1/rooms", None, 404, 404000),
    ("GET", "/v1/rooms/%ff", None, 404, 404002),
    ("POST", "/v1/im_messages/nobody", {}, 400, 400000),
]


@pytest.mark.parametrize(("method", "path", "fields", "status", "code"), MISTAKES)
async def test_H7_an_error_has_a_code_and_no_key_of_a_success(
    method: str, path: str, fields: Json | None, status: int, code: int, app: App
) -> None:
    """Android shows `summary` and acts on `code`; iOS looks for keys and ignores the status."""
    await app.log_in()
    body = refusal(await app.call(method, path, fields), status, code)
    assert not SUCCESS_KEYS & body.keys()
    assert isinstance(body["summary"], str)
    assert body["summary"]


async def test_H8_a_wrong_code_is_401002(app: App) -> None:
    """iOS shows it in the login screen."""
    wrong = {"phoneNumber": app.phone, "smsCode": "654321"}
    refusal(await app.post("/v1/login?logintype=smscode", wrong), 401, 401002)


async def test_H8_every_token_that_is_no_good_is_401003(app: App) -> None:
    """Forged, replaced by a login or revoked by a logout: on that code the apps log out."""
    await app.log_in()
    replaced = app.token
    await app.log_in()
    revoked = app.token
    done(await app.post("/v1/logout"))
    for token in ("forged", replaced, revoked):
        app.token = token
        refusal(await app.get("/v1/rooms"), 401, 401003)


async def test_H8_an_expired_token_is_401003(launch: Launch) -> None:
    """A login that is too old ends as any other."""
    stage = launch({"session": {"ttl_s": 1}})
    person = await stage.person()

    async def refused() -> bool:
        return (await person.api.rooms()).status_code == 401

    await eventually(refused, "the session expires")
    refusal(await person.api.rooms(), 401, 401003)


async def test_H8_a_room_that_is_gone_is_404002(app: App, stage: Stage) -> None:
    """Both apps let their viewer leave on it."""
    await app.log_in()
    host = await stage.host()
    assert (await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})).status_code == 200
    done(await host.api.close_room(host.room))
    refusal(await app.get(f"/v1/rooms/{host.room}"), 404, 404002)
    refusal(await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room}), 404, 404002)


async def test_H8_going_live_while_watching_is_409004(ios: IosApp, stage: Stage) -> None:
    """iOS leaves the room that it watches when it hears this."""
    await ios.log_in()
    host = await stage.host()
    await ios.post("/v1/enter_room", {"userID": ios.id, "roomID": host.room})
    voice = {"userID": ios.id, "roomName": ios.room_name, "roomType": "voice"}
    refusal(await ios.post("/v1/rooms", voice), 409, 409004)


async def test_H9_an_empty_list_by_creator_is_null(app: App) -> None:
    """iOS tests for null and then reads the first element: it would crash on `[]`."""
    await app.log_in()
    for creator in (app.id, "nosuch"):
        assert (await app.get(f"/v1/rooms?creator={creator}")).text == '{"rooms":null}'
    await app.go_live()
    [room] = (await app.get(f"/v1/rooms?creator={app.id}")).json()["rooms"]
    assert room["creator"]["id"] == app.id


async def test_H9_an_empty_list_of_all_rooms_is_null(launch: Launch) -> None:
    """Android says "no rooms" only then; the caller's own room is not among them."""
    stage = launch({})
    host = await stage.host()
    for query in ("", "?can_pk=true"):
        assert (await host.api.rooms(query)).text == '{"rooms":null}'


async def test_H10_login_and_profile_answers_have_no_null(app: App, stage: Stage) -> None:
    """iOS writes the whole answer to its defaults, which throw on null: what is absent is left out."""
    account = await app.log_in()
    assert "room" not in account
    profile = (await app.post("/v1/profile", {"id": app.id, "nickname": "", "gender": ""})).json()
    host = await stage.host()
    await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})
    watching = await app.log_in()
    await app.post("/v1/leave_room", {"userID": app.id, "roomID": host.room})
    left = await app.log_in()
    assert (watching["room"], "room" in left) == (host.room, False)
    for answer in (account, profile, watching, left):
        assert None not in answer.values()


async def test_H11_the_login_answer_has_all_that_the_apps_read(app: App) -> None:
    """Texts all of them; avatar is parsed as a URI by Android, gender may be empty."""
    account = await app.log_in()
    assert list(account) == ["id", "nickname", "gender", "avatar", "token", "status"]
    assert all(isinstance(value, str) for value in account.values())
    assert account["avatar"]
    await app.go_live()
    assert list(await app.log_in()) == ["id", "nickname", "gender", "avatar", "token", "status", "room"]


async def test_H12_a_user_is_four_texts_wherever_he_is_shown(app: App, stage: Stage) -> None:
    """In lists, in a room, on entering, and as the opponent."""
    await app.log_in()
    host, other = await stage.fighting()
    listed = {room["id"]: room for room in (await app.get("/v1/rooms")).json()["rooms"]}
    shown = (await app.get(f"/v1/rooms/{host.room}")).json()
    entered = (await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})).json()
    for room in (listed[host.room], shown, entered):
        _is_person(room["creator"], host.id)
        _is_person(room["pkAnchor"], other.id)


async def test_H12_so_is_a_user_whose_account_is_gone(launch: Launch) -> None:
    """His room is shown with empty texts, not without them."""
    stage = launch({})
    host, viewer = await stage.host(), await stage.person()
    stage.server.stop()
    with sqlite3.connect(stage.server.config.with_name("qlive.db")) as database:
        database.execute("DELETE FROM account WHERE id = ?", (host.id,))
    database.close()
    stage.server.start()
    for room in ((await viewer.sees(host.room)) or {}, *(await viewer.api.rooms()).json()["rooms"]):
        assert room["creator"] == {"id": host.id, "nickname": "", "gender": "", "avatar": ""}


def _is_person(shown: Any, user_id: str) -> None:
    assert list(shown) == PERSON_KEYS
    assert shown["id"] == user_id
    assert all(isinstance(text, str) for text in shown.values())


async def test_H13_a_profile_without_avatar_keeps_the_old_one(app: App) -> None:
    """The apps send id, nickname and gender, and read the whole user from the answer."""
    account = await app.log_in()
    changed = await app.post("/v1/profile", {"id": app.id, "nickname": "小明", "gender": "female"})
    user = {"id": app.id, "nickname": "小明", "gender": "female", "avatar": account["avatar"]}
    assert (changed.status_code, changed.json()) == (200, user)
    assert user.items() <= (await app.log_in()).items()


async def test_H13_the_id_in_a_profile_changes_nobody_else(app: App, stage: Stage) -> None:
    """The token says whose profile it is."""
    await app.log_in()
    victim = await stage.person()
    answer = await app.post("/v1/profile", {"id": victim.id, "nickname": "mallory", "gender": ""})
    assert answer.json()["id"] == app.id
    assert (await victim.login())["nickname"] == victim.nickname != "mallory"


@pytest.mark.parametrize("room_type", ["pk", "voice"])
async def test_H14_newer_apps_name_the_type(room_type: str, app: App) -> None:
    """Both types are there for apps of the second and third generation."""
    await app.log_in()
    room = await app.go_live(room_type)
    assert (await app.get(f"/v1/rooms/{room['roomID']}")).json()["type"] == room_type


async def test_H14_without_a_type_it_is_a_pk_room(app: App) -> None:
    """Apps of the first generation send none."""
    await app.log_in()
    answer = await app.post("/v1/rooms", {"userID": app.id, "roomName": app.room_name})
    assert answer.status_code == 200, answer.text
    assert (await app.get(f"/v1/rooms/{answer.json()['roomID']}")).json()["type"] == "pk"


async def test_H15_the_token_says_who_calls_and_not_the_body(app: App, stage: Stage) -> None:
    """A userID is accepted in every body and believed in none."""
    await app.log_in()
    other = await stage.host()
    named = {"userID": other.id, "roomID": other.room}
    refusal(await app.post("/v1/close_room", named), 404, 404002)
    refusal(await app.post("/v1/refresh_room", named), 404, 404002)
    assert (await app.post("/v1/enter_room", named)).status_code == 200
    done(await app.post("/v1/leave_room", named))
    created = await app.post("/v1/rooms", {"userID": other.id, "roomName": app.room_name, "roomType": "pk"})
    shown = (await app.get(f"/v1/rooms/{created.json()['roomID']}")).json()
    assert shown["creator"]["id"] == app.id
    assert await other.status_of(other.room) == "single"


async def test_H16_the_token_is_for_the_room_that_is_returned(app: App) -> None:
    """Created, created again, refreshed: same keys, same room, and a token that opens it."""
    await app.log_in()
    created = await app.go_live()
    again = await app.go_live()
    refreshed = (await app.post("/v1/refresh_room", {"userID": app.id, "roomID": created["roomID"]})).json()
    for room in (created, again, refreshed):
        assert list(room) == HOSTED_KEYS
        assert room["roomID"] == room["rtcRoom"] == created["roomID"]
        claims = verified_rtc_claims(room["rtcRoomToken"])
        assert (claims["roomName"], claims["userId"]) == (created["roomID"], app.id)
        assert room["wsURL"] == created["wsURL"]
        assert room["wsURL"].startswith("ws://127.0.0.1:")


async def test_H17_a_forgotten_room_is_closed_and_opened_anew(app: App) -> None:
    """Newer apps look for their own room before they go live, close it, and take its name at once."""
    await app.log_in()
    old = await app.go_live()
    [forgotten] = (await app.get(f"/v1/rooms?creator={app.id}")).json()["rooms"]
    assert forgotten["id"] == old["roomID"]
    done(await app.post("/v1/close_room", {"userID": app.id, "roomID": forgotten["id"]}))
    new = await app.go_live()
    assert (new["roomName"], new["roomID"] != old["roomID"]) == (old["roomName"], True)


async def test_H17_so_it_is_right_after_a_crash(app: App, stage: Stage) -> None:
    """The app starts again while the server still waits for its connection to come back."""
    host = await stage.host()
    await host.signal.drop()
    app.token, app.id, app.room_name = host.api.token, host.id, host.room_name
    done(await app.post("/v1/close_room", {"userID": app.id, "roomID": host.room}))
    assert (await app.go_live())["roomID"] != host.room


async def test_H17_old_apps_refresh_the_room_that_they_find(app: App) -> None:
    """The first generation goes on in its old room."""
    await app.log_in()
    old = await app.go_live()
    answer = await app.post("/v1/refresh_room", {"userID": app.id, "roomID": old["roomID"]})
    assert answer.json().items() >= {"roomID": old["roomID"], "roomName": old["roomName"]}.items()


async def test_H17_closing_an_own_room_that_is_gone_is_404002(app: App) -> None:
    """Android goes no further if it is an internal error."""
    await app.log_in()
    room = await app.go_live()
    body = {"userID": app.id, "roomID": room["roomID"]}
    done(await app.post("/v1/close_room", body))
    refusal(await app.post("/v1/close_room", body), 404, 404002)
    await app.go_live()


async def test_H18_a_host_renames_his_room(app: App) -> None:
    """The answer has the room's id and its new name, which may be longer than the original allowed."""
    await app.log_in()
    room = await app.go_live()
    name = f"{app.phone}{'房' * 89}"
    answer = await app.call("PUT", f"/v1/rooms/{room['roomID']}", {"roomName": name})
    assert (answer.status_code, list(answer.json().items())) == (
        200,
        [("roomID", room["roomID"]), ("roomName", name)],
    )
    assert (await app.get(f"/v1/rooms/{room['roomID']}")).json()["name"] == name


ROOM_KEYS = ["id", "name", "type", "creator", "playURL", "audienceNumber", "status"]


async def test_H19_rooms_are_shown_with_what_the_apps_choose_their_screen_by(app: App, stage: Stage) -> None:
    """The status is one of four words in exactly this spelling; only a PK has an opponent."""
    await app.log_in()
    single, talking = await stage.host(), await stage.person()
    waiting, asked = await stage.offered()
    fighting, opponent = await stage.fighting()
    voice = (await talking.api.create_room(talking.room_name, "voice")).json()["roomID"]
    statuses = {
        single.room: "single",
        waiting.room: "waitPK",
        asked.room: "waitPK",
        fighting.room: "PK",
        opponent.room: "PK",
        voice: "voiceLive",
    }
    listed = {room["id"]: room for room in (await app.get("/v1/rooms")).json()["rooms"]}
    for room_id, status in statuses.items():
        for room in (listed[room_id], (await app.get(f"/v1/rooms/{room_id}")).json()):
            keys = [key for key in room if key != "joinedAudiences"]
            assert keys == [*ROOM_KEYS, *(["pkAnchor"] if status == "PK" else [])]
            assert (room["status"], room["type"]) == (status, "voice" if room_id == voice else "pk")
            assert type(room["audienceNumber"]) is int


@pytest.mark.parametrize("room_type", ["pk", "voice"])
async def test_H20_every_room_has_a_play_url(room_type: str, app: App, stage: Stage) -> None:
    """Android plays the URL of the list, and nothing if that is empty."""
    await app.log_in()
    host = await stage.person()
    room_id = (await host.api.create_room(host.room_name, room_type)).json()["roomID"]
    listed = {room["id"]: room for room in (await app.get("/v1/rooms")).json()["rooms"]}
    shown = (await app.get(f"/v1/rooms/{room_id}")).json()
    entered = (await app.post("/v1/enter_room", {"userID": app.id, "roomID": room_id})).json()
    for room in (listed[room_id], shown, entered):
        assert room["playURL"] == f"rtmp://live-play.example.com/testhub/{host.id}"


ENTERED_KEYS = ["roomID", "roomName", "roomType", "playURL", "creator", "status"]


async def test_H21_a_pk_room_is_entered_without_media(app: App, stage: Stage) -> None:
    """Its viewer plays a stream: he gets neither a token nor an address for signalling."""
    await app.log_in()
    host = await stage.host()
    room = (await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})).json()
    assert list(room) == ENTERED_KEYS
    assert (room["roomID"], room["roomName"], room["roomType"], room["status"]) == (
        host.room,
        host.room_name,
        "pk",
        "single",
    )


async def test_H21_a_room_in_a_pk_is_entered_with_the_opponent(app: App, stage: Stage) -> None:
    """The app shows both hosts from the start."""
    await app.log_in()
    host, opponent = await stage.fighting()
    room = (await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})).json()
    assert list(room) == [*ENTERED_KEYS, "pkAnchor"]
    assert (room["status"], room["pkAnchor"]["id"]) == ("PK", opponent.id)


async def test_H21_a_voice_room_is_entered_with_token_and_address(app: App, stage: Stage) -> None:
    """iOS opens the voice screen for roomType "voice" alone; its audience joins the RTC room and signals."""
    await app.log_in()
    host = await stage.person()
    room_id = (await host.api.create_room(host.room_name, "voice")).json()["roomID"]
    room = (await app.post("/v1/enter_room", {"userID": app.id, "roomID": room_id})).json()
    assert (room["roomType"], room["status"]) == ("voice", "voiceLive")
    assert room["wsURL"] == f"ws://127.0.0.1:{stage.server.ws_port}/qlive"
    claims = verified_rtc_claims(room["rtcRoomToken"])
    assert (claims["roomName"], claims["userId"], claims["permission"]) == (room_id, app.id, "user")


async def test_H24_a_poll_of_a_closed_room_is_404002(app: App, hasty: Stage) -> None:
    """It is all that a viewer of a PK room hears of its end, however the host goes."""
    viewer = await hasty.person()
    closed, logged_out, left, lost = [await hasty.host() for _ in range(4)]
    for host in (closed, logged_out, left, lost):
        await viewer.watch(host.room)
        assert await viewer.status_of(host.room) == "single"
    done(await closed.api.close_room(closed.room))
    done(await logged_out.api.logout())
    await left.signal.send("disconnect")
    await left.signal.expect_close()
    for host in (closed, logged_out, left):
        refusal(await viewer.api.room(host.room), 404, 404002)
    await lost.signal.drop()

    async def gone() -> bool:
        return await viewer.status_of(lost.room) == "gone"

    await eventually(gone, "the host who is lost is given up")


async def test_H24_a_poll_after_five_seconds_finds_its_connection_open(ios: IosApp, stage: Stage) -> None:
    """Apps poll on one connection; one that closes just when it is used again is an error on iOS."""
    await ios.log_in()
    host = await stage.host()
    request = ios.request("GET", f"/v1/rooms/{host.room}")
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.server.http_port)
    for pause_s in (POLL_S * 1.1, 0.0):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(int(parsed(head).headers["content-length"]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), pause_s)
    writer.close()


async def test_H24_polling_keeps_a_viewer_counted(hasty: Stage) -> None:
    """It is the only sign of life of a viewer without signalling."""
    host, viewer = await hasty.host(), await hasty.person()
    await viewer.watch(host.room)
    end = time.monotonic() + 2 * LEASE_S
    while time.monotonic() < end:
        assert (await viewer.sees(host.room) or {})["audienceNumber"] == 1
        await asyncio.sleep(LEASE_S / 5)


async def test_H24_a_viewer_back_from_the_background_is_counted_again(hasty: Stage) -> None:
    """Android stops polling in the background and goes on later without entering again."""
    host, viewer = await hasty.host(), await hasty.person()
    await viewer.watch(host.room)

    async def forgotten() -> bool:
        return bool((await host.sees(host.room) or {})["audienceNumber"] == 0)

    await eventually(forgotten, "the viewer who sleeps is not counted")
    assert (await viewer.sees(host.room) or {})["audienceNumber"] == 1


async def test_H25_leaving_always_succeeds(app: App, stage: Stage) -> None:
    """Twice, after the end, and from where one never was."""
    await app.log_in()
    host = await stage.host()
    body = {"userID": app.id, "roomID": host.room}
    done(await app.post("/v1/leave_room", body))
    assert (await app.post("/v1/enter_room", body)).status_code == 200
    done(await app.post("/v1/leave_room", body))
    done(await app.post("/v1/leave_room", body))
    assert (await app.post("/v1/enter_room", body)).status_code == 200
    done(await host.api.close_room(host.room))
    done(await app.post("/v1/leave_room", body))


async def test_H25_a_host_is_refused_in_one_body(app: App) -> None:
    """The original wrote two, one behind the other."""
    await app.log_in()
    room = await app.go_live()
    answer = await app.post("/v1/leave_room", {"userID": app.id, "roomID": room["roomID"]})
    refusal(answer, 409, 409003)


async def test_H26_a_chat_token_comes_with_the_user_id(app: App) -> None:
    """The apps keep both for ever."""
    await app.log_in()
    answer = await app.post("/v1/im_user_token")
    assert (answer.status_code, list(answer.json())) == (200, ["userID", "token"])
    assert answer.json()["userID"] == app.id
    assert answer.json()["token"]


async def test_H27_an_upload_token_tells_when_it_ends(launch: Launch) -> None:
    """The time in the answer is the time in the token."""
    keys = {"access_key": "storage-ak", "secret_key": "storage-sk"}
    stage = launch({"storage": {"key_pair": keys, "bucket": "files"}})
    person = await stage.person()
    answer = await person.api.post("/v1/upload/token", {"filename": "feedback/1.log", "expireSeconds": 600})
    assert (answer.status_code, list(answer.json())) == (200, ["token", "expireAt"])
    access_key, _, policy = answer.json()["token"].split(":")
    told: Json = json.loads(base64.urlsafe_b64decode(policy))
    assert (access_key, told["scope"]) == ("storage-ak", "files:feedback/1.log")
    assert told["deadline"] == answer.json()["expireAt"]
    assert abs(told["deadline"] - time.time() - 600) < 5


async def test_H27_feedback_gets_a_number_and_its_file_an_address(launch: Launch) -> None:
    """The apps send the bare key under which the file was uploaded."""
    stage = launch({"storage": {"url_prefix": "https://files.example.com"}})
    person = await stage.person()
    for number, sent in enumerate(("feedback/1.log", "https://other.example.com/2.log", ""), 1):
        answer = await person.api.post("/v1/feedbacks", {"content": "卡顿", "attachment": sent})
        assert (answer.status_code, answer.text) == (200, f'{{"feedbackID":"{number}"}}')
    stage.server.stop()
    with sqlite3.connect(stage.server.config.with_name("qlive.db")) as database:
        kept = database.execute("SELECT attachment FROM feedback ORDER BY number").fetchall()
    database.close()
    assert [url for (url,) in kept] == [
        "https://files.example.com/feedback/1.log",
        "https://other.example.com/2.log",
        "",
    ]


async def test_H28_no_vendor_stands_between_an_answer_and_the_other_host(stage: Stage) -> None:
    """Relay tokens are signed locally: both hosts have all that they need at once."""
    proposer, target = await stage.pair()
    began = time.monotonic()
    await offer(proposer, target)
    await accept(target, proposer)
    assert time.monotonic() - began < 4


async def test_H28_vendors_that_never_answer_keep_nobody_waiting(tmp_path: Path) -> None:
    """Android gives up after ten seconds; until then it can be told, and a code may arrive nevertheless."""
    async with producing(tmp_path, {}) as stage:
        person = await stage.person()
        for fake in (stage.qiniu, stage.cloud):
            fake.faults.add(Fault("silent", times=None))
        began = time.monotonic()
        token, code = await asyncio.gather(
            person.api.post("/v1/im_user_token"), person.api.send_sms_code("13999999999")
        )
        assert time.monotonic() - began < 8
        refusal(token, 502, 502001)
        done(code)


@pytest.mark.parametrize("name", ['my "room"', "my \\dog", 'a","roomName":5,"x":"'])
async def test_H29_broken_json_gets_a_proper_error(name: str, android: AndroidApp) -> None:
    """Android escapes nothing when it puts a name into JSON."""
    await android.log_in()
    fields = {"userID": android.id, "roomName": name, "roomType": "pk"}
    body = refusal(await android.post("/v1/rooms", fields), 400, 400000)
    assert list(body) == ERROR_KEYS
    assert (await android.get(f"/v1/rooms?creator={android.id}")).text == '{"rooms":null}'
