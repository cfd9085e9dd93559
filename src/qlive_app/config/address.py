"""Where a server listens."""

import ipaddress
import re
from typing import Self

import attrs

_ADDRESS = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<host>[A-Za-z0-9_.-]*)):(?P<port>[0-9]{1,5})")


@attrs.frozen
class Address:
    """A host name or IP address and a TCP port; an empty host is every interface, port 0 any free port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `:8080`, `host:8080` or `[::1]:8080`; anything else raises `ValueError`."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError("not an address with a port")
        if match["ipv6"] is not None:
            return cls(str(ipaddress.IPv6Address(match["ipv6"])), _port(match["port"]))
        return cls(match["host"] or "", _port(match["port"]))

    @property
    def visitable_host(self) -> str:
        """The host as it stands in a URL that works on this machine."""
        if self.host in {"", "::", "0.0.0.0"}:  # noqa: S104 - nothing is bound here
            return "localhost"
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _port(digits: str) -> int:
    port = int(digits)
    if port > 65535:
        raise ValueError("the port is above 65535")
    return port
