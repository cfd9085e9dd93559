"""`qlive demo`, run as its users run it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from qlive_app.children import free_ports
from qlive_app.demo.client import Api, Refused
from qlive_app.demo.own_server import OwnServer, made_up_phones, own_server

CODE = "123456"
PHONES = made_up_phones(3)
WITHIN_S = 60

THE_MAIN_JOB = [
    "Ada logs in with it",
    "Bo logs in with it",
    "Cy logs in with it",
    'Ada opens the room "Ada sings"',
    "Ada authenticates",
    'Bo opens the room "Bo plays the guitar"',
    "Bo authenticates",
    "Cy enters Ada's room",
    "Dee enters Bo's room",
    "Eli enters Ada's room",
    "Ada offers Bo a PK",
    "Bo hears the offer",
    "Bo accepts",
    "Ada hears yes",
    "Cy sees Ada in a PK against Bo",
    "Dee sees Bo in a PK against Ada",
    "Ada ends the PK",
    "Bo hears that it is over",
    "Cy sees both rooms single again",
    "Cy leaves Ada's room",
    "Ada disconnects",
    "Bo disconnects",
    "Cy looks again: both rooms are gone",
    "Server is stopped with SIGTERM",
]


async def play(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the demo without pauses."""
    command = [sys.executable, "-m", "qlive_app", "demo", "--fast", *options]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )


async def play_against(server: OwnServer, code: str) -> "subprocess.CompletedProcess[str]":
    return await play("--url", server.url, "--phones", ",".join(PHONES), "--code", code)


def told(output: str) -> list[str]:
    """The steps that went well, as sentences."""
    return [re.sub(r"\s+", " ", step) for step in re.findall(r"^✓ (.*?)\s+[\d.]+ ms$", output, re.MULTILINE)]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[OwnServer]:
    """A running server that the demo is pointed at."""
    async with own_server(PHONES, CODE) as running:
        yield running


async def test_it_plays_the_main_job_on_a_server_of_its_own() -> None:
    """Without options everything from login to the end of the rooms is told, in its order, and goes well."""
    done = await play()
    assert done.returncode == 0, done.stderr
    remaining = iter(told(done.stdout))
    for step in THE_MAIN_JOB:
        assert any(each.startswith(step) for each in remaining), f"not told, or not in order: {step}"


async def test_it_shows_what_went_over_the_wire_without_secrets() -> None:
    """Requests and frames are shown as they are, but tokens are cut and codes are covered."""
    shown = re.sub(r"\n +", "", (await play()).stdout)
    assert '→ start-pk={"rpcID":' in shown
    assert '← 200 {"rooms":null}' in shown
    tokens = re.findall(r'[tT]oken":"([^"]*)"', shown)
    assert len(tokens) >= 10
    assert [token for token in tokens if len(token) > 7 or not token.endswith("…")] == []
    assert CODE not in shown


async def test_it_plays_against_a_running_server_whatever_an_earlier_run_left(server: OwnServer) -> None:
    """A room that is left of one of the phones is closed first, and the server goes on running."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        earlier = Api(http, trace=lambda _line: None)
        await earlier.login(PHONES[0], CODE)
        left = (await earlier.create_room("left"))["roomID"]
        done = await play_against(server, CODE)
        assert done.returncode == 0, done.stderr
        assert "Ada is still singleLive from an earlier run, and stops" in told(done.stdout)
        await earlier.login(PHONES[0], CODE)
        with pytest.raises(Refused, match="404002"):
            await earlier.room(left)


async def test_an_unexpected_answer_ends_it(server: OwnServer) -> None:
    """It says at which step what was expected and what came, and exits with 1."""
    done = await play_against(server, "000000")
    assert done.returncode == 1
    assert done.stderr.startswith('Error: Ada logs in with it: expected 200, got 401 {"code":401002')
    assert "✗ Ada" in done.stdout


async def test_a_server_that_is_not_there_is_one_clear_line() -> None:
    """Pointed at a closed port it names the address, in one line, and exits with 1."""
    (port,) = free_ports(1)
    done = await play("--url", f"http://127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"Error: no server at http://127.0.0.1:{port}: ")
