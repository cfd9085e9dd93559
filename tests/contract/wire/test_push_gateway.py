"""Metrics that are pushed: to a gateway that listens in this process."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

import attrs
import pytest

from .client import PATIENCE_S
from .conftest import Launch
from .figures import Figures
from .server import Settings
from .stage import Stage, eventually

INTERVAL_S = 0.25


@attrs.frozen
class Push:
    """One request that the gateway received."""

    at: float
    request: str
    body: str


class Gateway:
    """Takes pushes on a port that stays the same while it is closed and opened again."""

    def __init__(self) -> None:
        self.port = 0
        self.status = "202 Accepted"
        self._pushes: asyncio.Queue[Push] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def next_push(self) -> Push:
        async with asyncio.timeout(PATIENCE_S):
            return await self._pushes.get()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request per connection, so that closing the gateway cuts nothing off."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        body = await reader.readexactly(int(fields["content-length"]))
        self._pushes.put_nowait(Push(time.monotonic(), head.splitlines()[0], body.decode()))
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """An open gateway."""
    opened = Gateway()
    await opened.open()
    yield opened
    await opened.close()


def _pushing(gateway: Gateway) -> Settings:
    # Operators leave the scheme out; the original did so itself.
    url = f"127.0.0.1:{gateway.port}"
    return {"prometheus": {"enable_push": True, "push_url": url, "push_interval_s": INTERVAL_S}}


async def test_metrics_are_pushed_at_the_interval(launch: Launch, gateway: Gateway) -> None:
    """The gateway receives all metrics under the job's name, again and again, fresh each time."""
    stage = launch(_pushing(gateway))
    host = await stage.host()
    pushes = [await gateway.next_push() for _ in range(4)]
    assert {push.request for push in pushes} == {"PUT /metrics/job/qlive-api HTTP/1.1"}
    pauses = [later.at - earlier.at for earlier, later in itertools.pairwise(pushes)]
    assert all(pause > INTERVAL_S * 0.6 for pause in pauses), pauses

    async def told_of_the_host() -> bool:
        return Figures((await gateway.next_push()).body).value("qlive_signalling_connections") == 1

    await eventually(told_of_the_host, "the connection is in the pushed figures")
    await host.signal.confirm()


async def test_a_gateway_in_trouble_is_a_warning(launch: Launch, gateway: Gateway) -> None:
    """Whether it is down or failing: the server goes on, says so no oftener than the interval, and tries again."""
    stage = launch(_pushing(gateway))
    await gateway.next_push()
    await gateway.close()
    await eventually(_warned(stage, 3), "warnings of a gateway that is down")
    assert (await stage.api().get("/readyz")).status_code == 200
    gateway.status = "500 Internal Server Error"
    await gateway.open()
    await gateway.next_push()
    await eventually(_warned(stage, len(_warnings(stage)) + 1), "a warning of a gateway that fails")
    pauses = [later - earlier for earlier, later in itertools.pairwise(_warnings(stage))]
    assert all(pause > INTERVAL_S * 0.9 for pause in pauses), pauses
    gateway.status = "202 Accepted"
    await gateway.next_push()
    assert stage.server.terminate() == 0


def _warned(stage: Stage, times: int) -> Callable[[], Awaitable[bool]]:
    async def warned() -> bool:
        return len(_warnings(stage)) >= times

    return warned


def _warnings(stage: Stage) -> list[float]:
    """Return when the server said that it could not push, and check that it said where to and why."""
    lines = [json.loads(line) for line in stage.server.log.splitlines()]
    told = [line for line in lines if line["event"] == "metrics not pushed"]
    assert all(
        line["level"] == "warning" and line["error"] and "/metrics/job/" in line["url"] for line in told
    )
    return [datetime.fromisoformat(line["timestamp"]).timestamp() for line in told]
