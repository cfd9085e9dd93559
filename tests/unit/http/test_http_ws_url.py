"""The signalling address that clients are told."""

import attrs
import pytest
from http_scopes import http_scope

from qlive_app.config.settings import WebSocket
from qlive_app.http.call import Call
from qlive_app.http.ws_url import SignallingUrl


async def _nothing() -> None:
    raise AssertionError("nobody reads a body here")


def _url(conf: WebSocket, *headers: tuple[bytes, bytes], server: tuple[str, int] | None = None) -> str:
    scope = http_scope(headers=headers, server=server)
    return SignallingUrl(conf, lambda: 8082).for_call(Call(scope, _nothing))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (b"127.0.0.1:18080", "ws://127.0.0.1:8082/qlive"),
        (b"example.com", "ws://example.com:8082/qlive"),
        (b"Example.com:1234", "ws://Example.com:8082/qlive"),
        (b"h:0", "ws://h:8082/qlive"),
        (b"[::1]:99", "ws://[::1]:8082/qlive"),
        (b"[::1]", "ws://[::1]:8082/qlive"),
    ],
)
def test_the_host_is_the_one_that_the_client_uses(host: bytes, told: str) -> None:
    """Without a configured address a client is sent to the host that it reached us by."""
    assert _url(WebSocket(), (b"host", host)) == told


@pytest.mark.parametrize(
    "host",
    [b"", b":80", b"a b", b"a/b", b"a@b", b"a\r\nb", b"::1", b"[::1", b'h"', b"h:port", b"\xff", b"x" * 300],
)
def test_an_odd_host_is_replaced_by_our_own_address(host: bytes) -> None:
    """A Host header that names no host never gets into the address."""
    assert _url(WebSocket(), (b"host", host), server=("10.0.0.7", 8080)) == "ws://10.0.0.7:8082/qlive"


def test_without_any_host_there_is_still_an_address() -> None:
    """A missing header is no reason to fail; an IPv6 address gets its brackets."""
    assert _url(WebSocket(), server=("fe80::1", 8080)) == "ws://[fe80::1]:8082/qlive"
    assert _url(WebSocket()) == "ws://localhost:8082/qlive"


def test_an_ipv4_caller_of_a_socket_for_both_families() -> None:
    """He is told the IPv4 address that he has reached, not its spelling in IPv6."""
    assert _url(WebSocket(), server=("::ffff:10.0.0.7", 8080)) == "ws://10.0.0.7:8082/qlive"


def test_settings_have_the_last_word() -> None:
    """Operators set the scheme, the port, the path, or all at once."""
    host = (b"host", b"example.com:80")
    conf = WebSocket(ws_over_tls=True, external_ws_port=443, serve_uri="/signal")
    assert _url(conf, host) == "wss://example.com:443/signal"
    whole = attrs.evolve(conf, external_ws_addr="wss://live.example.com/ws")
    assert _url(whole, host) == "wss://live.example.com/ws"
