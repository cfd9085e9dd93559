"""ASGI scopes, as a server makes them."""

from collections.abc import Iterable
from typing import Any


def http_scope(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    headers: Iterable[tuple[bytes, bytes]] = (),
    client: tuple[str, int] | None = ("192.0.2.1", 50000),
    server: tuple[str, int] | None = ("192.0.2.2", 8080),
) -> Any:
    """Return the scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(headers),
        "client": client,
        "server": server,
    }
