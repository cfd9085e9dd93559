"""Who is calling, through proxies or not."""

import ipaddress

import pytest

from qlive_app.http.client_address import client_address, limit_key

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def _forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"x"), *((b"x-forwarded-for", value.encode("latin-1")) for value in values)]


def test_a_stranger_is_not_believed() -> None:
    """Without trusted proxies, or from elsewhere, X-Forwarded-For is what anybody could write."""
    headers = _forwarded("203.0.113.9")
    assert client_address("198.51.100.1", headers, ()) == "198.51.100.1"
    assert client_address("198.51.100.1", headers, PROXIES) == "198.51.100.1"


@pytest.mark.parametrize(
    ("values", "client"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 10.1.1.1"], "203.0.113.9"),
        (["1.1.1.1", "203.0.113.9,10.1.1.1 , 10.2.2.2"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:DB8::1"], "2001:db8::1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["fd00::1"], "fd00::1"),
        (["10.9.9.9, 10.1.1.1"], "10.9.9.9"),
    ],
)
def test_the_rightmost_hop_that_no_proxy_of_ours_is(values: list[str], client: str) -> None:
    """What stands further left was written by the client itself."""
    assert client_address("10.0.0.1", _forwarded(*values), PROXIES) == client


@pytest.mark.parametrize("value", ["", "unknown", "203.0.113.9, ?", "\xff", "[", "999.1.1.1"])
def test_what_a_proxy_did_not_understand_ends_the_search(value: str) -> None:
    """A hop that is no address is not skipped: the proxy that passed it on is the last we know of."""
    assert client_address("10.0.0.1", _forwarded(value), PROXIES) == "10.0.0.1"


def test_one_spelling_for_one_client() -> None:
    """A limit per address must not depend on the family of our socket."""
    assert client_address("::ffff:198.51.100.1", [], ()) == "198.51.100.1"
    assert client_address("::ffff:10.0.0.1", _forwarded("1.2.3.4"), PROXIES) == "1.2.3.4"


def test_a_peer_without_an_address_is_nobody() -> None:
    """A local socket has no address; that is no reason to fail."""
    assert client_address("", _forwarded("1.2.3.4"), PROXIES) == ""


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_limits_go_by_what_one_client_has(address: str, key: str) -> None:
    """One line has a whole /64 of IPv6 addresses to choose from, and one IPv4 address."""
    assert limit_key(address) == key
