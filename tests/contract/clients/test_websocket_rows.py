"""What the first generation of apps, and our own clients, need of signalling over WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from contract.wire.answers import done
from contract.wire.client import Json
from contract.wire.conftest import SHORT_TIMES
from contract.wire.stage import Person, Stage, accept, eventually, offer

from .raw_socket import ACCEPT_OF_BOTH, Frame, Opcode, RawSocket, android_handshake, ios_handshake

PING_S: float = SHORT_TIMES["websocket_conf"]["ping_ticker_s"]
PONG_TIMEOUT_S: float = SHORT_TIMES["websocket_conf"]["pong_timeout_s"]

OK, IN_PK = 0, 10012
KNOWN_TO_ANDROID = {10011, 10012, 10013, 10016, 10031}
"""What its first generation does not end the live on."""

Open = Callable[[Stage, Person | None], Awaitable[RawSocket]]


@pytest.fixture
async def android() -> AsyncIterator[Open]:
    """Opens Android's connections, authenticated if they are given a person."""
    sockets: list[RawSocket] = []

    async def opened(stage: Stage, person: Person | None = None) -> RawSocket:
        sockets.append(await RawSocket.open(stage.server, android_handshake(stage.server)))
        if person is not None:
            assert (await sockets[-1].auth(person.api.token, "android-1"))["code"] == OK
        return sockets[-1]

    yield opened
    for socket in sockets:
        socket.drop()


@pytest.fixture
async def ios() -> AsyncIterator[Open]:
    """Opens iOS's connections, authenticated if they are given a person."""
    sockets: list[RawSocket] = []

    async def opened(stage: Stage, person: Person | None = None) -> RawSocket:
        sockets.append(await RawSocket.open(stage.server, ios_handshake(stage.server)))
        if person is not None:
            assert (await sockets[-1].auth(person.api.token, "0"))["code"] == OK
        return sockets[-1]

    yield opened
    for socket in sockets:
        socket.drop()
