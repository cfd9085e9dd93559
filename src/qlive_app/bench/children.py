"""The servers under load as child processes: started, pinned, watched and ended."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.http_client import open_http, request_bytes

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Child:
    """A running server and what the kernel knows of it."""

    pid: int

    def cpu_s(self) -> float:
        """Seconds of processor time so far, all threads, in steps of 10 ms."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS_PER_S

    def resident_kib(self) -> int:
        """Resident memory in KiB, without the kernel's own socket buffers."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def cores() -> tuple[int, int] | None:
    """The core for servers and the core for the load, or None where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else None


@asynccontextmanager
async def running(
    module: str, arguments: Sequence[str], *, core: int | None, log: Path, port: int, ready_path: str
) -> AsyncIterator[Child]:
    """Run ``python -m module`` until the block ends; it begins when ``ready_path`` answers 200 on ``port``.

    A MeasurementError, from inside the block or because the child does not come up, is given the end of its log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 -- our own module; the fork takes a millisecond
            [sys.executable, "-m", module, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        await _ready(process, module, port, ready_path)
        yield Child(process.pid)
    except MeasurementError as exc:
        if last_words := _tail(log):
            exc.add_note(f"The last words of {module}:\n{last_words}")
        raise
    finally:
        await asyncio.to_thread(_stop, process)


async def _ready(process: subprocess.Popen[bytes], module: str, port: int, path: str) -> None:
    clock = asyncio.get_running_loop()
    until = clock.time() + START_TIMEOUT_S
    while not await _answers(port, path):
        if process.poll() is not None or clock.time() > until:
            raise MeasurementError(f"{module} did not come up")
        await asyncio.sleep(0.05)


async def _answers(port: int, path: str) -> bool:
    try:
        connection = await open_http("127.0.0.1", port)
    except OSError:
        return False
    try:
        await connection.call(request_bytes("GET", path))
    except MeasurementError:
        return False
    finally:
        connection.close()
    return True


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
