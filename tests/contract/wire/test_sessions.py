"""Who is logged in, and which of the user's connections counts."""

import asyncio
import re
from contextlib import suppress

import pytest

from .answers import done, refusal
from .client import NO_CLOSE_FRAME, SignalClient
from .conftest import Launch
from .server import SMS_CODE
from .stage import Stage, eventually, fresh_phone, offer

UNFIT_PHONES = [
    "abc13800000000",
    "138000000001",
    "1380000000",
    "%2B8613800000000",
    "12800000000",
    "",
    "1380000000a",
]


@pytest.mark.parametrize("phone", UNFIT_PHONES)
async def test_no_code_for_what_is_not_a_phone(phone: str, stage: Stage) -> None:
    """The whole text has to be a phone number."""
    body = refusal(await stage.api().send_sms_code(phone), 400, 400001)
    assert body["message"] in ("invalid phone number", "empty phone number")


async def test_a_missing_phone_is_named(stage: Stage) -> None:
    """Without the parameter the message says so."""
    body = refusal(await stage.api().post("/v1/send_sms_code"), 400, 400001)
    assert body["message"] == "empty phone number"


async def test_a_code_works_once(stage: Stage) -> None:
    """A code that was sent logs in once; it cannot be sent again within a minute."""
    phone, api = "15900000001", stage.api()
    done(await api.send_sms_code(phone))
    assert refusal(await api.send_sms_code(phone), 429, 429001)["summary"] == "send sms code request limited"
    code = await _sent_code(stage, phone)
    assert (await api.login(phone, code)).status_code == 200
    refusal(await api.login(phone, code), 401, 401002)


async def test_five_wrong_guesses_kill_a_code(stage: Stage) -> None:
    """After five wrong tries the right code is worth nothing any more."""
    phone, api = "15900000002", stage.api()
    done(await api.send_sms_code(phone))
    code = await _sent_code(stage, phone)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        refusal(await api.login(phone, wrong), 401, 401002)
    refusal(await api.login(phone, code), 401, 401002)


async def _sent_code(stage: Stage, phone: str) -> str:
    """The code that the test provider writes to the log, which may be a moment after the answer."""
    line = re.compile(rf'"test_phone": "{phone}", "test_code": "([0-9]{{6}})"')

    async def written() -> bool:
        return line.search(stage.server.log) is not None

    await eventually(written, f"a code for {phone} is in the log")
    return str(line.findall(stage.server.log)[-1])


async def test_many_phones_at_once_from_one_address(launch: Launch) -> None:
    """As many as may are sent a code, the others are refused, and nobody is told to try again."""
    stage = launch({"sms": {"address_hourly_limit": 100}})
    answers = await asyncio.gather(*(stage.api().send_sms_code(fresh_phone()) for _ in range(130)))
    assert [answer.status_code for answer in answers].count(200) == 100
    for answer in answers:
        if answer.status_code != 200:
            refusal(answer, 429, 429001)


async def test_a_login_answer_has_no_null(stage: Stage) -> None:
    """The login answer has its keys and no null, for iOS stores it in a place that takes none."""
    person = await stage.person()
    account = await person.login()
    assert list(account) == ["id", "nickname", "gender", "avatar", "token", "status"]
    assert all(isinstance(text, str) for text in account.values())


async def test_first_logins_at_once_make_one_account(stage: Stage) -> None:
    """Twenty concurrent first logins of a phone give one account; the session of exactly one of them lives."""
    phone = fresh_phone()
    answers = await asyncio.gather(*(stage.api().login(phone, SMS_CODE) for _ in range(20)))
    accounts = [answer.json() for answer in answers]
    assert len({account["id"] for account in accounts}) == 1
    statuses = [(await stage.api(account["token"]).rooms()).status_code for account in accounts]
    assert (statuses.count(200), statuses.count(401)) == (1, 19)


async def test_a_new_login_ends_the_old_session(stage: Stage) -> None:
    """The old token is 401003 and its connection is closed; the room lives on under the new token."""
    host = await stage.host()
    old_token, old_signal = host.api.token, host.signal
    account = await host.login()
    assert (account["status"], account["room"]) == ("singleLive", host.room)
    refusal(await stage.api(old_token).rooms(), 401, 401003)
    assert await old_signal.expect_close() == 4002
    await host.connect()
    assert await host.status_of(host.room) == "single"


async def test_logout_ends_everything(stage: Stage) -> None:
    """Logging out while live closes the connection with 4002 and the room, and the token is worth nothing."""
    host = await stage.host()
    viewer = await stage.viewer(host.room)
    done(await host.api.logout())
    assert await host.signal.expect_close() == 4002
    refusal(await host.api.rooms(), 401, 401003)
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}
    assert await viewer.status_of(host.room) == "gone"


async def test_a_viewer_who_logs_out_is_not_counted(stage: Stage) -> None:
    """Logging out leaves the room that one watches."""
    host = await stage.host()
    viewer = await stage.viewer(host.room)
    assert (await host.sees(host.room) or {})["audienceNumber"] == 1
    done(await viewer.api.logout())
    assert (await host.sees(host.room) or {})["audienceNumber"] == 0


async def test_disconnect_closes_connection_and_room(stage: Stage) -> None:
    """`disconnect` is the host's word that the live is over: close 1000, and everybody is told."""
    host = await stage.host()
    viewer = await stage.viewer(host.room)
    await host.signal.send("disconnect", {"rpcID": 3})
    assert await host.signal.expect_close() == 1000
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}
    assert await viewer.status_of(host.room) == "gone"
    account = await host.login()
    assert (account["status"], "room" in account) == ("idle", False)


async def test_the_newer_connection_counts(stage: Stage) -> None:
    """A second connection of a user closes the first with 4001; rooms live on and pushes reach the new one."""
    host, other = await stage.pair()
    first = host.signal
    second = await host.connect()
    assert await first.expect_close() == 4001
    await offer(other, host)
    await second.nothing_within()
    assert await host.status_of(host.room) == "waitPK"


async def test_a_replaced_connection_has_no_say(stage: Stage) -> None:
    """Whatever the old connection still sends or suffers, room and pushes belong to the new one."""
    host, other = await stage.pair()
    for lost in (True, False) * 8:
        old = host.signal
        await host.connect()
        if lost:
            await old.drop()
        else:
            _disconnect_late(old)
    await offer(other, host)
    assert await host.status_of(host.room) == "waitPK"


def _disconnect_late(signal: SignalClient) -> None:
    """Put a `disconnect` on the wire of a connection that is being closed: a masked text frame, as it is."""
    text = b"disconnect={}"
    with suppress(RuntimeError):  # it may be closed already
        signal.connection.transport.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)


async def test_two_connections_at_once_leave_one(stage: Stage) -> None:
    """Of ten connections that authenticate at the same moment one stays open, and it hears what comes."""
    host, other = await stage.pair()
    signals = [await stage.stranger() for _ in range(10)]
    await asyncio.gather(*(signal.send("auth", {"token": host.api.token}) for signal in signals))
    await asyncio.gather(*(signal.receive() for signal in signals))
    await other.signal.call("start-pk", pkRoomID=host.room)
    assert (await asyncio.gather(*(_hears_an_offer(signal) for signal in signals))).count(True) == 1


async def _hears_an_offer(signal: SignalClient) -> bool:
    """Whether an offer reaches this connection before its end."""
    while (frame := await signal.receive()) is not None:
        if str(frame).startswith("on-pk-offer="):
            return True
    return False


async def test_authenticating_twice(stage: Stage) -> None:
    """Auth again is answered again for the same user and refused for another; nothing changes either way."""
    host, other = await stage.pair()
    assert (await host.signal.auth(host.api.token, "2"))["code"] == 0
    assert await host.signal.auth(other.api.token, "3") == {
        "rpcID": "3",
        "code": 10002,
        "error": "token invalid",
    }
    assert (await host.signal.auth("forged"))["code"] == 10002
    await offer(host, other)


async def test_a_pong_timeout_is_announced(stage: Stage) -> None:
    """auth-res carries a positive pongTimeout: iOS tears its live down without one."""
    person = await stage.person()
    signal = await stage.stranger(hears_pings=True)
    answer = await signal.auth(person.api.token)
    assert list(answer) == ["rpcID", "code", "error", "pongTimeout"]
    assert answer["pongTimeout"] == 20
    assert await signal.receive() == "ping={}"


async def test_frames_are_answered_in_order(stage: Stage) -> None:
    """What is sent right behind auth is answered, and everything in the order in which it was sent."""
    person = await stage.person()
    signal = await stage.stranger()
    await signal.send("auth", {"rpcID": "auth", "token": person.api.token})
    for number in range(50):
        await signal.send("end-pk" if number % 2 else "start-pk", {"rpcID": str(number), "pkRoomID": "x"})
        await signal.send("ping")
    assert (await signal.expect("auth-res"))["code"] == 0
    for number in range(50):
        kind = "end-pk-res" if number % 2 else "start-pk-res"
        assert (await signal.expect(kind))["rpcID"] == str(number)
        assert await signal.expect("pong") == {}


async def test_the_handshake_of_old_apps(stage: Stage) -> None:
    """Any origin is welcome, no subprotocol is chosen and no compression agreed, as old apps need it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.server.ws_port)
    writer.write(
        b"GET /qlive HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-Websocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: chat,superchat\r\nOrigin: ws://127.0.0.1/qlive\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert head.startswith(b"HTTP/1.1 101")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert b"sec-websocket-protocol" not in head.lower()
    assert b"sec-websocket-extensions" not in head.lower()


async def test_a_logout_and_a_login_at_the_same_moment(stage: Stage) -> None:
    """The old device logs out while the new one logs in: what the new one was given is good."""
    person = await stage.person()
    for _ in range(15):
        old = person.api
        (left, entered) = await asyncio.gather(old.logout(), stage.api().login(person.phone, SMS_CODE))
        assert left.status_code in (200, 401)
        person.api = stage.api(entered.json()["token"])
        opened = await person.api.create_room(person.room_name)
        assert opened.status_code == 200, opened.text
        assert await person.status_of(opened.json()["roomID"]) == "single"
        refusal(await old.rooms(), 401, 401003)


async def test_shutdown_says_goodbye(launch: Launch) -> None:
    """On SIGTERM connections end, the process ends with 0, and nothing committed is lost."""
    stage = launch({})
    host = await stage.host()
    assert await asyncio.to_thread(stage.server.terminate) == 0
    assert await host.signal.expect_close() == NO_CLOSE_FRAME
    stage.server.restart()
    await host.connect()
    assert await host.status_of(host.room) == "single"
