"""Nobody has to read what the server says: it starts, answers and ends all the same."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

_PATIENCE_S = 60
_CONF = '{"listen_addr": "127.0.0.1:%d", "websocket_conf": {"listen_addr": "127.0.0.1:0"}, "store": {"path": ":memory:"}}'
_SINKS = {
    "healthy": "exec {python} -m qlive_app -f {conf} >{out} 2>&1",
    "stderr closed": "exec {python} -m qlive_app -f {conf} >{out} 2>&-",
    "stdout closed": "exec {python} -m qlive_app -f {conf} >&- 2>{out}",
    "both closed": "exec {python} -m qlive_app -f {conf} >&- 2>&-",
    "disk full": "exec {python} -m qlive_app -f {conf} >/dev/full 2>/dev/full",
    "pipe never read": "exec {python} -m qlive_app -f {conf}",
    "pipe without reader": "exec {python} -m qlive_app -f {conf}",
}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _full_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while os.write(writing, b"x" * 4096):
            pass
    except BlockingIOError:
        os.set_blocking(writing, True)
    return reading, writing


def _until_healthy(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.parametrize("sink", _SINKS)
def test_the_server_serves_and_ends_whoever_reads_its_log(sink: str, tmp_path: Path) -> None:
    port, conf, out = _free_port(), tmp_path / "qlive.conf", tmp_path / "out"
    conf.write_text(_CONF % port)
    out.touch()
    reading, writing = _full_pipe() if sink == "pipe never read" else os.pipe()
    if sink == "pipe without reader":
        os.close(reading)
    command = _SINKS[sink].format(python=sys.executable, conf=conf, out=out)
    server = subprocess.Popen(["/bin/sh", "-c", command], stdout=writing, stderr=writing)
    os.close(writing)
    try:
        _until_healthy(port, server)
        server.send_signal(signal.SIGTERM)
        assert server.wait(_PATIENCE_S) == 0
    finally:
        server.kill()
        server.wait()
        if sink != "pipe without reader":
            os.close(reading)
    said = out.read_text()
    assert "Traceback" not in said
    assert "Fatal" not in said
    if sink in {"healthy", "stdout closed"}:
        last = said.splitlines()[-1]
        assert re.search("stopped", last)
