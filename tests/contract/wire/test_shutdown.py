"""The operator ends the server: whoever was answered was answered truly, and everybody is told goodbye."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, Self

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from .client import NO_CLOSE_FRAME, PATIENCE_S, Json
from .conftest import Launch
from .server import SMS_CODE, RunningServer
from .stage import Person, eventually, fresh_phone

ENDS_WITHIN_S = 5.0
PATIENT_OFFERS = {"signaling": {"pk_request_timeout_s": 60}}

# What a pair does over and over, and what its rooms are after each step.
STEPS = (("start-pk", "waitPK"), ("answer-pk", "PK"), ("end-pk", "single"))


class Busy(Protocol):
    """Somebody who asks for one thing after the other; `answers` counts what was confirmed."""

    answers: int

    async def run(self) -> None:
        """Go on until the server has gone."""

    async def nothing_is_lost(self) -> None:
        """Check that what was confirmed last is so, or what was asked for next."""


class Renamer:
    """Somebody who changes his nickname as fast as he can."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.answers = 0

    async def run(self) -> None:
        with contextlib.suppress(httpx.TransportError):
            while (await self._take_name(self.answers + 1)).status_code == 200:
                self.answers += 1

    async def nothing_is_lost(self) -> None:
        profile = (await self.person.api.post("/v1/profile", {})).json()
        assert profile["nickname"] in {f"name {self.answers}", f"name {self.answers + 1}"}

    async def _take_name(self, number: int) -> httpx.Response:
        return await self.person.api.post("/v1/profile", {"nickname": f"name {number}"})


class Fighters:
    """Two hosts who go from PK to PK as fast as they can."""

    def __init__(self, proposer: Person, target: Person) -> None:
        self.proposer, self.target = proposer, target
        self.answers = 0

    async def run(self) -> None:
        while await self._answered(STEPS[self.answers % 3][0]):
            self.answers += 1

    async def nothing_is_lost(self) -> None:
        seen = await self.proposer.status_of(self.target.room)
        assert seen == await self.target.status_of(self.proposer.room)
        assert seen in {STEPS[(self.answers - 1) % 3][1], STEPS[self.answers % 3][1]}

    async def _answered(self, step: str) -> bool:
        sender = self.target if step == "answer-pk" else self.proposer
        named: Json = (
            {"reqRoomID": self.proposer.room, "accept": True}
            if step == "answer-pk"
            else {"pkRoomID": self.target.room}
        )
        try:
            await sender.signal.send(step, named)
        except ConnectionClosed:
            return False
        while (frame := await sender.signal.receive()) is not None:
            kind, _, body = str(frame).partition("=")
            if kind == f"{step}-res":
                assert json.loads(body)["code"] == 0, frame
                return True
        return False


class HalfLogin:
    """A login request of which the server has all but the last byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def begin(cls, server: RunningServer) -> Self:
        body = json.dumps({"phoneNumber": fresh_phone(), "smsCode": SMS_CODE})
        head = (
            f"POST /v1/login?logintype=smscode HTTP/1.1\r\nHost: qlive\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        writer.write(f"{head}{body[:-1]}".encode())
        await writer.drain()
        return cls(reader, writer)

    def say_the_rest(self) -> None:
        self._writer.write(b"}")

    async def answer(self) -> tuple[int, Json]:
        """Return status and body; the server has to close the connection behind them."""
        async with asyncio.timeout(PATIENCE_S):
            head, _, body = (await self._reader.read()).partition(b"\r\n\r\n")
        self._writer.close()
        return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_orderly_end_loses_nothing(number: signal.Signals, launch: Launch) -> None:
    """In the middle of everything: 1012 for new apps, no close frame for the first ones, exit code 0 in time, and all that was answered is kept."""
    stage = launch(PATIENT_OFFERS)
    host, opponent = await stage.fighting()
    fighters = [Fighters(*await stage.pair()) for _ in range(3)]
    renamers = [Renamer(await stage.person()) for _ in range(4)]
    stranger = await stage.stranger()
    newer = await stage.host()
    await newer.signal.call("announce", capabilities=["seats"])
    everybody: list[Busy] = [*fighters, *renamers]
    work = [asyncio.create_task(each.run()) for each in everybody]
    await eventually(_all_have(everybody, answers=5), "everybody is at work")
    await _ends_in_time(stage.server, number)
    await asyncio.gather(*work)
    assert await stranger.expect_close() == NO_CLOSE_FRAME
    for person in (host, opponent, *(side for pair in fighters for side in (pair.proposer, pair.target))):
        assert await person.signal.close_code() == NO_CLOSE_FRAME
    assert await newer.signal.close_code() == 1012
    assert newer.signal.connection.close_reason == "shutting down"
    await asyncio.to_thread(stage.server.start)
    await host.connect()
    await opponent.connect()
    seen = await host.sees(opponent.room) or {}
    assert (seen["status"], seen["pkAnchor"]["id"]) == ("PK", host.id)
    assert (await opponent.signal.call("end-pk", pkRoomID=host.room))["code"] == 0
    for each in everybody:
        await each.nothing_is_lost()


async def test_requests_being_answered_are_finished(launch: Launch) -> None:
    """A login whose body arrives after SIGTERM is answered and kept; one whose body never comes is told why.

    Neither makes the end late, and the log tells of no failure.
    """
    stage = launch({})
    finished, forgotten = await HalfLogin.begin(stage.server), await HalfLogin.begin(stage.server)
    ending = asyncio.create_task(_ends_in_time(stage.server, signal.SIGTERM))
    await eventually(_refuses_connections(stage.server), "nobody is let in any more")
    finished.say_the_rest()
    status, account = await finished.answer()
    assert status == 200, account
    status, refusal = await forgotten.answer()
    assert (status, refusal["code"], refusal["summary"]) == (503, 503002, "service busy")
    await ending
    await asyncio.to_thread(stage.server.start)
    assert (await stage.api(account["token"]).get("/v1/rooms")).status_code == 200
    assert "Traceback" not in stage.server.log


def _all_have(everybody: list[Busy], answers: int) -> Callable[[], Awaitable[bool]]:
    async def all_have() -> bool:
        return all(each.answers >= answers for each in everybody)

    return all_have


async def _ends_in_time(server: RunningServer, number: signal.Signals) -> None:
    began = time.monotonic()
    assert await asyncio.to_thread(server.terminate, number) == 0, server.log
    assert time.monotonic() - began < ENDS_WITHIN_S


def _refuses_connections(server: RunningServer) -> Callable[[], Awaitable[bool]]:
    async def refuses() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        except OSError:
            return True
        writer.close()
        return False

    return refuses


async def test_a_long_stop_costs_nobody_his_room(launch: Launch) -> None:
    """Who was connected when the server was stopped has his whole grace from its start on, as after a crash."""
    grace_s = 1.0
    stage = launch({"websocket_conf": {"reconnect_timeout_s": grace_s}})
    host = await stage.host()
    await asyncio.to_thread(stage.server.terminate)
    await asyncio.sleep(1.5 * grace_s)
    stage.server.start()
    await host.connect()
    assert await host.status_of(host.room) == "single"
