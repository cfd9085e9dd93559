"""Signatures that the vendors' own SDKs made, or their documentation prints; see `vectors/gates.json`."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qlive_app.fakes.serving import Request

_ALL: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors" / "gates.json").read_text()
)


def group(name: str) -> list[dict[str, Any]]:
    """Return the vectors of one kind."""
    assert _ALL[name]
    return _ALL[name]


def name(vector: object) -> str:
    """Return what a test case is called."""
    return str(vector["name"]) if isinstance(vector, dict) else ""


def request(vector: dict[str, Any]) -> Request:
    """Return the request of a vector as a server receives it."""
    parts = urlsplit(vector["url"])
    headers = [("Host", parts.netloc), *vector.get("headers", {}).items()]
    if vector["content_type"] is not None:
        headers.append(("Content-Type", vector["content_type"]))
    headers.append(("Authorization", vector["authorization"]))
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Request(vector.get("method", "POST"), target, tuple(headers), vector["body"].encode())
