"""Bytes on a socket, where a client library would hide or mend what matters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from .client import PATIENCE_S
from .server import RunningServer


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a port of this machine; whatever is waited for within comes in time, or TimeoutError is raised."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # the loop closes it in its next round


async def exchange(server: RunningServer, request: bytes) -> bytes:
    """Send bytes to the API on a connection of their own and return the answer as far as it comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            return head + await reader.readexactly(int(length or 0))
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    finally:
        writer.close()


def parsed(answer: bytes) -> httpx.Response:
    """Return an answer as clients see it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)
