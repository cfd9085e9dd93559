"""A server of the demo's own: on free ports, with nothing on disk that stays."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from qlive_app.children import Child, free_ports, running

HOST = "127.0.0.1"


@attrs.frozen
class OwnServer:
    """A running qlive and where its HTTP API is."""

    child: Child
    url: str


def made_up_phones(count: int) -> list[str]:
    return [f"139{number:08d}" for number in range(1, count + 1)]


def configuration(http_port: int, signalling_port: int, codes: dict[str, str]) -> dict[str, object]:
    """The least that a server needs; all clouds are local stand-ins."""
    return {
        "debug_level": 1,
        "listen_addr": f"{HOST}:{http_port}",
        "websocket_conf": {"listen_addr": f"{HOST}:{signalling_port}"},
        "store": {"provider": "sqlite", "path": ":memory:"},
        "sms": {"provider": "test", "fixed_codes": codes, "address_hourly_limit": len(codes)},
        "rtc": {
            "provider": "test",
            "play_host": "play.example.com",
            "publish_host": "publish.example.com",
            "publish_hub": "demo",
        },
        "im": {"provider": "test"},
    }


@asynccontextmanager
async def own_server(phones: Sequence[str], code: str) -> AsyncIterator[OwnServer]:
    """A fresh qlive that lets these phones in with this code. Raises ChildFailed if it does not come up."""
    http_port, signalling_port = free_ports(2)
    with TemporaryDirectory(prefix="qlive-demo-") as name:
        file = Path(name) / "qlive.conf"
        file.write_text(json.dumps(configuration(http_port, signalling_port, dict.fromkeys(phones, code))))
        log = file.with_suffix(".log")
        arguments = ["-f", str(file)]
        async with running("qlive_app", arguments, log=log, port=http_port, ready_path="/readyz") as child:
            yield OwnServer(child, f"http://{HOST}:{http_port}")
