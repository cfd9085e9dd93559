"""Signalling frames that no honest app sends: refused, ignored or the end of that connection, never of more."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from .client import NO_CLOSE_FRAME, SignalClient
from .stage import Stage

FATAL_FRAMES: dict[str, tuple[str | bytes, int]] = {
    "binary": (b"ping={}", 1003),
    "empty": ("", 1007),
    "no equals sign": ("hello", 1007),
    "JSON without a type": ('{"type":"ping"}', 1007),
}


@pytest.mark.parametrize(("frame", "code"), FATAL_FRAMES.values(), ids=FATAL_FRAMES)
async def test_a_frame_of_no_known_shape_closes(frame: str | bytes, code: int, stage: Stage) -> None:
    """A frame that is not text, or has no `=`, closes its connection with a code, before auth and after."""
    person = await stage.person()
    for signal in (await stage.stranger(), await person.connect()):
        await signal.send_raw(frame)
        assert await signal.expect_close() == code


async def test_text_that_is_not_utf8_closes(stage: Stage) -> None:
    """Invalid UTF-8 in a text frame closes with 1007."""
    signal = await stage.stranger()
    await signal.connection.send(b"ping=\xff\xfe", text=True)
    assert await signal.expect_close() == 1007


async def test_a_message_may_have_64_kib(stage: Stage) -> None:
    """A message of exactly 64 KiB is handled."""
    person = await stage.person()
    signal = await person.connect()
    await signal.send_raw(_end_pk_of_bytes(64 * 1024))
    assert (await signal.expect("end-pk-res"))["code"] == 10013


async def test_a_longer_message_closes(stage: Stage) -> None:
    """A message of more than 64 KiB closes with 1009."""
    person = await stage.person()
    signal = await person.connect()
    await signal.send_raw(_end_pk_of_bytes(64 * 1024 + 1))
    assert await signal.expect_close() == 1009


async def test_fragments_count_together(stage: Stage) -> None:
    """A message in fragments is one message, for its meaning and for its length."""
    person = await stage.person()
    signal = await person.connect()
    await signal.connection.send(iter(['end-pk={"rpc', 'ID":"1"', "}"]))
    assert (await signal.expect("end-pk-res"))["rpcID"] == "1"
    with suppress(ConnectionClosed):
        await signal.connection.send(iter(["end-pk={", *([" " * 4096] * 16), "}"]))
    assert await signal.close_code() == 1009


async def test_strangers_are_allowed_4_kib(stage: Stage) -> None:
    """Before authentication a message may have 4 KiB; a longer one closes with 1009."""
    signal = await stage.stranger()
    await signal.send_raw(_auth_of_bytes(4096))
    assert (await signal.expect("auth-res"))["code"] == 10002
    await signal.send_raw(_auth_of_bytes(4097))
    assert await signal.expect_close() == 1009


async def test_who_does_not_authenticate_is_closed(hasty: Stage) -> None:
    """A connection without authentication ends when its time is over, failed tries or not."""
    idle, unlucky = await hasty.stranger(), await hasty.stranger()
    assert (await unlucky.auth("forged"))["code"] == 10002
    assert await idle.expect_close() == NO_CLOSE_FRAME
    assert await unlucky.expect_close() == NO_CLOSE_FRAME


async def test_strangers_are_not_answered(stage: Stage) -> None:
    """Before authentication everything but auth is dropped without a word."""
    signal = await stage.stranger()
    for frame in ("ping={}", 'start-pk={"rpcID":"x","pkRoomID":"y"}', "disconnect={}", "auth-res={}", "=x"):
        await signal.send_raw(frame)
    assert (await signal.auth("forged"))["code"] == 10002
    await signal.nothing_within()


IGNORED = [
    "=x",
    "x={}",
    "=",
    "x=",
    "==={}",
    "auth-res={}",
    "on-pk-end={}",
    "PING={}",
    "disconnect=notjson",
    "房={}",
]


async def test_unknown_types_are_ignored(stage: Stage) -> None:
    """Frames of an unknown type and a disconnect that cannot be read change nothing."""
    host = await stage.host()
    for frame in IGNORED:
        await host.signal.send_raw(frame)
    assert (await host.signal.call("end-pk"))["code"] == 10013
    assert await host.status_of(host.room) == "single"


UNREADABLE = {
    "not JSON": "start-pk=nonsense",
    "nothing": "start-pk=",
    "array": "start-pk=[]",
    "text": 'start-pk="x"',
    "wrong type": 'start-pk={"pkRoomID":5}',
    "deep nesting": 'start-pk={"pkRoomID":' + "[" * 30_000,
    "deep and closed": 'start-pk={"pkRoomID":' + "[" * 30_000 + "]" * 30_000 + "}",
    "wrong accept": 'answer-pk={"reqRoomID":"x","accept":"yes"}',
    "accept of another number": 'answer-pk={"reqRoomID":"x","accept":2}',
    "rpcID of another type": 'start-pk={"rpcID":{},"pkRoomID":"x"}',
}


@pytest.mark.parametrize("frame", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_request_is_an_unknown_message(frame: str, stage: Stage) -> None:
    """A request whose body cannot be read is answered with 10001, and the connection goes on."""
    person = await stage.person()
    signal = await person.connect()
    await signal.send_raw(frame)
    answer = await signal.expect(f"{frame.partition('=')[0]}-res")
    assert (answer["code"], answer["error"]) == (10001, "unknown message")
    assert (await signal.call("end-pk"))["code"] == 10013


async def test_an_unreadable_request_is_still_answered_by_its_id(stage: Stage) -> None:
    """The rpcID comes back even when another field is wrong."""
    person = await stage.person()
    signal = await person.connect()
    await signal.send_raw('start-pk={"rpcID":"7","pkRoomID":7}')
    assert await signal.expect("start-pk-res") == {"rpcID": "7", "code": 10001, "error": "unknown message"}


ODD_TEXTS = {
    "NUL": "a\\u0000b",
    "lone surrogate": "\\ud800",
    "line separator": "\\u2028",
    "long": "x" * 60_000,
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
async def test_odd_characters_do_no_harm(text: str, stage: Stage) -> None:
    """Whatever characters a request holds, it is answered and the connection goes on."""
    host = await stage.host()
    await host.signal.send_raw(f'start-pk={{"rpcID":"1","pkRoomID":"{text}"}}')
    assert (await host.signal.expect("start-pk-res"))["code"] in (10001, 10011)
    await host.signal.send_raw(f'end-pk={{"rpcID":"{text[:64]}"}}')
    assert (await host.signal.expect("end-pk-res"))["code"] in (10001, 10013)
    assert (await host.signal.call("end-pk"))["code"] == 10013


@pytest.mark.parametrize("rpc_id", ["7", "-1", "0", "12345678901234567890", "1.5"])
async def test_a_number_as_rpc_id_comes_back_as_a_number(rpc_id: str, stage: Stage) -> None:
    """A number as rpcID, as iOS sends with some requests, is echoed as it came."""
    person = await stage.person()
    signal = await person.connect()
    await signal.send_raw(f'end-pk={{"rpcID":{rpc_id}}}')
    frame = await signal.receive()
    assert isinstance(frame, str)
    assert frame.startswith(f'end-pk-res={{"rpcID":{rpc_id},"code":10013,')


@pytest.mark.parametrize("number", ["1e400", "9" * 5000, "-0", "NaN", "Infinity"])
async def test_impossible_numbers_are_harmless(number: str, stage: Stage) -> None:
    """A number that no computer likes is answered like any other wrong value."""
    person = await stage.person()
    signal = await person.connect()
    await signal.send_raw(f'answer-pk={{"reqRoomID":"x","accept":{number}}}')
    assert (await signal.expect("answer-pk-res"))["code"] in (10001, 10011, 10013)
    assert (await signal.call("end-pk"))["code"] == 10013


async def test_a_burst_is_answered(stage: Stage) -> None:
    """150 requests in one packet are no flood: apps flush what they queued; all are answered in order."""
    person = await stage.person()
    signal = await person.connect()
    _write_at_once(signal, (f'end-pk={{"rpcID":{number}}}' for number in range(150)))
    assert [(await signal.expect("end-pk-res"))["rpcID"] for _ in range(150)] == list(range(150))


async def test_a_flood_closes(stage: Stage) -> None:
    """More than a client may send at once closes with 1008, and another client does not notice."""
    bystander, flooder = await stage.host(), await stage.person()
    signal = await flooder.connect()
    _write_at_once(signal, ['end-pk={"rpcID":1}'] * 20_000)
    assert await signal.close_code() == 1008
    assert (await bystander.signal.call("end-pk"))["code"] == 10013


async def test_an_endless_flood_ends(stage: Stage) -> None:
    """A client that goes on sending whatever it is told loses its connection all the same."""
    bystander, flooder = await stage.host(), await stage.person()
    signal = await flooder.connect()
    await _flood(signal, "pong={}", frames=50_000)
    assert await signal.close_code() in (1006, 1008)
    assert (await bystander.signal.call("end-pk"))["code"] == 10013


async def test_thousands_of_bad_frames_leave_the_server_healthy(stage: Stage) -> None:
    """Many strangers with many bad frames cost those strangers their connections and nobody else anything."""
    bystander = await stage.host()
    strangers = [await stage.stranger() for _ in range(20)]
    await asyncio.gather(*(_flood(signal, "auth={bad", frames=500) for signal in strangers))
    for _ in range(100):
        stranger = await stage.stranger()
        await stranger.send_raw("no equals sign")
        assert await stranger.expect_close() == 1007
    assert (await bystander.signal.call("end-pk"))["code"] == 10013
    assert (await stage.api().get("/readyz")).status_code == 200


def _write_at_once(signal: SignalClient, frames: Iterable[str]) -> None:
    """Put frames on the wire in one piece, without waiting for anything: masked, with a mask that does nothing."""
    packet = b"".join(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode() for text in frames)
    signal.connection.transport.write(packet)


async def _flood(signal: SignalClient, frame: str, frames: int) -> None:
    """Send frames until they are all out or the connection is closed."""
    with suppress(ConnectionClosed):
        for _ in range(frames):
            await signal.send_raw(frame)


def _end_pk_of_bytes(size: int) -> str:
    return _padded("end-pk=", {"rpcID": "1"}, size)


def _auth_of_bytes(size: int) -> str:
    return _padded("auth=", {"rpcID": "1", "token": "forged"}, size)


def _padded(prefix: str, body: dict[str, str], size: int) -> str:
    bare = prefix + json.dumps(body | {"pad": ""})
    return prefix + json.dumps(body | {"pad": "x" * (size - len(bare))})
