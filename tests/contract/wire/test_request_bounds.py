"""Requests are bounded before anybody looks at them: in the size of their head, and in the time they take to arrive."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import uvicorn
from litestar.types import Receive, Scope, Send
from uvicorn.server import ServerState

from qlive_app.runtime import request_protocol
from qlive_app.runtime.request_protocol import refusing

from .raw import connected
from .server import RunningServer
from .stage import Stage

SHORT_S = 0.2
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


async def endless(writer: asyncio.StreamWriter) -> None:
    """Send header after header for as long as they are taken."""
    writer.write(b"GET /v1/rooms HTTP/1.1\r\nHost: x\r\n")
    for number in range(100_000):
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))
        await writer.drain()


@pytest.mark.parametrize("port", ["http_port", "ws_port"])
async def test_endless_headers_are_not_taken(port: str, stage: Stage) -> None:
    """Whoever sends headers for ever is cut off, on either port, and others are served."""
    async with connected(getattr(stage.server, port)) as (_, writer):
        with pytest.raises(ConnectionError):
            await endless(writer)
    assert (await stage.api().get("/healthz")).status_code == 200


async def test_what_is_not_a_request_gets_the_usual_error(server: RunningServer) -> None:
    """Even what no router ever sees is answered in the shape that apps know, with a request id."""
    async with connected(server.http_port) as (reader, writer):
        writer.write(b"GARBAGE\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    answer = json.loads(body)
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\n")
    assert b"x-reqid: " + answer["requestID"].encode() in head
    assert (answer["code"], answer["summary"]) == (400000, "bad request")


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the whole request is there."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits for requests only a moment."""
    monkeypatch.setattr(request_protocol, "REQUEST_WITHIN_S", SHORT_S)
    config = uvicorn.Config(echo, ws="none", lifespan="off", log_config=None, timeout_keep_alive=30)
    config.load()
    protocol = refusing(lambda: ("text/plain", b"no", {}))
    loop = asyncio.get_running_loop()
    state = ServerState()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo", HEAD, HEAD + b"four"], ids=range(4))
async def test_a_request_has_to_arrive_in_time(sent: bytes, port: int) -> None:
    """A connection on which nothing, or only a part of a request, arrives is ended."""
    async with connected(port) as (reader, writer):
        writer.write(sent)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


async def test_waiting_between_requests_is_no_crime(port: int) -> None:
    """A connection may rest after a request for longer than a request may take, and go on."""
    async with connected(port) as (reader, writer):
        for _ in range(2):
            writer.write(HEAD + b"12345")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(2 * SHORT_S)
