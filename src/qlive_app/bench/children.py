"""The servers under load: pinned to a core, and watched."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import attrs

from qlive_app import children
from qlive_app.bench.errors import MeasurementError

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


@attrs.frozen
class Cores:
    """Who runs on which core. With two of them the store's server and the load share one."""

    server: int
    load: int
    store: int


def cores() -> Cores | None:
    """The cores to use, or None where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1], usable[2 if len(usable) > 2 else 1]) if len(usable) > 1 else None


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, to one core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@asynccontextmanager
async def running(
    module: str, arguments: Sequence[str], *, core: int | None, log: Path, port: int, ready_path: str
) -> AsyncIterator[Child]:
    """Run ``python -m module`` until the block ends; it begins when ``ready_path`` answers 200 on ``port``.

    A MeasurementError, from inside the block or because the child does not come up, is given the end of its log.
    """
    try:
        async with children.running(
            module, arguments, log=log, port=port, ready_path=ready_path, core=core
        ) as child:
            yield Child(child.pid)
    except children.ChildFailed as exc:
        raise MeasurementError(str(exc)) from exc
    except MeasurementError as exc:
        if words := children.last_words(log):
            exc.add_note(f"The last words of {module}:\n{words}")
        raise
