"""The address of the signalling endpoint, as a client is told."""

import re
from collections.abc import Callable

from attrs import frozen

from qlive_app.config.settings import WebSocket
from qlive_app.http.call import Call

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._-]{1,253})(?::[0-9]*)?")


@frozen
class SignallingUrl:
    """Makes the address. `port` tells where the endpoint listens, for it may have been given any free port."""

    conf: WebSocket
    port: Callable[[], int]

    def for_call(self, call: Call) -> str:
        """Return the address under the host name by which this caller reached us."""
        if self.conf.external_ws_addr:
            return self.conf.external_ws_addr
        scheme = "wss" if self.conf.ws_over_tls else "ws"
        host = _named_host(call.header(b"host")) or _own_host(call.scope.get("server"))
        port = self.conf.external_ws_port or self.port()
        return f"{scheme}://{host}:{port}{self.conf.serve_uri}"


def _named_host(header: bytes | None) -> str:
    """Return the host name without its port, "" if the header is missing or not a host name."""
    match = _HOST.fullmatch(header or b"")
    return match[1].decode("ascii") if match else ""


def _own_host(server: tuple[str, int | None] | None) -> str:
    host = server[0] if server else "localhost"
    host = host.removeprefix("::ffff:")  # an IPv4 caller of a socket that serves both families
    return f"[{host}]" if ":" in host else host
