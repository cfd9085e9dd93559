"""Starting qlive, well and badly: what an operator is told, and what probes and clients then find."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .answers import done
from .command import Ended, qlive
from .conftest import Launch
from .server import RTC_ACCESS_KEY, RTC_SECRET_KEY
from .stage import Stage

NOT_STARTED = 3
MISCONFIGURED = 2
ANY_PORT = "127.0.0.1:0"


@pytest.fixture
def taken() -> Iterator[str]:
    """An address on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


def _configured(directory: Path, api: str = ANY_PORT, signalling: str = ANY_PORT, **more: Any) -> Path:
    """Write a configuration; the ports are any free ones and the store is the directory's own."""
    path = directory / "qlive.conf"
    given = {
        "listen_addr": api,
        "websocket_conf": {"listen_addr": signalling},
        "store": {"path": str(directory / "own.db")},
    }
    path.write_text(json.dumps(given | more))
    return path


def _gave_up(ended: Ended, line: str) -> None:
    """Check that the run ended before it began, with this line and no other."""
    assert (ended.code, ended.out, ended.err) == (NOT_STARTED, [], [line])


def test_a_taken_api_port(tmp_path: Path, taken: str) -> None:
    """One line names the address and the key to change, and nothing is left running."""
    ended = qlive("-f", _configured(tmp_path, api=taken))
    _gave_up(ended, f"qlive: cannot listen on {taken} (listen_addr): address already in use")


def test_a_taken_signalling_port(tmp_path: Path, taken: str) -> None:
    """The same for the other port; the API port is not kept."""
    ended = qlive("-f", _configured(tmp_path, signalling=taken))
    _gave_up(ended, f"qlive: cannot listen on {taken} (websocket_conf.listen_addr): address already in use")


async def test_a_store_in_use(launch: Launch, tmp_path: Path) -> None:
    """A second server waits a moment, saying so, and gives up in one line; the first goes on undisturbed."""
    stage = launch({})
    host = await stage.host()
    store = stage.server.config.with_name("qlive.db")
    config = _configured(tmp_path, store={"path": str(store)})
    ended = await asyncio.to_thread(qlive, "-f", config)
    assert ended.code == NOT_STARTED
    assert any("waiting for it to end" in line for line in ended.err)
    [line] = [line for line in ended.err if line.startswith("qlive: ")]
    assert line.startswith(f"qlive: {config}: store.path: {store} is in use by another qlive process; stop ")
    await host.signal.confirm()
    done(await host.api.close_room(host.room))


def test_a_store_that_is_something_else(tmp_path: Path) -> None:
    """A file that is no store is left as it is, and named."""
    store = tmp_path / "own.db"
    store.write_text("Dear diary, today I was given a strange name. " * 100)
    ended = qlive("-f", _configured(tmp_path))
    assert (ended.code, len(ended.err)) == (NOT_STARTED, 1)
    assert ended.err[0].startswith(f"qlive: cannot open {store}: ")
    assert store.read_text().startswith("Dear diary")


MISTAKES = """{
    # all of these at once
    "listen_adr": ":8000",
    "max_rooms": -1,
    "debug_level": "loud",
    "rtc": {"key_pair": {"access_key": "ak", "secert_key": 5}, "play_hots": "x"},
    "prometheus": {"enable_push": true, "push_url": "gopher://x"},
    "mongo": {"uri": "mongodb://user:hush@db/"}
}"""


@pytest.mark.parametrize("arguments", [("-f",), ("check", "-f")])
def test_all_mistakes_are_told_at_once(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """One line for each, with file, key and remedy, the misspelt keys with what was meant; never a secret."""
    path = tmp_path / "bad.conf"
    path.write_text(MISTAKES)
    ended = qlive(*arguments, path)
    assert (ended.code, ended.out) == (MISCONFIGURED, [])
    remedies = {
        "warning: listen_adr": 'did you mean "listen_addr"?',
        "warning: rtc.play_hots": 'did you mean "rtc.play_host"?',
        "debug_level": "correct it or leave it out for the default, 0",
        "max_rooms": "correct it or leave it out for the default, 0",
        "rtc.key_pair.secert_key": "correct it or",
        "prometheus.push_url": "correct it or",
    }
    for line in ended.err:
        key = next((key for key in remedies if line.startswith(f"{path}: {key}: ")), "an unexpected line")
        assert f"; {remedies.pop(key, 'no remedy')}" in line, line
    assert not remedies
    assert "hush" not in "".join(ended.err)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a slip of the pen are one line each, the latter with line and column."""
    missing, slip = tmp_path / "missing.conf", tmp_path / "slip.conf"
    slip.write_text('{\n  "max_rooms": 3,,\n}')
    for path, told in ((missing, "cannot be read: No such file"), (slip, "line 2, column 18: ")):
        ended = qlive("-f", path)
        assert (ended.code, len(ended.err)) == (MISCONFIGURED, 1)
        assert ended.err[0].startswith(f"{path}: {told}")


def test_a_good_file_is_good(tmp_path: Path) -> None:
    """The check says so and ends with 0; a key without effect is a warning."""
    good = _configured(tmp_path)
    notes = qlive("check", "-f", good)
    assert (notes.code, notes.out) == (0, [f"{good}: good"])
    assert [line.removeprefix(f"{good}: note: ").split(": ")[0] for line in notes.err] == ["sms.provider"]
    assert qlive("-f", good, "check") == notes, "the file may be named before the command"
    odd = _configured(tmp_path, maximum=3)
    ended = qlive("check", "-f", odd)
    assert (ended.code, ended.out) == (0, [f"{odd}: good, with 1 warnings"])
    assert ended.err[0] == f"{odd}: warning: maximum: is not a known key and has no effect; remove it"


async def test_the_banner_tells_where_everything_is(stage: Stage) -> None:
    """Once the server is ready, stdout names both addresses, the store and the providers."""
    server = stage.server
    banner = server.config.with_name("qlive.out").read_text()
    for told in (server.base_url, server.ws_url, "qlive.db", "sms test", "rtc test", "im test"):
        assert told in banner


async def test_health_and_readiness(stage: Stage) -> None:
    """Probes are answered without a login, and as JSON."""
    health, ready = await stage.api().get("/healthz"), await stage.api().get("/readyz")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")


async def test_keys_as_operators_have_them(launch: Launch) -> None:
    """`secert_key` signs room and upload tokens, and `external_ws_url` is what clients are told."""
    pair = {"access_key": "old-ak", "secert_key": "old-sk", "secret_key": ""}
    told = "wss://live.example.com/signals"
    stage = launch(
        {
            "rtc": {"key_pair": pair},
            "storage": {"key_pair": pair, "bucket": "pictures"},
            "websocket_conf": {"external_ws_url": told},
        }
    )
    person = await stage.person()
    created = await person.go_live()
    assert created["wsURL"] == told
    upload = (await person.api.post("/v1/upload/token", {"filename": "a.jpg"})).json()
    for token in (created["rtcRoomToken"], upload["token"]):
        _signed(token, "old-ak", "old-sk")


async def test_a_room_token_is_signed_with_the_configured_keys(stage: Stage) -> None:
    """The right spelling works as well."""
    person = await stage.person()
    _signed((await person.go_live())["rtcRoomToken"], RTC_ACCESS_KEY, RTC_SECRET_KEY)


def _signed(token: str, access_key: str, secret_key: str) -> None:
    """Check that a cloud with these keys would accept the token."""
    key, signature, policy = token.split(":")
    assert key == access_key
    expected = hmac.new(secret_key.encode(), policy.encode(), hashlib.sha1).digest()
    assert base64.urlsafe_b64decode(signature) == expected
