"""Who is calling, as far as the network tells."""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from qlive_app.config.kinds import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")


def client_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], trusted_proxies: Sequence[Network]
) -> str:
    """Return the address of the client behind the connection from `peer`.

    X-Forwarded-For is believed only as far as trusted proxies have written it: from the right, up to the first
    hop that is none of them. What such a proxy passed on without understanding it ends the search.
    """
    address = _parsed(peer)
    if address is None:
        return peer
    if not trusted_proxies:
        return str(address)
    hops = _hops(headers)
    while hops and _within(address, trusted_proxies):
        hop = _parsed(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)


def limit_key(address: str) -> str:
    """Return what limits go by: an IPv4 address as it is, of an IPv6 address its /64, all of which is one client's."""
    parsed = _parsed(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _hops(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = (value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for")
    return [hop.strip() for value in values for hop in value.split(",")]


def _parsed(text: str) -> Address | None:
    match = _WITH_PORT.fullmatch(text)
    if match:
        text = match["v6"] or match["v4"] or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A socket that serves both families shows IPv4 callers in IPv6 spelling.
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
