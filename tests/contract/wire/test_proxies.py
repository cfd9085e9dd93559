"""Whose word counts on who is calling: X-Forwarded-For, by the hourly limit of codes for one address."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from .answers import refusal
from .conftest import Launch
from .server import RunningServer, Settings
from .stage import fresh_phone

HOURLY = 2
LIMITED: Settings = {"sms": {"address_hourly_limit": HOURLY}}

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


class Neighbourhood:
    """Clients who ask for SMS codes; all of them reach the server from this machine."""

    def __init__(self, server: RunningServer) -> None:
        self._port = server.http_port

    async def asks(self, *forwarded_for: str, host: str = "127.0.0.1") -> int:
        """Ask for a code for a new phone, with these X-Forwarded-For headers; return the status."""
        headers = [("X-Forwarded-For", value) for value in forwarded_for]
        url = f"http://{host}:{self._port}/v1/send_sms_code"
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, params={"phone_number": fresh_phone()}, headers=headers)
        if answer.status_code != 200:
            refusal(answer, 429, 429001)
        return answer.status_code

    async def has_used_up(self, *forwarded_for: str, host: str = "127.0.0.1") -> None:
        """Ask as often as one address may, and once more in vain."""
        answers = [await self.asks(*forwarded_for, host=host) for _ in range(HOURLY + 1)]
        assert answers == [200, 200, 429]


@asynccontextmanager
async def _on_all_interfaces(directory: Path, settings: Settings) -> AsyncIterator[Neighbourhood]:
    """A server that listens on IPv4 and IPv6 by one socket."""
    server = RunningServer(directory, settings)
    written = server.config.read_text()
    server.config.write_text(written.replace(f"127.0.0.1:{server.http_port}", f":{server.http_port}"))
    try:
        yield Neighbourhood(server.start())
    finally:
        server.stop()


async def test_nobody_is_believed_by_default(launch: Launch) -> None:
    """Whatever a client claims to be, the address that he calls from is the one that is limited."""
    street = Neighbourhood(launch(LIMITED).server)
    answers = [await street.asks(f"198.51.100.{number}") for number in range(HOURLY + 1)]
    assert answers == [200, 200, 429]
    assert await street.asks() == 429


async def test_a_trusted_proxy_tells_clients_apart(launch: Launch) -> None:
    """Each client that the proxy names is limited for himself, by the address that the proxy itself wrote."""
    street = Neighbourhood(launch({**LIMITED, "trusted_proxies": ["127.0.0.1"]}).server)
    await street.has_used_up("198.51.100.1")
    await street.has_used_up("198.51.100.2:4711")
    assert await street.asks("203.0.113.9, 198.51.100.1") == 429  # what the client wrote himself
    assert await street.asks("203.0.113.9", "198.51.100.2") == 429  # the same in a header of its own
    assert await street.asks("198.51.100.1, 203.0.113.9") == 200
    await street.has_used_up("no address")  # which leaves the proxy's own
    assert await street.asks() == 429


@needs_ipv6
async def test_one_client_in_two_spellings(tmp_path: Path) -> None:
    """On all interfaces an IPv4 caller is known by his IPv4 address: as a trusted proxy and as a client."""
    settings = {**LIMITED, "trusted_proxies": ["127.0.0.1"]}
    async with _on_all_interfaces(tmp_path, settings) as street:
        await street.has_used_up("198.51.100.1")
        assert await street.asks("::ffff:198.51.100.1") == 429
        assert await street.asks("198.51.100.2") == 200


@needs_ipv6
async def test_an_untrusted_ipv4_caller_on_all_interfaces(tmp_path: Path) -> None:
    """What a caller used up under his own IPv4 address counts when a proxy names that address, and he cannot lie."""
    settings = {**LIMITED, "trusted_proxies": ["::1"]}
    async with _on_all_interfaces(tmp_path, settings) as street:
        await street.has_used_up("198.51.100.1")
        assert await street.asks("127.0.0.1", host="[::1]") == 429
        assert await street.asks("198.51.100.1", host="[::1]") == 200
