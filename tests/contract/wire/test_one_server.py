"""One process per store, by whatever name it comes; another one takes over as soon as it may, and not before."""

import asyncio
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.stores.mongod import Mongod

from .client import PATIENCE_S
from .command import qlive
from .conftest import Launch, StoreSettings
from .server import RunningServer, Settings
from .stage import Stage, eventually

Second = Callable[[Settings], RunningServer]


@pytest.fixture
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    """Makes further servers, which are still to be started."""
    servers: list[RunningServer] = []

    def make(settings: Settings) -> RunningServer:
        servers.append(RunningServer(tmp_path_factory.mktemp("second"), settings))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def other_files(database: Path, folder: Path) -> list[str]:
    """Return other names of a file: links of both kinds, a linked folder, a relative path, a detour."""
    (folder / "symbolic").symlink_to(database)
    (folder / "hard").hardlink_to(database)
    (folder / "folder").symlink_to(database.parent)
    return [
        str(database),
        str(folder / "symbolic"),
        str(folder / "hard"),
        str(folder / "folder" / database.name),
        # All servers of the tests run in folders beside one another.
        f"../{database.parent.name}/{database.name}",
        f"{database.parent}/../{database.parent.name}/{database.name}",
    ]


def other_addresses(uri: str) -> list[str]:
    """Return other names of a server."""
    address = uri.removeprefix("mongodb://").rstrip("/")
    port = address.rpartition(":")[2]
    return [
        uri,
        f"mongodb://localhost:{port}",
        f"mongodb://localhost:{port}/?retryWrites=false&w=1",
        f"mongodb://{address}/?directConnection=true&readPreference=secondaryPreferred",
    ]


def other_names(stage: Stage, settings: Settings, folder: Path) -> list[dict[str, Any]]:
    """Return settings that mean the store of that server."""
    if "mongo" in settings:
        return [
            {**settings, "mongo": {**settings["mongo"], "uri": uri}}
            for uri in other_addresses(settings["mongo"]["uri"])
        ]
    database = stage.server.config.parent / "qlive.db"
    return [{"store": {"path": path}} for path in other_files(database, folder)]


async def test_a_second_server_is_refused(
    launch_on: Launch, second: Second, store: StoreSettings, tmp_path: Path
) -> None:
    """Whatever name it uses for the store, it ends with one line that says what is wrong, where and what to do."""
    settings = store()
    stage = launch_on(settings)
    host = await stage.host()
    names = other_names(stage, settings, tmp_path)
    servers = [second(name) for name in names]
    for server in servers:
        server.spawn()
    for name, server in zip(names, servers, strict=True):
        code = await asyncio.to_thread(server.ended)
        [line] = [line for line in server.log.splitlines() if line.startswith("qlive: ")]
        key = "mongo.database" if "mongo" in name else "store.path"
        assert code != 0
        assert re.fullmatch(
            rf"qlive: \S+qlive\.conf: {re.escape(key)}: .* is in use by .*; stop that process .*", line
        )
        assert "Traceback" not in server.log
    assert await host.status_of(host.room) == "single"
    assert (await host.signal.call("end-pk", pkRoomID=host.room))["code"] != 0


async def test_a_rolling_deployment(launch_on: Launch, second: Second, store: StoreSettings) -> None:
    """A new server waits, saying so, until the old one has ended in order; then it has all that there was."""
    settings = store() or {"store": {}}
    stage = launch_on(settings)
    host = await stage.host()
    path = str(stage.server.config.parent / "qlive.db")
    new = second(settings if "mongo" in settings else {"store": {"path": path}})
    new.spawn()

    async def waits() -> bool:
        return "waiting for it to end" in new.log

    await eventually(waits, "the new server says that it waits")
    assert await asyncio.to_thread(stage.server.terminate) == 0
    await asyncio.to_thread(new.wait_ready)
    async with httpx.AsyncClient(base_url=new.base_url, timeout=PATIENCE_S, trust_env=False) as client:
        seen = await client.get(
            f"/v1/rooms/{host.room}", headers={"Authorization": f"Bearer {host.api.token}"}
        )
    assert seen.status_code == 200, seen.text


async def test_no_waiting_after_a_crash(launch: Launch) -> None:
    """A server whose predecessor on this machine was killed sees that at once."""
    stage = launch({})
    host = await stage.host()
    for _ in range(2):
        stage.server.kill()
        await asyncio.to_thread(stage.server.restart)
        assert await host.status_of(host.room) == "single"
    assert "waiting for it to end" not in stage.server.log


async def test_a_waiting_server_can_be_stopped(launch_on: Launch, second: Second, standalone: Mongod) -> None:
    """A server that has not been able to start yet says that it lives, that it is not ready, and ends at SIGTERM."""
    settings = {"store": {"provider": "mongo"}, "mongo": {"uri": standalone.uri, "database": "one_stopped"}}
    launch_on(settings)
    new = second(settings)
    new.spawn()

    async def waits() -> bool:
        return "waiting for it to end" in new.log

    await eventually(waits, "the new server says that it waits")
    async with httpx.AsyncClient(base_url=new.base_url, timeout=PATIENCE_S, trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200
        unready = await client.get("/readyz")
        assert (unready.status_code, unready.json()["problems"]) == (503, ["server: starting"])
        assert (await client.get("/metrics")).status_code == 200
        refused = await client.get("/v1/rooms")
        assert (refused.status_code, refused.json()["code"]) == (503, 503002)
    assert await asyncio.to_thread(new.terminate) == 0


async def test_a_frozen_server_writes_nothing_more(
    launch_on: Launch, second: Second, standalone: Mongod
) -> None:
    """Once another one has its place, a server that goes on does no harm, and ends with one line."""
    settings = {"store": {"provider": "mongo"}, "mongo": {"uri": standalone.uri, "database": "one_frozen"}}
    stage = launch_on(settings)
    host, late = await stage.host(), await stage.person()
    stage.server.signal(signal.SIGSTOP)
    # These lie in its sockets when it goes on.
    calls = [
        asyncio.create_task(late.api.create_room(late.room_name)),
        asyncio.create_task(host.api.rename_room(host.room, "renamed")),
    ]
    new = second(settings)
    new.spawn()
    try:
        await asyncio.to_thread(new.wait_ready)
        before = facts(standalone, "one_frozen")
        stage.server.signal(signal.SIGCONT)
        assert await asyncio.to_thread(stage.server.ended) == 3
        results = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        stage.server.signal(signal.SIGCONT)
    assert not any(isinstance(result, httpx.Response) and result.is_success for result in results)
    assert facts(standalone, "one_frozen") == before
    lines = [line for line in stage.server.log.splitlines() if line.startswith("qlive: ")]
    assert len(lines) == 1
    assert "taken" in lines[0]


async def test_a_frozen_server_that_nobody_replaced_goes_on(launch_on: Launch, standalone: Mongod) -> None:
    """However long it was frozen, it serves again, and what was asked for meanwhile is done."""
    settings = {"store": {"provider": "mongo"}, "mongo": {"uri": standalone.uri, "database": "one_thawed"}}
    stage = launch_on(settings)
    late = await stage.person()
    stage.server.signal(signal.SIGSTOP)
    call = asyncio.create_task(late.api.create_room(late.room_name))
    await asyncio.sleep(7)  # longer than its lease
    stage.server.signal(signal.SIGCONT)
    answer = await call
    assert answer.status_code == 200, answer.text


def facts(server: Mongod, database: str) -> dict[str, list[Any]]:
    """Return rooms and places as they are stored."""
    with server.direct() as client:
        return {
            name: list(client[database][name].find({"removed": None}).sort("_id"))
            for name in ("live_rooms", "places", "sessions")
        }


async def test_a_migration_of_a_database_in_use(launch_on: Launch, standalone: Mongod) -> None:
    """`qlive migrate` is refused in one line while a server uses the database; looking on is allowed."""
    settings = {"store": {"provider": "mongo"}, "mongo": {"uri": standalone.uri, "database": "one_migrated"}}
    config = str(launch_on(settings).server.config)
    refused, looked = await asyncio.gather(
        asyncio.to_thread(qlive, "migrate", "-f", config),
        asyncio.to_thread(qlive, "migrate", "-f", config, "--dry-run"),
    )
    [line] = [line for line in refused.err if line.startswith("qlive: ")]
    assert refused.code == 3
    assert line.startswith(f"qlive: {config}: mongo.database: database one_migrated is in use by process ")
    assert looked.code == 0
