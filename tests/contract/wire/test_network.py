"""What operators' tools and load balancers see of the two ports."""

import asyncio
import os
import resource
import signal
from pathlib import Path

import httpx
import pytest

from .conftest import Launch
from .server import RunningServer
from .stage import Stage, eventually

SPARE = 6


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/metrics",
        "/swagger/index.html",
        "/swagger/swagger-ui-bundle.js",
        "/asyncapi.json",
    ],
)
async def test_head_works_where_operators_look(path: str, stage: Stage) -> None:
    """HEAD is answered as GET, without the body: `wget --spider` asks so."""
    head, get = await stage.api().request("HEAD", path), await stage.api().get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/v1", "/v1/rooms", "/v1/rooms/", "/v1/login", "/nothing"])
async def test_head_is_unknown_elsewhere(path: str, stage: Stage) -> None:
    """The API has no HEAD, as it never had."""
    assert (await stage.api().request("HEAD", path)).status_code == 404


@pytest.mark.parametrize("host", ["[::]", "[0:0:0:0:0:0:0:0]", ""])
def test_every_interface_means_ipv4_as_well(host: str, tmp_path: Path) -> None:
    """Both ports take IPv4 and IPv6, and the banner names an address that a browser can use."""
    server = RunningServer(tmp_path)
    server.config.write_text(server.config.read_text().replace("127.0.0.1:", f"{host}:"))
    try:
        server.start()
        for address in ("127.0.0.1", "[::1]"):
            for port in (server.http_port, server.ws_port):
                assert httpx.get(f"http://{address}:{port}/", trust_env=False).status_code < 500
        banner = (tmp_path / "qlive.out").read_text()
        assert f"http://localhost:{server.http_port}/v1" in banner
        assert f"ws://localhost:{server.ws_port}/qlive" in banner
    finally:
        server.stop()


async def test_load_balancers_notice_a_stop_before_users_do(launch: Launch) -> None:
    """While `/readyz` already says 503, everybody is served, newcomers too; a second signal cuts that short."""
    stage = launch({"drain_notice_s": 60})
    host = await stage.host()
    os.kill(stage.server.pid, signal.SIGTERM)

    async def is_unready() -> bool:
        return (await stage.api().get("/readyz")).status_code == 503

    await eventually(is_unready, "readiness goes off")
    assert (await host.signal.call("end-pk"))["code"] == 10013
    assert (await (await stage.host()).signal.call("end-pk"))["code"] == 10013
    assert await asyncio.to_thread(stage.server.terminate) == 0


def _highest_descriptor(pid: int) -> int:
    return max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir())


async def test_running_out_of_descriptors_is_said_and_survived(launch: Launch) -> None:
    """New connections are closed, the log and the metrics say why, and all is well when some are free again."""
    stage = launch({})
    pid, witness = stage.server.pid, await stage.host()
    api = stage.api()
    assert '"event": "descriptor limit"' in stage.server.log
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert limits[0] == limits[1], "the limit is raised as far as it goes"
    assert (await api.get("/readyz")).json()["status"] == "ok"
    in_use = _highest_descriptor(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use + SPARE, limits[1]))
    crowd = [await asyncio.open_connection("127.0.0.1", stage.server.http_port) for _ in range(4 * SPARE)]

    async def is_noticed() -> bool:
        return "no file descriptor left" in stage.server.log

    await eventually(is_noticed, "the log names it")
    assert (await witness.signal.call("end-pk"))["code"] == 10013
    assert "descriptors: none left" in (await api.get("/readyz")).text
    for _, writer in crowd:
        writer.transport.abort()

    async def is_well() -> bool:
        return bool((await api.get("/readyz")).json()["status"] == "ok")

    await eventually(is_well, "descriptors are free again")
    assert (await stage.api().get("/healthz")).status_code == 200
    assert stage.server.log.count("no file descriptor left") == 1
    metrics = (await api.get("/metrics")).text
    assert "qlive_descriptors_exhausted_total 0.0" not in metrics
