"""The qlive under test: its configuration, and the sign of readiness to wait for."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from qlive_app.bench.children import Child, running
from qlive_app.children import free_ports

HOST = "127.0.0.1"
SIGNALLING_PATH = "/qlive"
SMS_CODE = "123456"
_NO_LIMIT = 1_000_000_000


@attrs.frozen
class Subject:
    """A running qlive and where it listens."""

    child: Child
    http_port: int
    signalling_port: int


def phone(number: int) -> str:
    """The phone of the bench's user ``number``."""
    return f"138{number:08d}"


def configuration(
    store: Mapping[str, object], http_port: int, signalling_port: int, users: int
) -> dict[str, object]:
    """What an operator would run with these sections for the store, but for the limits that keep load away."""
    return {
        "debug_level": 1,
        "listen_addr": f"{HOST}:{http_port}",
        "max_rooms": 0,
        **store,
        "websocket_conf": {
            "listen_addr": f"{HOST}:{signalling_port}",
            "serve_uri": SIGNALLING_PATH,
            "message_rate_per_s": _NO_LIMIT,
            "message_burst": _NO_LIMIT,
            "byte_rate_per_s": _NO_LIMIT,
            "byte_burst": _NO_LIMIT,
        },
        # A host may be logged in long before its turn to connect comes.
        "presence": {"host_connect_timeout_s": 3600, "audience_lease_s": 3600},
        "sms": {
            "provider": "test",
            "fixed_codes": {phone(number): SMS_CODE for number in range(users)},
            "phone_hourly_limit": _NO_LIMIT,
            "phone_daily_limit": _NO_LIMIT,
            "address_hourly_limit": _NO_LIMIT,
        },
        "rtc": {
            "provider": "test",
            "key_pair": {"access_key": "bench-ak", "secret_key": "bench-sk"},
            "app_id": "bench",
            "publish_host": "localhost:1935",
            "publish_hub": "bench",
            "room_token_expire_s": 3600,
        },
        "im": {"provider": "test"},
    }


@asynccontextmanager
async def running_qlive(
    directory: Path, store: Mapping[str, object], *, users: int, core: int | None
) -> AsyncIterator[Subject]:
    """A fresh qlive in which the first ``users`` phones may log in.

    Its files are in ``directory``; its facts are where the sections ``store`` of its configuration say.
    """
    http_port, signalling_port = free_ports(2)
    file = _write(directory, configuration(store, http_port, signalling_port, users))
    async with running(
        "qlive_app",
        ["-f", str(file)],
        core=core,
        log=directory / "log",
        port=http_port,
        ready_path="/healthz",
    ) as child:
        yield Subject(child, http_port, signalling_port)


def _write(directory: Path, configuration: dict[str, object]) -> Path:
    directory.mkdir()
    file = directory / "qlive.conf"
    file.write_text(json.dumps(configuration, indent=1))
    return file
