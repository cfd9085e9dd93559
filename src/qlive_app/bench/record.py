"""A run as JSON, for whoever compares it with another one."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import gettempdir

import attrs

from qlive_app.bench.aims import results
from qlive_app.bench.children import cores
from qlive_app.bench.figures import typical
from qlive_app.bench.plan import Outcome, Settings

_PACKAGES = (
    "qlive",
    "litestar",
    "uvicorn",
    "uvloop",
    "httptools",
    "websockets",
    "msgspec",
    "pymongo",
    "beanie",
)


def as_json(outcome: Outcome, settings: Settings) -> dict[str, object]:
    """Everything: what was measured on what, each round's figures, their medians and the results."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "versions": _versions() | ({"mongod": outcome.mongod} if outcome.mongod else {}),
        "settings": attrs.asdict(settings) | {"parts": sorted(settings.parts)},
        "yardsticks": _measures(outcome, ""),
        "stores": {store: _store(outcome, store) for store in outcome.stores},
    }


def _store(outcome: Outcome, store: str) -> dict[str, object]:
    memory = outcome.memory.get(store)
    return {
        "results": {
            name.measure: attrs.asdict(each) | {"met": each.met}
            for name, each in results(outcome).items()
            if name.store == store
        },
        "measures": _measures(outcome, store),
        "memory": attrs.asdict(memory) if memory else None,
    }


def _measures(outcome: Outcome, store: str) -> dict[str, object]:
    return {
        name.measure: {
            "typical": attrs.asdict(typical(rounds)),
            "rounds": [attrs.asdict(each) for each in rounds],
        }
        for name, rounds in outcome.rounds.items()
        if name.store == store
    }


def _versions() -> dict[str, str]:
    """What the figures depend on besides the machine."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return found | {name: version(name) for name in _PACKAGES}


def _machine() -> dict[str, object]:
    """The machine, as far as figures of two runs can be compared."""
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": os.cpu_count(),
        "pinned": cores() is not None,
        "kernel": platform.release(),
        "store_filesystem": _filesystem(Path(gettempdir())),
    }


def _filesystem(directory: Path) -> str:
    """The kind of filesystem that the store was on: on a tmpfs a durable write costs nothing."""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    over = [(len(point), kind) for point, kind in mounts if directory.resolve().is_relative_to(point)]
    return max(over)[1]
