"""The users of the bench: logged in, some of them hosts with a live room and a connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs

from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.http_client import HttpConnection, open_http, request_bytes
from qlive_app.bench.signalling import Signalling, open_signalling
from qlive_app.bench.subject import HOST, SIGNALLING_PATH, SMS_CODE, Subject, phone

_AT_ONCE = 16

T = TypeVar("T")
R = TypeVar("R")


@attrs.frozen
class Host:
    """A host who is live: the room's id and the host's own signalling connection."""

    room_id: str
    token: str
    signalling: Signalling


async def log_in(subject: Subject, numbers: Iterable[int]) -> list[str]:
    """The tokens of these users, in order."""

    async def one(connection: HttpConnection, number: int) -> str:
        body = {"phoneNumber": phone(number), "smsCode": SMS_CODE}
        answer = await connection.call(request_bytes("POST", "/v1/login?logintype=smscode", body=body))
        return str(answer["token"])

    return await _by_turns(subject.http_port, numbers, one)


async def connect(subject: Subject, tokens: Iterable[str]) -> list[Signalling]:
    """An authorised connection for each token, in order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(token: str) -> Signalling:
        async with gate:
            return await open_signalling(HOST, subject.signalling_port, SIGNALLING_PATH, token)

    return await asyncio.gather(*(one(token) for token in tokens))


@asynccontextmanager
async def live_hosts(subject: Subject, count: int) -> AsyncIterator[list[Host]]:
    """The first ``count`` users, each with a PK room and a connection."""
    tokens = await log_in(subject, range(count))
    rooms = await _by_turns(subject.http_port, enumerate(tokens), _open_room)
    connections = await connect(subject, tokens)
    try:
        yield [Host(*each) for each in zip(rooms, tokens, connections, strict=True)]
    finally:
        for connection in connections:
            connection.close()


async def check_rooms(subject: Subject, token: str, expected: int) -> None:
    """MeasurementError unless this user is shown ``expected`` rooms."""
    connection = await open_http(HOST, subject.http_port)
    try:
        listed = (await connection.call(request_bytes("GET", "/v1/rooms", token=token)))["rooms"]
    finally:
        connection.close()
    if len(listed or ()) != expected:
        raise MeasurementError(f"{len(listed or ())} rooms are listed instead of {expected}")


async def _open_room(connection: HttpConnection, numbered: tuple[int, str]) -> str:
    number, token = numbered
    body = {"roomName": f"bench-{number}", "roomType": "pk"}
    return str((await connection.call(request_bytes("POST", "/v1/rooms", token=token, body=body)))["roomID"])


async def _by_turns(
    port: int, items: Iterable[T], work: Callable[[HttpConnection, T], Awaitable[R]]
) -> list[R]:
    """Do ``work`` on each item over a few connections; the results come in the order of the items."""
    connections = [await open_http(HOST, port) for _ in range(_AT_ONCE)]
    idle: asyncio.Queue[HttpConnection] = asyncio.Queue()
    for connection in connections:
        idle.put_nowait(connection)

    async def one(item: T) -> R:
        connection = await idle.get()
        try:
            return await work(connection, item)
        finally:
            idle.put_nowait(connection)

    try:
        return await asyncio.gather(*(one(item) for item in items))
    finally:
        for connection in connections:
            connection.close()
