"""A qlive server in a process of its own, started as its users start it: `qlive -f FILE`."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from qlive_app.children import free_ports

Settings = Mapping[str, Any]

SMS_CODE = "123456"
FIRST_PHONE = 13800000000
PHONES = 5000
AVATARS = ("1.jpg", "2.jpg", "3.jpg")
RTC_ACCESS_KEY = "test-ak"
RTC_SECRET_KEY = "test-sk"
RTC_TOKEN_LIFE_S = 60

READY_WITHIN_S = 20.0
STOPPED_WITHIN_S = 15.0


def default_settings(http_port: int, ws_port: int, store: Path) -> dict[str, Any]:
    """The configuration that the recordings were made with, on the embedded store."""
    return {
        "listen_addr": f"127.0.0.1:{http_port}",
        "websocket_conf": {"listen_addr": f"127.0.0.1:{ws_port}", "serve_uri": "/qlive"},
        "store": {"provider": "sqlite", "path": str(store)},
        "sms": {
            "provider": "test",
            "address_wrong_hourly_limit": 1_000_000,  # all tests call from one address
            "fixed_codes": {str(FIRST_PHONE + index): SMS_CODE for index in range(PHONES)},
        },
        "rtc": {
            "provider": "test",
            "app_id": "test-app",
            "key_pair": {"access_key": RTC_ACCESS_KEY, "secret_key": RTC_SECRET_KEY},
            "play_host": "live-play.example.com",
            "publish_host": "live-publish.example.com",
            "publish_hub": "testhub",
            "room_token_expire_s": RTC_TOKEN_LIFE_S,
        },
        "im": {"provider": "test"},
        "prometheus": {"metrics_path": "/metrics"},
        "default_avatars": list(AVATARS),
    }


class RunningServer:
    """One server with its configuration, store and log in `directory`; stays the same across restarts.

    `settings` overrides the default configuration, key by key and section by section.
    """

    def __init__(self, directory: Path, settings: Settings | None = None) -> None:
        self._directory = directory
        self.http_port, self.ws_port = free_ports(2)
        self.base_url = f"http://127.0.0.1:{self.http_port}"
        self.ws_url = f"ws://127.0.0.1:{self.ws_port}/qlive"
        self._process: subprocess.Popen[bytes] | None = None
        defaults = default_settings(self.http_port, self.ws_port, directory / "qlive.db")
        written = json.dumps(overridden(defaults, settings or {}), indent=2)
        self.config.write_text(f"# Written by the wire tests.\n{written}\n")

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self._directory / "qlive.conf"

    @property
    def log(self) -> str:
        """All that the process has written to stderr so far, over all its lives."""
        path = self._directory / "qlive.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._running.pid

    def start(self) -> "RunningServer":
        """Start the process and return when it is ready. Raises AssertionError with the log if it is not."""
        self.spawn()
        self.wait_ready()
        return self

    def spawn(self) -> None:
        """Start the process without waiting for it."""
        command = [sys.executable, "-m", "qlive_app", "-f", str(self.config)]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        with (
            (self._directory / "qlive.log").open("ab") as log,
            (self._directory / "qlive.out").open("ab") as out,
        ):
            self._process = subprocess.Popen(
                command,
                cwd=self._directory,
                env=environment,
                stdout=out,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def wait_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Return as soon as GET /readyz answers 200."""
        give_up_at = time.monotonic() + within_s
        while not self._answers_ready():
            code = self._running.poll()
            assert code is None, f"the server ended with {code}:\n{self.log}"
            assert time.monotonic() < give_up_at, f"not ready within {within_s} s:\n{self.log}"
            time.sleep(0.03)

    def kill(self) -> None:
        """End the process with SIGKILL: nothing gets a chance to be tidied up."""
        self._running.kill()
        self._running.wait(STOPPED_WITHIN_S)

    def terminate(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end with a signal and return its exit code."""
        self._running.send_signal(number)
        return self._running.wait(STOPPED_WITHIN_S)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._running.send_signal(number)

    def ended(self, within_s: float = 3 * READY_WITHIN_S) -> int:
        """Wait until the process has ended by itself and return its exit code."""
        return self._running.wait(within_s)

    def restart(self) -> None:
        """Start again on the same store and ports, killing the process first if it still runs."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Make sure that no process is left."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the server was never started"
        return self._process

    def _answers_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False


def overridden(defaults: Settings, settings: Settings) -> dict[str, Any]:
    """Return the first settings with the others put over them, section by section."""
    merged = dict(defaults)
    for key, value in settings.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = overridden(merged[key], value) if nested else value
    return merged
