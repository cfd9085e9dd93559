"""Worked examples from the vendor's documentation and SDK: what we sign, send and believe is the same."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from qlive_adapters.rongcloud.callbacks import Proof, verify
from qlive_adapters.rongcloud.client import encode_form
from qlive_adapters.rongcloud.signing import Application

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors/rongcloud.json").read_text("utf-8"))
APPLICATION = Application(VECTORS["about"]["keys"]["app_key"], VECTORS["about"]["keys"]["app_secret"])


def named(group: str) -> list[Any]:
    """Return the vectors of a group as parameters."""
    return [pytest.param(vector, id=vector["name"]) for vector in VECTORS[group]]


@pytest.mark.parametrize("vector", named("rongcloud_sign"))
def test_signatures(vector: dict[str, Any]) -> None:
    """Secret, nonce and timestamp give the documented signature."""
    application = Application("any", vector["app_secret"])
    assert application.signature(vector["nonce"], vector["timestamp"]) == vector["signature"]


@pytest.mark.parametrize("vector", named("rongcloud_wire"))
def test_captured_requests(vector: dict[str, Any]) -> None:
    """Every request that the vendor's SDK was seen to send is signed and written by us in the same way."""
    sent = vector["headers"]
    assert APPLICATION.headers(sent["Nonce"], sent["Timestamp"]).items() <= sent.items()
    assert encode_form([(name, value) for name, value in vector["form"]]) == vector["body"].encode()


@pytest.mark.parametrize("vector", named("rongcloud_callback"))
def test_callbacks(vector: dict[str, Any]) -> None:
    """Genuine callbacks are taken and all others are not."""
    query = dict(parse_qsl(urlsplit(vector["url"]).query))
    application = Application(APPLICATION.key, vector["app_secret"])
    proof = verify(application, query, {}, now=vector["now_ms"] / 1000, max_age_s=300)
    assert (proof is Proof.GENUINE) == vector["valid"]
