"""Every request and every handshake ends: in the answer that belongs to it, or in a closed connection, in time."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from litestar.types import Receive, Scope, Send
from uvicorn.server import ServerState

from qlive_app.runtime import request_protocol
from qlive_app.runtime.request_protocol import refusing

from .raw import connected
from .server import RunningServer
from .stage import eventually

HOST = b"Host: x\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
H2C = b"Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
# As java.net.http.HttpClient and `curl --http2` send them.
JDK = b"Connection: Upgrade, HTTP2-Settings\r\n" + H2C
LOGIN = b"POST /v1/login?logintype=smscode HTTP/1.1\r\n"
BODY = b'{"phone":"13800000000","smscode":"0000"}'
WRONG_CODE = 401
NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunks(body: bytes, size: int) -> bytes:
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the connection is closed, in whatever way."""
    came = b""
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            came += data
    return came


async def talk(port: int, *packets: bytes, pause_s: float = 0.0) -> bytes:
    async with connected(port) as (reader, writer):
        with suppress(ConnectionError):
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await asyncio.sleep(pause_s)
        return await everything(reader)


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(answers)]


# --- requests -----------------------------------------------------------------------------------------------------

REQUESTS: dict[str, tuple[bytes, int]] = {
    "get": (b"GET /v1/rooms HTTP/1.1\r\n" + HOST + b"\r\n", 401),
    "blank lines before": (b"\r\n\r\n\r\nGET /v1/rooms HTTP/1.1\r\n" + HOST + b"\r\n", 401),
    "body": (LOGIN + HOST + sized(BODY), WRONG_CODE),
    "chunked": (LOGIN + HOST + CHUNKED + chunks(BODY, 7), WRONG_CODE),
    "chunks with trailers": (
        LOGIN + HOST + CHUNKED + b"%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n" % (len(BODY), BODY),
        WRONG_CODE,
    ),
    "a request in the body": (LOGIN + HOST + sized(b"GET /healthz HTTP/1.1\r\n\r\n"), 400),
    "a request in the chunks": (LOGIN + HOST + CHUNKED + chunks(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", 5), 400),
    "body of a get": (b"GET /v1/rooms HTTP/1.1\r\n" + HOST + sized(b"GET /healthz HTTP/1.1\r\n\r\n"), 401),
    "h2c with body": (LOGIN + HOST + JDK + sized(BODY), WRONG_CODE),
    "h2c with chunks": (LOGIN + HOST + JDK + CHUNKED + chunks(BODY, 7), WRONG_CODE),
    "h2c with a request in the body": (LOGIN + HOST + JDK + sized(NEXT), 400),
    "h2c without body": (b"GET /v1/rooms HTTP/1.1\r\n" + HOST + JDK + b"\r\n", 401),
    "h2c and keep-alive": (
        LOGIN + b"Connection: keep-alive\r\nConnection: upgrade\r\n" + H2C + sized(BODY),
        WRONG_CODE,
    ),
    "websocket with body": (LOGIN + HOST + UPGRADE + KEY + sized(BODY), WRONG_CODE),
    "websocket": (b"GET /v1/rooms HTTP/1.1\r\n" + HOST + UPGRADE + KEY + b"\r\n", 401),
    "unknown upgrade": (LOGIN + b"Connection: UPGRADE\r\nUpgrade: TLS/1.0\r\n" + sized(BODY), WRONG_CODE),
    "many headers": (b"GET /v1/rooms HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 401),
    "a long header": (b"GET /v1/rooms HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 401),
    "a long query": (b"GET /v1/rooms?x=" + b"y" * 20_000 + b" HTTP/1.1\r\n\r\n", 401),
    "head": (b"HEAD /v1/rooms HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "options": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
}
"""Each is good HTTP, and what comes behind it is the next request."""

REFUSED = {
    "length and chunks": LOGIN + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n",
    "chunks and length": LOGIN + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": LOGIN + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
    "length of letters": LOGIN + b"Content-Length: five\r\n\r\n12345",
    "length and chunks with upgrade": LOGIN + JDK + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n",
    "unknown coding": LOGIN + b"Transfer-Encoding: gzip\r\n\r\n12345",
    "chunk of a bad size": LOGIN + CHUNKED + b"x\r\n",
    "bad chunk after upgrade": LOGIN + JDK + CHUNKED + b"x\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "blank in a name": b"GET /healthz HTTP/1.1\r\nHo st: x\r\n\r\n",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "tunnel": b"CONNECT example.com:80 HTTP/1.1\r\n\r\n",
    "too many headers": b"GET /healthz HTTP/1.1\r\n" + b"X:\r\n" * 10_000 + b"\r\n",
    "too long a header": b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    "too long a path": b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "too long trailers": LOGIN + CHUNKED + b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    "too long an extension": LOGIN + CHUNKED + b"1;" + b"x" * 70_000 + b"\r\n1\r\n0\r\n\r\n",
    "nothing but blank lines": b"\r\n" * 40_000,
}
"""None of these is answered with anything but one refusal, and nothing behind it is a request."""


@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS)
async def test_a_request_and_the_next_are_answered(
    request_: bytes, status: int, server: RunningServer
) -> None:
    """Whatever a request asks to be upgraded to: its body is its own, and the next request is the next one."""
    assert statuses(await talk(server.http_port, request_ + NEXT)) == [status, 200]
    half = len(request_) // 2
    assert statuses(await talk(server.http_port, request_[:half], request_[half:] + NEXT)) == [status, 200]
    thrice = await talk(server.http_port, request_ * 3 + NEXT)
    assert statuses(thrice) == [status] * 3 + [200]


@pytest.mark.parametrize("name", ["h2c with body", "h2c with chunks", "chunks with trailers", "websocket"])
async def test_it_does_not_matter_where_packets_end(name: str, server: RunningServer) -> None:
    """Wherever a request is cut in two, it is the same request."""
    request, status = REQUESTS[name]
    whole = request + NEXT

    async def cut(at: int) -> list[int]:
        return statuses(await talk(server.http_port, whole[:at], whole[at:], pause_s=0.003))

    for at in range(1, len(whole), 32):
        cuts = range(at, min(at + 32, len(whole)))
        assert await asyncio.gather(*map(cut, cuts)) == [[status, 200]] * len(cuts)


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("port", ["http_port", "ws_port"])
async def test_what_is_no_request_is_refused_once(request_: bytes, port: str, server: RunningServer) -> None:
    """It gets one answer of 400, and what comes behind it is thrown away."""
    answers = await talk(getattr(server, port), request_ + NEXT)
    assert statuses(answers) in ([400], [404])


async def test_a_body_that_is_too_long_is_refused_in_the_usual_shape(server: RunningServer) -> None:
    """64 KiB are enough for a body; the client hears that even while it sends more."""
    for length, ends in ((65_537, 2), (1_000_000, 2), (10_000_000, 1)):
        request = LOGIN + HOST + sized(b" " * length)
        answers = await talk(server.http_port, request, NEXT)
        assert statuses(answers) == [400, 200][:ends]
        assert b'"code":400000' in answers
    assert statuses(await talk(server.http_port, LOGIN + HOST + sized(BODY.ljust(65_536)) + NEXT)) == [
        WRONG_CODE,
        200,
    ]


async def test_who_has_said_all_is_still_answered(server: RunningServer) -> None:
    """A client that closes its side after its requests gets all answers, as from `nc -N`."""
    async with connected(server.http_port) as (reader, writer):
        writer.write(REQUESTS["get"][0] * 3 + REQUESTS["h2c with body"][0])
        writer.write_eof()
        assert statuses(await everything(reader)) == [401] * 4


@pytest.mark.parametrize("sent", [b"", b"GET / HT", LOGIN + JDK + b"Content-Length: 9\r\n\r\n{"])
@pytest.mark.parametrize("port", ["http_port", "ws_port"])
async def test_half_a_request_and_the_end(sent: bytes, port: str, server: RunningServer) -> None:
    """Who ends in the midst of a request is not waited for."""
    async with connected(getattr(server, port)) as (reader, writer):
        writer.write(sent)
        writer.write_eof()
        # On the signalling port nobody waits for a body: there is nothing to be had by HTTP.
        assert statuses(await everything(reader)) in ([], [404])


def _resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * 4096


async def test_pipelined_requests_do_not_pile_up(server: RunningServer) -> None:
    """Whoever sends requests without reading answers is not read any more: 18 MB took 1.1 GiB."""
    before = _resident_bytes(server.pid)
    small = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000
    async with connected(server.http_port) as (_, writer):
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                for _ in range(60):
                    writer.write(small)
                    await writer.drain()
        assert _resident_bytes(server.pid) - before < 64 * 2**20


# --- handshakes ---------------------------------------------------------------------------------------------------

LINES = {
    "usual": UPGRADE,
    "other case": b"connection: UPGRADE\r\nUPGRADE: WebSocket\r\n",
    "other order": b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    "among others": b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
    "two lines": b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    "two lines, other order": b"Connection: Upgrade\r\nConnection: keep-alive\r\nUpgrade: websocket\r\n",
    "129 headers": UPGRADE + b"X: y\r\n" * 129,
    "9 KiB in a header": UPGRADE + b"X: " + b"y" * 9000 + b"\r\n",
    "length of nothing": UPGRADE + b"Content-Length: 0\r\n",
}
GOOD = {name: b"GET /qlive HTTP/1.1\r\n" + HOST + lines + KEY + b"\r\n" for name, lines in LINES.items()} | {
    "9 KiB in the query": b"GET /qlive?" + b"y" * 9000 + b" HTTP/1.1\r\n" + HOST + UPGRADE + KEY + b"\r\n"
}
BAD: dict[str, tuple[bytes, int]] = {
    "body": (b"GET /qlive HTTP/1.1\r\n" + HOST + UPGRADE + KEY + sized(b"12345"), 400),
    "chunks": (b"GET /qlive HTTP/1.1\r\n" + HOST + UPGRADE + KEY + CHUNKED + chunks(b"12345", 2), 400),
    "post": (b"POST /qlive HTTP/1.1\r\n" + HOST + UPGRADE + KEY + b"\r\n", 400),
    "http/1.0": (b"GET /qlive HTTP/1.0\r\n" + HOST + UPGRADE + KEY + b"\r\n", 400),
    "no upgrade": (b"GET /qlive HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "no connection": (b"GET /qlive HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n" + KEY + b"\r\n", 400),
    "h2c": (b"GET /qlive HTTP/1.1\r\n" + HOST + JDK + b"\r\n", 400),
    "several protocols": (
        b"GET /qlive HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n" + KEY + b"\r\n",
        426,
    ),
    "no key": (b"GET /qlive HTTP/1.1\r\n" + HOST + UPGRADE + b"Sec-WebSocket-Version: 13\r\n\r\n", 400),
    "two keys": (b"GET /qlive HTTP/1.1\r\n" + HOST + UPGRADE + KEY + KEY + b"\r\n", 400),
    "old version": (b"GET /qlive HTTP/1.1\r\n" + HOST + UPGRADE + KEY.replace(b"13", b"8") + b"\r\n", 400),
    "elsewhere": (b"GET /other HTTP/1.1\r\n" + HOST + UPGRADE + KEY + b"\r\n", 404),
    "9 KiB elsewhere": (b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\n" + HOST + UPGRADE + KEY + b"\r\n", 404),
}


@pytest.mark.parametrize("handshake", GOOD.values(), ids=GOOD)
async def test_a_handshake_is_accepted(handshake: bytes, server: RunningServer) -> None:
    """In whatever order, case and number of lines, behind other requests, cut anywhere, with frames behind it."""
    unframed = b"\x81\x81\0\0\0\0x"
    ways = (
        (handshake + unframed,),
        (handshake[:-1], handshake[-1:] + unframed),
        (b"GET /qlive HTTP/1.1\r\n\r\n" + handshake + unframed,),
    )
    for answers in await asyncio.gather(*(talk(server.ws_port, *packets) for packets in ways)):
        assert statuses(answers)[-1] == 101
        assert b"\x03\xef" in answers, "the frame behind the handshake is not a signalling message: 1007"


@pytest.mark.parametrize(("handshake", "status"), BAD.values(), ids=BAD)
async def test_a_handshake_is_refused(handshake: bytes, status: int, server: RunningServer) -> None:
    """Whatever is wrong with it: there is an answer, and the connection or the next request goes on from there."""
    for packets in ((handshake + NEXT,), (handshake[:-1], handshake[-1:] + NEXT)):
        answered = statuses(await talk(server.ws_port, *packets))
        assert answered in ([status], [status, 404])


async def test_a_handshake_may_be_cut_anywhere(server: RunningServer) -> None:
    """The end of a packet is no end of a handshake, nor of the frame behind it."""
    whole = GOOD["two lines"] + b"\x82\x80\0\0\0\0"
    cuts = range(1, len(whole))
    for answers in await asyncio.gather(
        *(talk(server.ws_port, whole[:cut], whole[cut:], pause_s=0.01) for cut in cuts)
    ):
        assert statuses(answers) == [101]


# --- time ---------------------------------------------------------------------------------------------------------

SHORT_S = 0.2
BIG = b"x" * 30_000_000


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the whole request is there; /big with more than sockets hold, /early without waiting."""
    more = scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        more = message["more_body"]
    body = BIG if scope["path"] == "/big" else b"ok"
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for at in range(0, len(body), 65_536):
        piece = body[at : at + 65_536]
        await send({"type": "http.response.body", "body": piece, "more_body": at + len(piece) < len(body)})


@pytest.fixture
def hasty_server() -> ServerState:
    """What the server below knows of its connections and requests."""
    return ServerState()


@pytest.fixture
async def hasty_port(hasty_server: ServerState, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits for everything only a moment."""
    for name in ("REQUEST_WITHIN_S", "REST_S", "TAKEN_WITHIN_S", "LEAVE_WITHIN_S"):
        monkeypatch.setattr(request_protocol, name, SHORT_S)
    config = uvicorn.Config(answering, ws="none", lifespan="off", log_config=None)
    config.load()
    protocol = refusing(lambda: ("text/plain", b"no", {}))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=hasty_server, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        await eventually(partial(_is_idle, hasty_server), "all ends")


async def _is_idle(server: ServerState) -> bool:
    return not server.connections and not server.tasks


GET = b"GET / HTTP/1.1\r\n\r\n"
UNFINISHED = {
    "nothing": b"",
    "half a head": b"GET / HT",
    "half a body": b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1",
    "half a chunk": b"POST / HTTP/1.1\r\n" + CHUNKED + b"5\r\n1",
    "half a body after h2c": b"POST / HTTP/1.1\r\n" + JDK + b"Content-Length: 9\r\n\r\n1",
    "the answer came first": b"POST /early HTTP/1.1\r\nContent-Length: 9\r\n\r\n1",
    "nothing after an answer": GET,
    "blank lines after an answer": GET + b"\r\n\r\n",
    "half a head after an answer": GET + b"GET / HT",
    "half a body after an answer": GET + b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1",
    "after a refusal": b"garbage\r\n\r\n",
    "after a refusal with a body": b"POST / HTTP/1.1\r\n" + CHUNKED + b"nonsense\r\n",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
@pytest.mark.parametrize("dripping", [False, True])
async def test_nobody_is_waited_for(sent: bytes, hasty_port: int, *, dripping: bool) -> None:
    """Whatever is missing, and whether nothing comes any more or one byte now and then: the connection ends."""
    async with connected(hasty_port) as (reader, writer):
        writer.write(sent)
        end = asyncio.create_task(everything(reader))
        while not end.done():
            if dripping:
                writer.write(b"\r\n")
            await asyncio.wait([end], timeout=SHORT_S / 4)
        assert set(statuses(await end)) <= {200, 400}


@pytest.mark.parametrize("ending", [b"\r\n", b"Connection: close\r\n\r\n"])
async def test_who_does_not_take_an_answer_is_dropped(
    ending: bytes, hasty_port: int, hasty_server: ServerState
) -> None:
    """A long answer that is not read does not stay with the server."""
    async with connected(hasty_port) as (reader, writer):
        writer.write(b"GET /big HTTP/1.1\r\n" + ending)
        await reader.readexactly(1)
        await eventually(partial(_is_idle, hasty_server), "it ends")
        assert 0 < len(await everything(reader)) < len(BIG)
