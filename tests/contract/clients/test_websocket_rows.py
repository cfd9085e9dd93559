"""What the first generation of apps, and our own clients, need of signalling over WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from contract.wire.answers import done
from contract.wire.client import Json
from contract.wire.conftest import SHORT_TIMES, Launch
from contract.wire.server import RunningServer
from contract.wire.stage import Person, Stage, accept

from .raw_socket import ACCEPT_OF_BOTH, Opcode, RawSocket, android_handshake, ios_handshake

PING_S: float = SHORT_TIMES["websocket_conf"]["ping_ticker_s"]
PONG_TIMEOUT_S: float = SHORT_TIMES["websocket_conf"]["pong_timeout_s"]

OK, IN_PK = 0, 10012
KNOWN_TO_ANDROID = {10011, 10012, 10013, 10016, 10031}
"""Its first generation ends the live on every other code."""

Handshake = Callable[[RunningServer], str]
Connect = Callable[[Stage, Handshake], Awaitable[RawSocket]]
GoLive = Callable[[Stage, Handshake], Awaitable[tuple[Person, RawSocket]]]

BOTH_APPS = pytest.mark.parametrize("handshake", [android_handshake, ios_handshake], ids=["android", "ios"])


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens connections as an app does, not authenticated yet."""
    sockets: list[RawSocket] = []

    async def opened(stage: Stage, handshake: Handshake) -> RawSocket:
        sockets.append(await RawSocket.open(stage.server, handshake(stage.server)))
        return sockets[-1]

    yield opened
    for socket in sockets:
        socket.drop()


@pytest.fixture
def live(connect: Connect) -> GoLive:
    """Makes hosts, live and connected by an app."""

    async def made(stage: Stage, handshake: Handshake) -> tuple[Person, RawSocket]:
        host = await stage.person()
        await host.go_live()
        socket = await connect(stage, handshake)
        assert (await socket.auth(host.api.token))["code"] == OK
        return host, socket

    return made


@BOTH_APPS
async def test_W1_a_message_is_one_text_frame_split_at_its_first_equals_sign(
    handshake: Handshake, live: GoLive, stage: Stage
) -> None:
    """The body may hold more of them, in what is sent and in what is heard; it may be `{}`."""
    host, socket = await live(stage, handshake)
    other = await stage.host()
    host.room_name = f"a=b={host.phone}"
    assert (await host.api.rename_room(host.room, host.room_name)).status_code == 200
    socket.send("start-pk", {"rpcID": "1=2", "pkRoomID": other.room})
    assert (await socket.expect("start-pk-res"))["rpcID"] == "1=2"
    assert (await other.signal.expect("on-pk-offer"))["roomName"] == host.room_name
    socket.send("ping", "{}")
    assert await socket.expect("pong") == {}


async def test_W1_the_server_sends_text_alone(live: GoLive, hasty: Stage) -> None:
    """The apps ignore binary frames, so nothing may come in one."""
    _, socket = await live(hasty, android_handshake)
    for _ in range(3):
        assert await socket.text() == "ping={}"


@pytest.mark.parametrize("wanted", ["chat,superchat", "chat, superchat", "something.else", ""])
async def test_W2_no_subprotocol_is_chosen_and_none_is_refused(
    wanted: str, connect: Connect, stage: Stage
) -> None:
    """iOS asks for two, written without a blank, and does not look at what it gets."""

    def handshake(server: RunningServer) -> str:
        line = f"Sec-WebSocket-Protocol: {wanted}\r\n" if wanted else ""
        return ios_handshake(server).replace("Sec-WebSocket-Protocol: chat,superchat\r\n", line)

    assert "sec-websocket-protocol" not in (await connect(stage, handshake)).head.lower()


@pytest.mark.parametrize("origin", ["WS_URL", "http://example.com", "null", ""])
async def test_W3_any_origin_is_welcome(origin: str, connect: Connect, stage: Stage) -> None:
    """iOS names the signalling address itself, with its path; Android names none."""

    def handshake(server: RunningServer) -> str:
        line = f"Origin: {origin.replace('WS_URL', server.ws_url)}\r\n" if origin else ""
        return ios_handshake(server).replace(f"Origin: {server.ws_url}\r\n", line)

    assert (await connect(stage, handshake)).head.startswith("HTTP/1.1 101 ")


@pytest.mark.parametrize("name", ["Sec-Websocket-Version", "sec-websocket-version", "SEC-WEBSOCKET-VERSION"])
async def test_W3_header_names_are_read_in_any_case(name: str, connect: Connect, stage: Stage) -> None:
    """iOS writes one of them in an odd way."""

    def handshake(server: RunningServer) -> str:
        return ios_handshake(server).replace("Sec-Websocket-Version", name)

    assert (await connect(stage, handshake)).head.startswith("HTTP/1.1 101 ")


@BOTH_APPS
async def test_W4_the_accept_header_is_written_as_the_standard_writes_it(
    handshake: Handshake, connect: Connect, stage: Stage
) -> None:
    """iOS looks for it by its exact name."""
    lines = (await connect(stage, handshake)).head.split("\r\n")
    assert f"Sec-WebSocket-Accept: {ACCEPT_OF_BOTH}" in lines
    assert {"Upgrade: websocket", "Connection: Upgrade"} <= set(lines)


@pytest.mark.parametrize("offer_made", ["permessage-deflate", "permessage-deflate; client_max_window_bits"])
async def test_W5_compression_is_not_agreed(offer_made: str, connect: Connect, stage: Stage) -> None:
    """OkHttp offers it and closes when it hears of client_max_window_bits."""

    def handshake(server: RunningServer) -> str:
        return android_handshake(server).replace("permessage-deflate", offer_made)

    assert "sec-websocket-extensions" not in (await connect(stage, handshake)).head.lower()


@BOTH_APPS
async def test_W5_no_frame_has_reserved_bits_or_a_mask(
    handshake: Handshake, live: GoLive, stage: Stage
) -> None:
    """`RawSocket.frame` looks at these bits: here at a text, a long text, a pong and a close."""
    host, socket = await live(stage, handshake)
    socket.send("start-pk", {"rpcID": "x" * 500, "pkRoomID": "nosuch"})
    assert len((await socket.expect("start-pk-res"))["rpcID"]) == 500
    socket.send_frame(Opcode.PING, b"payload")
    assert await _next_but_pings(socket) == (Opcode.PONG, b"payload")
    done(await host.api.logout())
    opcode, payload = await _next_but_pings(socket)
    assert (opcode, int.from_bytes(payload[:2], "big")) == (Opcode.CLOSE, 4002)


async def _next_but_pings(socket: RawSocket) -> tuple[Opcode, bytes]:
    """Return the next frame that is not one of the server's `ping={}`."""
    while (frame := await socket.frame()) is not None and frame.payload == b"ping={}":
        pass
    assert frame is not None, "the connection is over"
    return frame.opcode, frame.payload


async def test_W6_empty_ping_frames_are_answered_and_keep_the_connection(live: GoLive, hasty: Stage) -> None:
    """They are all that iOS says of itself while nothing happens."""
    _, socket = await live(hasty, ios_handshake)
    end = time.monotonic() + 2.5 * PONG_TIMEOUT_S
    while time.monotonic() < end:
        socket.send_frame(Opcode.PING)
        assert await _next_but_pings(socket) == (Opcode.PONG, b"")
        await asyncio.sleep(PONG_TIMEOUT_S / 6)
    socket.send("end-pk", {"rpcID": "7"})
    assert (await socket.expect("end-pk-res"))["rpcID"] == "7"


@pytest.mark.parametrize("pong", ["{}", '{"any":"thing"}', ""])
async def test_W7_text_pings_come_at_once_and_regularly_and_any_pong_will_do(
    pong: str, live: GoLive, hasty: Stage
) -> None:
    """iOS takes any text as a sign of life and tears the live down when none comes for too long."""
    _, socket = await live(hasty, ios_handshake)
    began = time.monotonic()
    pings = 1 + int(1.6 * PONG_TIMEOUT_S / PING_S)
    for _ in range(pings):
        assert await socket.text() == "ping={}"
        socket.send("pong", pong)
    assert time.monotonic() - began < pings * PING_S + 2


@BOTH_APPS
async def test_W8_auth_res_is_the_first_text_and_announces_the_pong_timeout(
    handshake: Handshake, connect: Connect, stage: Stage, hasty: Stage
) -> None:
    """iOS, whose timeout is 0 until then, would tear the live down after any other text; whole seconds count."""
    for one_stage, seconds in ((stage, 20), (hasty, 1)):
        for _ in range(10):
            person = await one_stage.person()
            socket = await connect(one_stage, handshake)
            socket.send("auth", {"token": person.api.token, "rpcID": "0"})
            assert await socket.text() == (
                f'auth-res={{"rpcID":"0","code":0,"error":"","pongTimeout":{seconds}}}'
            )
            assert await socket.text() == "ping={}"


async def test_W8_who_does_not_authenticate_in_time_is_closed(connect: Connect, hasty: Stage) -> None:
    """There is no ping before, which would be the first text."""
    socket = await connect(hasty, ios_handshake)
    assert await socket.frame() is None


@BOTH_APPS
async def test_W9_a_bad_token_is_answered_with_10002(
    handshake: Handshake, connect: Connect, stage: Stage
) -> None:
    """Android leaves its screen; iOS says `disconnect`, which means nothing yet, and closes."""
    socket = await connect(stage, handshake)
    socket.send("auth", {"token": "forged", "rpcID": "0"})
    assert await socket.text() == 'auth-res={"rpcID":"0","code":10002,"error":"token invalid"}'
    socket.send("disconnect", {"rpcID": "3"})
    socket.send_frame(Opcode.CLOSE, (1000).to_bytes(2, "big"))
    assert await _next_but_pings(socket) == (Opcode.CLOSE, (1000).to_bytes(2, "big"))
    assert await socket.frame() is None


@BOTH_APPS
async def test_W9_before_auth_nothing_is_answered_and_nothing_happens(
    handshake: Handshake, connect: Connect, stage: Stage
) -> None:
    """The next that is heard is auth-res, and the offer was never made."""
    person, other = await stage.person(), await stage.host()
    await person.go_live()
    socket = await connect(stage, handshake)
    socket.send("start-pk", {"rpcID": "1", "pkRoomID": other.room})
    socket.send("disconnect", {"rpcID": "3"})
    socket.send("ping", "{}")
    socket.send("auth", {"token": person.api.token, "rpcID": "0"})
    assert (await socket.text()).startswith("auth-res=")
    assert await other.status_of(other.room) == "single"
    assert await other.status_of(person.room) == "single"


@BOTH_APPS
async def test_W10_what_is_sent_behind_auth_is_answered_in_order(
    handshake: Handshake, connect: Connect, stage: Stage
) -> None:
    """Android holds its messages back until auth-res, iOS does not."""
    person = await stage.person()
    await person.go_live()
    socket = await connect(stage, handshake)
    socket.send("auth", {"token": person.api.token, "rpcID": "0"})
    for number in range(20):
        socket.send("start-pk", {"rpcID": f"start-{number}", "pkRoomID": "nosuch"})
        socket.send("end-pk", {"rpcID": f"end-{number}", "pkRoomID": "nosuch"})
    assert (await socket.expect("auth-res"))["code"] == OK
    for number in range(20):
        assert (await socket.expect("start-pk-res"))["rpcID"] == f"start-{number}"
        assert (await socket.expect("end-pk-res"))["rpcID"] == f"end-{number}"


@BOTH_APPS
async def test_W11_who_connects_again_finds_all_as_it_was_and_hears_what_he_missed(
    handshake: Handshake, live: GoLive, connect: Connect, stage: Stage
) -> None:
    """The apps send nothing again but `auth`; what waited comes behind auth-res and the ping, in its order."""
    host, socket = await live(stage, handshake)
    first, second = await stage.host(), await stage.host()
    socket.drop()
    await _offer(first, host)
    done(await first.api.close_room(first.room))
    await _offer(second, host)
    again = await connect(stage, handshake)
    again.send("auth", {"token": host.api.token, "rpcID": "0"})
    heard = [await again.text() for _ in range(5)]
    assert [text.partition("=")[0] for text in heard] == [
        "auth-res",
        "ping",
        "on-pk-offer",
        "on-pk-timeout",
        "on-pk-offer",
    ]
    again.send("answer-pk", {"rpcID": "2", "reqRoomID": second.room, "accept": True})
    assert (await again.expect("answer-pk-res"))["code"] == OK


async def _offer(proposer: Person, target: Person) -> None:
    """Offer a PK to a host who hears of it when and where he likes."""
    assert (await proposer.signal.call("start-pk", pkRoomID=target.room))["code"] == OK


@BOTH_APPS
async def test_W12_a_connection_that_is_replaced_loses_its_tcp_connection_too(
    handshake: Handshake, live: GoLive, connect: Connect, stage: Stage
) -> None:
    """OkHttp on a close frame tells its app nothing until the connection is really over; it answers none."""
    host, old = await live(stage, handshake)
    new = await connect(stage, handshake)
    assert (await new.auth(host.api.token))["code"] == OK
    await _is_over(old, 4001)
    new.send("ping", "{}")
    assert await new.expect("pong") == {}


async def test_W12_so_does_one_that_is_closed_for_another_reason(
    live: GoLive, connect: Connect, hasty: Stage
) -> None:
    """With a frame if it is not to come back: logged out, or saying what cannot be understood. Else without one."""
    logged_out = await live(hasty, android_handshake)
    _, silent = await live(hasty, android_handshake)
    stranger = await connect(hasty, android_handshake)
    _, garbled = await live(hasty, android_handshake)
    garbled.send_frame(Opcode.TEXT, b"hello")
    done(await logged_out[0].api.logout())
    await asyncio.gather(
        _is_over(logged_out[1], 4002),
        _is_over(silent),
        _is_over(stranger),
        _is_over(garbled, 1007),
    )


async def test_W12_both_hosts_of_a_pk_are_back_after_a_restart(connect: Connect, launch: Launch) -> None:
    """The operator stops the server. OkHttp would keep a close frame from the app, which would hang."""
    stage = launch({})
    pair = await stage.fighting()
    apps = [await _android(stage, connect, host) for host in pair]
    await asyncio.to_thread(stage.server.terminate)
    for app in apps:
        await _is_over(app)
    await asyncio.to_thread(stage.server.start)
    for host in pair:
        await _android(stage, connect, host)
    for host in pair:
        assert await host.status_of(host.room) == "PK"


async def _android(stage: Stage, connect: Connect, host: Person) -> RawSocket:
    socket = await connect(stage, android_handshake)
    assert (await socket.auth(host.api.token))["code"] == OK
    return socket


async def _is_over(socket: RawSocket, code: int | None = None) -> None:
    """See a close frame if there is to be one, and soon after it the end, though the client does nothing."""
    while (frame := await socket.frame()) is not None and frame.payload == b"ping={}":
        pass
    if code is None:
        assert frame is None, frame
        return
    assert frame is not None
    assert (frame.opcode, frame.close_code) == (Opcode.CLOSE, code)
    closed_at = time.monotonic()
    assert await socket.frame() is None
    assert time.monotonic() - closed_at < 3


async def test_W13_ios_says_disconnect_and_closes_in_one_breath(live: GoLive, stage: Stage) -> None:
    """It is the host's word: the room closes and everybody is told."""
    host, socket = await live(stage, ios_handshake)
    viewer = await stage.viewer(host.room)
    socket.send("disconnect", {"rpcID": "3"})
    socket.send_frame(Opcode.CLOSE, (1000).to_bytes(2, "big"))
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}
    assert await viewer.status_of(host.room) == "gone"
    opcode, payload = await _next_but_pings(socket)
    assert (opcode, payload[:2]) == (Opcode.CLOSE, (1000).to_bytes(2, "big"))
    assert await socket.frame() is None


@pytest.mark.parametrize("lets_go", [True, False])
async def test_W13_android_says_disconnect_and_lets_go(lets_go: bool, live: GoLive, stage: Stage) -> None:
    """Whether its socket goes with it or stays open for a while makes no difference."""
    host, socket = await live(stage, android_handshake)
    viewer = await stage.viewer(host.room)
    socket.send("disconnect", {"rpcID": "android-2"})
    if lets_go:
        socket.send_frame(Opcode.CLOSE)
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}
    assert (await host.login())["status"] == "idle"
    await host.go_live()


ANSWER_FIELDS: dict[str, Json] = {
    "first generation": {"pkRoomID": "PROPOSER", "accept": True},
    "later ones": {"reqRoomID": "PROPOSER", "accept": True},
    "both, the newer counts": {"reqRoomID": "PROPOSER", "pkRoomID": "nosuch", "accept": True},
    "both, the newer is empty": {"reqRoomID": "", "pkRoomID": "PROPOSER", "accept": True},
}


@pytest.mark.parametrize("fields", ANSWER_FIELDS.values(), ids=ANSWER_FIELDS)
async def test_W14_the_offer_is_named_by_either_key(fields: Json, live: GoLive, stage: Stage) -> None:
    """The original renamed it once and broke the first generation."""
    host, socket = await live(stage, android_handshake)
    proposer = await stage.host()
    await _offer(proposer, host)
    await socket.expect("on-pk-offer")
    named = {key: proposer.room if value == "PROPOSER" else value for key, value in fields.items()}
    socket.send("answer-pk", {"rpcID": "android-2", **named})
    answer = await socket.expect("answer-pk-res")
    assert (answer["code"], answer["rpcID"]) == (OK, "android-2")
    assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is True


async def test_W15_answers_name_the_offer_under_old_and_new_keys(stage: Stage) -> None:
    """Nobody reads them, so both spellings can be there; on-pk-answer has the newer one."""
    proposer, target = await stage.offered()
    answer = await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
    assert (answer["ReqRoomID"], answer["reqRoomID"]) == (proposer.room, proposer.room)
    assert (await proposer.signal.expect("on-pk-answer"))["reqRoomID"] == proposer.room
    failed = await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
    assert (failed["ReqRoomID"], failed["reqRoomID"]) == ("", "")


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ('"rpcID":"android-1600000000000",', '"rpcID":"android-1600000000000",'),
        ('"rpcID":"1",', '"rpcID":"1",'),
        ('"rpcID":3,', '"rpcID":3,'),
        ("", ""),
        ('"rpcID":null,', ""),
        ('"rpcID":"",', ""),
    ],
)
async def test_W16_an_rpc_id_comes_back_as_it_came(
    sent: str, echoed: str, live: GoLive, stage: Stage
) -> None:
    """A text, a number, or nothing at all."""
    _, socket = await live(stage, ios_handshake)
    assert await socket.text() == "ping={}"
    socket.send("start-pk", f'{{{sent}"pkRoomID":"nosuch"}}')
    assert await socket.text() == f'start-pk-res={{{echoed}"code":10011,"error":"room no exist"}}'


async def test_W16_the_same_rpc_id_again_is_another_request(live: GoLive, stage: Stage) -> None:
    """iOS marks all requests of a kind with the same number."""
    _, socket = await live(stage, ios_handshake)
    other = await stage.host()
    codes = []
    for room_id in ("nosuch", other.room, other.room):
        socket.send("start-pk", {"rpcID": "1", "pkRoomID": room_id})
        codes.append((await socket.expect("start-pk-res"))["code"])
    assert codes == [10011, OK, IN_PK]


async def test_W16_a_number_marks_the_disconnect_of_ios_voice_rooms(live: GoLive, stage: Stage) -> None:
    """It must not be mistaken for a message that cannot be read."""
    host, socket = await live(stage, ios_handshake)
    socket.send("disconnect", '{"rpcID":3}')
    opcode, payload = await _next_but_pings(socket)
    assert (opcode, int.from_bytes(payload[:2], "big")) == (Opcode.CLOSE, 1000)
    assert await (await stage.person()).status_of(host.room) == "gone"


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("1", True), ("false", False), ("0", False)])
async def test_W17_accept_may_be_a_number(said: str, meant: bool, live: GoLive, stage: Stage) -> None:
    """A BOOL of 32-bit iOS is a char."""
    host, socket = await live(stage, ios_handshake)
    proposer = await stage.host()
    await _offer(proposer, host)
    await socket.expect("on-pk-offer")
    socket.send("answer-pk", f'{{"reqRoomID":"{proposer.room}","accept":{said}}}')
    assert (await socket.expect("answer-pk-res"))["code"] == OK
    assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is meant
    assert await host.status_of(host.room) == ("PK" if meant else "single")


@pytest.mark.parametrize("ender", ["proposer", "target"])
@pytest.mark.parametrize("named", ["own", "peer"])
async def test_W18_either_host_ends_a_pk_naming_either_room(ender: str, named: str, stage: Stage) -> None:
    """G3 names the other's room; iOS its own if it accepted, else the other's."""
    proposer, target = await stage.fighting()
    one, other = (proposer, target) if ender == "proposer" else (target, proposer)
    room_id = one.room if named == "own" else other.room
    assert (await one.signal.call("end-pk", pkRoomID=room_id))["code"] == OK
    assert await other.signal.expect("on-pk-end") == {"pkRoomID": room_id}
    for host in (proposer, target):
        assert await host.status_of(host.room) == "single"


async def test_W19_a_peer_who_is_away_is_no_error(stage: Stage) -> None:
    """The original's code for it ends the live of first-generation Android."""
    proposer, target = await stage.pair()
    await target.signal.drop()
    assert (await proposer.signal.call("start-pk", pkRoomID=target.room))["code"] == OK
    await target.connect()
    await target.signal.expect("on-pk-offer")
    await proposer.signal.drop()
    assert (await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True))["code"] == OK
    assert (await target.signal.call("end-pk", pkRoomID=proposer.room))["code"] == OK


async def test_W19_what_goes_wrong_in_a_pk_has_a_code_that_android_knows(stage: Stage) -> None:
    """A number and a text in every answer; after each of them the live goes on."""
    proposer, target = await stage.offered()
    third, roomless = await stage.host(), await stage.person()
    await roomless.connect()
    failing: list[tuple[Person, str, Json]] = [
        (third, "start-pk", {"pkRoomID": "nosuch"}),
        (third, "start-pk", {"pkRoomID": target.room}),
        (third, "start-pk", {"pkRoomID": third.room}),
        (proposer, "start-pk", {"pkRoomID": third.room}),
        (roomless, "start-pk", {"pkRoomID": third.room}),
        (third, "answer-pk", {"reqRoomID": proposer.room, "accept": True}),
        (proposer, "answer-pk", {"reqRoomID": proposer.room, "accept": True}),
        (target, "answer-pk", {"reqRoomID": "nosuch", "accept": True}),
        (roomless, "answer-pk", {"reqRoomID": proposer.room, "accept": True}),
        (third, "end-pk", {"pkRoomID": proposer.room}),
        (target, "end-pk", {"pkRoomID": proposer.room}),
        (roomless, "end-pk", {"pkRoomID": proposer.room}),
    ]
    for person, kind, fields in failing:
        answer = await person.signal.call(kind, **fields)
        assert answer["code"] in KNOWN_TO_ANDROID, (kind, fields, answer)
        assert isinstance(answer["error"], str)
        assert answer["error"]
    await accept(target, proposer)


async def test_W20_a_busy_target_is_one_answer(live: GoLive, stage: Stage) -> None:
    """The original said 10012 and then 0."""
    _, socket = await live(stage, android_handshake)
    busy, _ = await stage.fighting()
    socket.send("start-pk", {"rpcID": "android-2", "pkRoomID": busy.room})
    socket.send("ping", "{}")
    assert (await socket.expect("start-pk-res"))["code"] == IN_PK
    assert await socket.expect("pong") == {}


@BOTH_APPS
async def test_W21_messages_of_other_generations_are_ignored(
    handshake: Handshake, live: GoLive, stage: Stage
) -> None:
    """As the apps ignore what they do not know: neither side needs the other to be of its age."""
    _, socket = await live(stage, handshake)
    for text in ('on-room-close={"roomID":"x"}', "something-new={}", "pong={}", "Start-PK={}", "={}"):
        socket.send_frame(Opcode.TEXT, text.encode())
    socket.send("ping", "{}")
    assert await socket.expect("pong") == {}


async def test_W22_the_body_of_every_push_is_an_object(live: GoLive, hasty: Stage) -> None:
    """iOS drops what is not JSON. Heard here: ping, and everything that a PK and its end bring about."""
    host, socket = await live(hasty, ios_handshake)
    heard = asyncio.create_task(_everything(socket))
    other = await hasty.host()
    await _offer(other, host)
    other_signal = other.signal
    assert (await other_signal.expect("on-pk-timeout"))["pkRoomID"] == host.room
    await _offer(other, host)
    socket.send("answer-pk", {"reqRoomID": other.room, "accept": True})
    await other_signal.expect("on-pk-answer")
    assert (await other_signal.call("end-pk", pkRoomID=host.room))["code"] == OK
    socket.send("start-pk", {"pkRoomID": other.room})
    await other_signal.expect("on-pk-offer")
    await other_signal.call("answer-pk", reqRoomID=host.room, accept=False)
    done(await host.api.logout())
    kinds = {text.partition("=")[0]: json.loads(text.partition("=")[2]) for text in await heard}
    assert all(isinstance(body, dict) for body in kinds.values()), kinds
    assert kinds.keys() == {
        "ping",
        "on-pk-offer",
        "on-pk-timeout",
        "answer-pk-res",
        "on-pk-end",
        "start-pk-res",
        "on-pk-answer",
    }


async def _everything(socket: RawSocket) -> list[str]:
    """Answer pings and return all texts until the connection is closed."""
    texts: list[Any] = []
    while (frame := await socket.frame()) is not None and frame.opcode is Opcode.TEXT:
        texts.append(frame.text)
        if frame.text == "ping={}":
            socket.send("pong", "{}")
    return texts
