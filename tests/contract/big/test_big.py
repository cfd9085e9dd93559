"""Starts and sweeps at the largest size that qlive is made for. Takes ten minutes; `make big` runs it, CI does not."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo.database import Database

from contract.stores.mongod import Mongod, running
from contract.wire.server import RunningServer

pytestmark = [pytest.mark.big, pytest.mark.timeout(0)]

ACCOUNTS = int(os.environ.get("QLIVE_BIG_ACCOUNTS", "3000000"))
VIEWERS = int(os.environ.get("QLIVE_BIG_VIEWERS", "200000"))
ROOMS = 2_000
NAME = "big"
_BATCH = 10_000
_START_S = 1800.0
_MENDED_S = 300.0


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    """A server of its own."""
    with running(tmp_path / "mongod", cache_gb=1.0) as server:
        yield server


def fill(database: Database[Any], name: str, count: int, make: Callable[[int], dict[str, Any]]) -> None:
    """Insert that many documents. They have no indexes yet: it is the start that has to make them."""
    for first in range(0, count, _BATCH):
        rows = [make(n) for n in range(first, min(count, first + _BATCH))]
        database[name].insert_many(rows, ordered=False)


def account(n: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "_id": f"user{n:08}",
        "phoneNumber": f"138{n:08}",
        "nickname": f"user {n}",
        "gender": "",
        "avatarURL": "http://example.com/avatar.jpg",
        "registerTime": now,
        "lastLoginTime": now,
        "rev": 1,
    }


def room(n: int) -> dict[str, Any]:
    return {
        "_id": f"room{n:06}",
        "name": f"room {n}",
        "type": "pk",
        "creator": f"user{n:08}",
        "created_at": float(n),
        "locked_seats": [],
        "rev": 1,
        "slot": None,
    }


def place(n: int) -> dict[str, Any]:
    return {
        "_id": f"user{n:08}",
        "room_id": f"room{n % ROOMS:06}",
        "kind": "hosting" if n < ROOMS else "watching",
        "since": 1.0,
        "muted": False,
        "rev": 1,
    }


def presence(n: int) -> dict[str, Any]:
    return {
        "_id": f"user{n:08}",
        "connection_id": f"connection{n}",
        "node": "earlier",
        "expires_at": None,
        "capabilities": [],
        "rev": 1,
        "im": False,
    }


def test_starts_and_sweeps(mongod: Mongod, tmp_path: Path) -> None:
    """A first start makes its indexes and takes over; what a crash left behind is mended, and no sweep fails."""
    with mongod.direct() as client:
        database = client[NAME]
        fill(database, "accounts", ACCOUNTS, account)
        fill(database, "live_rooms", ROOMS, room)
        fill(database, "places", VIEWERS, place)
        fill(database, "presences", VIEWERS, presence)
        settings = {
            "store": {"provider": "mongo"},
            "mongo": {"uri": mongod.uri, "database": NAME},
            "websocket_conf": {"reconnect_timeout_s": 3600},
        }
        server = RunningServer(tmp_path, settings)
        try:
            told("first start", start(server))
            told("slowest answer in 30 s", slowest_answer(server, 30.0))
            left_behind(database)
            told("mended", until(lambda: is_mended(database), _MENDED_S))
            told("mongod, share of a core", mongod_share(mongod))
            server.kill()
            told("start after a crash", start(server))
            assert server.terminate() == 0
            assert "sweep put off" not in server.log
            assert "sweep failed" not in server.log
            assert "store lost" not in server.log
        finally:
            server.stop()


def told(what: str, seconds: float) -> None:
    """Say how long something took."""
    print(f"{what}: {seconds:.2f}")  # noqa: T201 - for whoever runs it by hand


def start(server: RunningServer) -> float:
    """Start the server and return how long that took."""
    started = time.monotonic()
    server.spawn()
    server.wait_ready(_START_S)
    return time.monotonic() - started


def slowest_answer(server: RunningServer, for_s: float) -> float:
    """Ask again and again, and return how long the slowest answer took."""
    slowest = 0.0
    give_up_at = time.monotonic() + for_s
    with httpx.Client(base_url=server.base_url, trust_env=False, timeout=30) as client:
        while time.monotonic() < give_up_at:
            started = time.monotonic()
            assert client.get("/readyz").is_success, server.log[-2000:]
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.005)
    return slowest


def left_behind(database: Database[Any]) -> None:
    """Leave what crashes leave: a room without its host, a viewer of no room, a viewer without a presence."""
    database.live_rooms.insert_one(room(ROOMS) | {"creator": "nobody"})
    database.places.insert_one(place(VIEWERS + 1) | {"room_id": "none"})
    database.places.insert_one(place(VIEWERS + 2))


def is_mended(database: Database[Any]) -> bool:
    """Tell whether all of that has been mended."""
    return (
        database.live_rooms.find_one({"creator": "nobody"}) is None
        and database.places.find_one({"room_id": "none"}) is None
        and database.presences.find_one({"_id": f"user{VIEWERS + 2:08}"}) is not None
    )


def until(holds: Callable[[], bool], within_s: float) -> float:
    """Wait until it holds, and return how long that took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() < started + within_s
        time.sleep(0.2)
    return time.monotonic() - started


def mongod_share(mongod: Mongod) -> float:
    """Return how much of a core the server takes while nobody asks for anything."""
    assert mongod.process is not None
    stat = Path(f"/proc/{mongod.process.pid}/stat")

    def ticks() -> int:
        fields = stat.read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before, looks_s = ticks(), 20.0
    time.sleep(looks_s)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / looks_s
