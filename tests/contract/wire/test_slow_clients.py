"""Clients that read slowly or not at all, and clients that are merely fast."""

import asyncio
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from qlive_core.signalling import CloseCode

from .client import SignalClient
from .conftest import SHORT_TIMES, Launch
from .stage import Stage, eventually, offer

MORE_THAN_SOCKETS_HOLD = 200
MORE_PINGS_THAN_SOCKETS_HOLD = 300_000
ECHOED = "x" * 60_000


async def test_many_pushes_may_wait(stage: Stage) -> None:
    """Who finds more pushes than a slow client's queue may hold gets them all, in order, and stays connected."""
    host, opponent = await stage.pair()
    await host.signal.drop()
    rooms = []
    for _ in range(60):
        assert (await opponent.signal.call("start-pk", pkRoomID=host.room))["code"] == 0
        rooms.append(opponent.room)
        await opponent.api.close_room(opponent.room)
        await opponent.go_live()
    await host.connect()
    for room in rooms:
        assert (await host.signal.expect("on-pk-offer"))["roomID"] == room
        assert (await host.signal.expect("on-pk-timeout"))["pkRoomID"] == room
    await offer(host, opponent)


async def test_who_reads_nothing_is_given_up_in_time(launch: Launch) -> None:
    """A client that falls silent with its buffers full loses connection and room like any other silent one."""
    times = {**SHORT_TIMES["websocket_conf"], "byte_burst": 100_000_000}
    stage = launch({**SHORT_TIMES, "websocket_conf": times})
    host, opponent = await stage.fighting()
    host.signal.answers_pings = False
    host.signal.connection.transport.pause_reading()
    flood = asyncio.create_task(_ask_for_much(host.signal))
    assert await opponent.signal.expect("on-pk-end") == {"pkRoomID": host.room}

    async def disconnected() -> bool:
        metrics = (await stage.api().get("/metrics")).text
        return 'qlive_signalling_closes_total{code="4003"}' in metrics

    await eventually(disconnected, "the connection is closed")
    await host.signal.drop()
    await flood


async def test_unread_pongs_do_not_pile_up(stage: Stage) -> None:
    """A client that sends WebSocket pings without reading the pongs is dropped before they take much memory."""
    stranger, witness = await stage.stranger(), await stage.host()
    stranger.connection.transport.pause_reading()
    with pytest.raises(ConnectionClosed):
        await _ping_without_end(stranger)
    assert (await witness.signal.call("end-pk"))["code"] == 10013


async def test_a_flood_of_bytes_is_one(stage: Stage) -> None:
    """Who sends long messages without pause is closed with 1008, and nobody else notices."""
    flooder, witness = await stage.host(), await stage.host()
    await _ask_for_much(flooder.signal)
    await flooder.signal.connection.wait_closed()
    assert flooder.signal.connection.close_code == CloseCode.POLICY_VIOLATION
    assert (await witness.signal.call("end-pk"))["code"] == 10013


async def test_a_fast_client_is_no_flood(launch: Launch) -> None:
    """Who waits for each answer may ask as fast as the answers come."""
    stage = launch({})
    person = await stage.person()
    signal = await person.connect()
    for _ in range(3000):
        assert (await signal.call("end-pk"))["code"] == 10013


async def _ask_for_much(signal: SignalClient) -> None:
    with suppress(ConnectionClosed):
        for _ in range(MORE_THAN_SOCKETS_HOLD):
            await signal.send("end-pk", {"rpcID": ECHOED})


async def _ping_without_end(signal: SignalClient) -> None:
    for number in range(MORE_PINGS_THAN_SOCKETS_HOLD):
        await signal.connection.ping(f"{number:0125}")
