"""Servers as child processes: started, ready before they are used, and ended whatever happens."""

import asyncio
import os
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
_LAST_WORDS = 2000


class ChildFailed(Exception):
    """A child did not come up; the text says which, and what it said last."""


class Child:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def stop(self) -> int:
        """Ask the child to end with SIGTERM, kill it if it will not, and return its exit code."""
        return await asyncio.to_thread(_stop, self._process)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now, below those that outgoing connections are given: they stay free."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randint(20_000, 32_000)  # noqa: S311 - nobody is kept from guessing a port
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.add(port)
    return list(found)


def last_words(log: Path) -> str:
    """The end of what a child wrote."""
    return log.read_text(errors="replace")[-_LAST_WORDS:].strip()


@asynccontextmanager
async def running(
    module: str, arguments: Sequence[str], *, log: Path, port: int, ready_path: str, core: int | None = None
) -> AsyncIterator[Child]:
    """Run ``python -m module`` until the block ends; it begins when ``ready_path`` answers 200 on ``port``.

    With ``core`` the child and all its threads keep to that core. Raises ChildFailed if it does not come up.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 -- our own module; the fork takes a millisecond
            [sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        await _until_ready(process, f"http://127.0.0.1:{port}{ready_path}", module, log)
        yield Child(process)
    finally:
        await asyncio.to_thread(_stop, process)


async def _until_ready(process: subprocess.Popen[bytes], url: str, module: str, log: Path) -> None:
    clock = asyncio.get_running_loop()
    until = clock.time() + START_TIMEOUT_S
    async with httpx.AsyncClient(trust_env=False) as http:
        while not await _answers(http, url):
            if process.poll() is not None or clock.time() > until:
                raise ChildFailed(f"{module} did not come up. Its last words:\n{last_words(log)}")
            await asyncio.sleep(0.05)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
