"""Inputs with what the vendor's SDKs make of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from qlive_adapters.qiniu import Credentials

_VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))

Vector = dict[str, Any]


def group(name: str) -> Any:
    """Return a group of vectors as it is."""
    return _VECTORS[name]


def each(name: str) -> pytest.MarkDecorator:
    """Run a test once for each vector of a group."""
    vectors = _VECTORS[name]
    return pytest.mark.parametrize("vector", vectors, ids=[v.get("name", v.get("stream")) for v in vectors])


def credentials_of(vector: Vector) -> Credentials:
    """Return the key pair that a vector was made with."""
    return Credentials(vector["access_key"], vector["secret_key"])
