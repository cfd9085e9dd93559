"""Who holds a lease, and whether that process is still there."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STATE, _STARTED = 0, 19
_ENDED = frozenset("ZX")


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _pid_space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when that process started, in ticks since the machine did; "" if there is none, or none that runs."""
    # The name of the program comes before, in brackets, and may contain anything.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) <= _STARTED or fields[_STATE] in _ENDED:
        return ""
    return fields[_STARTED]


def this_process() -> dict[str, Any]:
    """Return what tells this process from all others: of this machine, of its containers, of all times."""
    pid = os.getpid()
    return {
        "host": socket.gethostname(),
        "boot": _read("/proc/sys/kernel/random/boot_id").strip(),
        "pid_space": _pid_space(),
        "pid": pid,
        "started": _started(pid),
    }


def is_dead(holder: Mapping[str, Any]) -> bool:
    """Tell whether that process is known to have ended: it ran where we do, and is not there any more.

    Of other machines and containers nothing is known.
    """
    mine = this_process()
    here = bool(mine["started"]) and all(mine[key] == holder.get(key) for key in ("boot", "pid_space"))
    return here and _started(int(holder["pid"])) != holder.get("started")
