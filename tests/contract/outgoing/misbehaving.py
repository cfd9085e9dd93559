"""An HTTP server on a real socket that does what vendors do on their bad days."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from attrs import define, field, frozen

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Answers one request."""


@frozen
class Received:
    """A request as it came in; names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Behaviour:
    """Answer as one should."""
    lines = [f"HTTP/1.1 {status} ", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "\r\n"]).encode() + body)
        await writer.drain()

    return behave


async def hang(_writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte every now and then, so that no single read takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def gush(writer: asyncio.StreamWriter) -> None:
    """Send a body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()


async def half(writer: asyncio.StreamWriter) -> None:
    """Hang up in the middle of the body."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half')
    await writer.drain()
    writer.close()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Hang up instead of answering."""
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection in the middle of the head."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await writer.drain()
    writer.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
    )
    writer.transport.abort()


async def babble(writer: asyncio.StreamWriter) -> None:
    """Speak something that is not HTTP."""
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
    writer.close()


@define
class MisbehavingServer:
    """Behaves as scripted, request by request, and then as usual."""

    usual: Behaviour
    url: str = ""
    script: deque[Behaviour] = field(factory=deque)
    received: list[Received] = field(factory=list)
    connections: int = 0
    busy: int = 0
    busiest: int = 0
    came: asyncio.Event = field(factory=asyncio.Event)
    _tasks: set["asyncio.Task[None]"] = field(factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                await self._serve_one(reader, writer)
        writer.close()
        self._tasks.discard(task)

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request_line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = request_line.split(" ")
        self.received.append(Received(method, target, headers, body))
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        self.came.set()
        try:
            await (self.script.popleft() if self.script else self.usual)(writer)
        finally:
            self.busy -= 1

    async def close(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)


@asynccontextmanager
async def misbehaving(*script: Behaviour, usual: Behaviour | None = None) -> AsyncIterator[MisbehavingServer]:
    """Run a server that goes through the script."""
    behaving = MisbehavingServer(usual or answer(), script=deque(script))
    server = await asyncio.start_server(behaving.serve, "127.0.0.1", 0)
    behaving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield behaving
    finally:
        server.close()
        await behaving.close()


@contextmanager
def refusing() -> Iterator[str]:
    """Return the address of a port at which connections are refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def swallowing() -> Iterator[str]:
    """Return the address of a port at which attempts to connect hang: its queue is full and nobody empties it."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"
