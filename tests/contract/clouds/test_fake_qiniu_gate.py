"""The fake of Qiniu lets in exactly what the vendor's own SDKs sign."""

from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import pytest

from qlive_app.fakes import FakeQiniu
from qlive_app.fakes.keys import Keys
from qlive_app.fakes.qiniu.gate import refusal
from qlive_app.fakes.qiniu.signatures import BadToken, authorization, digest, opened
from qlive_app.fakes.serving import Request

from .gate_vectors import group, name, request

V2 = group("qiniu_v2")
RIGHT = [each for each in V2 if each.get("valid", True)]
DATED = next(each for each in RIGHT if "X-Qiniu-Date" in each["headers"])


def keys(vector: dict[str, Any]) -> Keys:
    return Keys(vector["access_key"], vector["secret_key"])


def time_of(vector: dict[str, Any]) -> float:
    """When the request was signed, as far as it says."""
    date = vector["headers"].get("X-Qiniu-Date", "20261124T000000Z")
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def refused_with(received: Request, vector: dict[str, Any], late_s: float = 0) -> int | None:
    answer = refusal(received, keys(vector), time_of(vector) + late_s)
    return None if answer is None else answer.status


def with_header(received: Request, changed: str, value: str) -> Request:
    kept = tuple(each for each in received.headers if each[0] != changed)
    return attrs.evolve(received, headers=(*kept, (changed, value)))


@pytest.mark.parametrize("vector", V2, ids=name)
def test_it_agrees_with_the_vendor(vector: dict[str, Any]) -> None:
    """What an SDK signed is let in, whatever the case of header names; with another secret it is not."""
    wanted = None if vector.get("valid", True) else 401
    received = request(vector)
    assert refused_with(received, vector) == wanted
    lower = tuple((header.lower(), value) for header, value in received.headers)
    assert refused_with(attrs.evolve(received, headers=lower), vector) == wanted


@pytest.mark.parametrize("vector", RIGHT, ids=name)
def test_whatever_is_signed_cannot_be_changed(vector: dict[str, Any]) -> None:
    """Another method, path, host, content type, date, and body are each noticed."""
    received = request(vector)
    changed = [
        attrs.evolve(received, method="PATCH"),
        attrs.evolve(received, target=f"{received.target}x"),
        with_header(received, "Host", "elsewhere.example.com"),
        with_header(received, "Content-Type", "text/plain"),
        with_header(received, "X-Qiniu-More", "1"),
    ]
    if vector["content_type"] not in (None, "application/octet-stream"):
        changed.append(attrs.evolve(received, body=received.body + b" "))
    assert {refused_with(each, vector) for each in changed} == {401}


@pytest.mark.parametrize("late_s", [-901, 901])
def test_a_request_from_another_time_is_refused(late_s: float) -> None:
    """More than 15 minutes either way are too many."""
    assert refused_with(request(DATED), DATED, late_s) == 403
    assert refused_with(request(DATED), DATED, late_s * 0.99) is None


def test_a_date_that_is_none_is_refused() -> None:
    """Even if it is signed."""
    vector = {**DATED, "headers": {"X-Qiniu-Date": "yesterday"}}
    received = request(vector)
    signed = with_header(received, "Authorization", authorization("Qiniu", keys(vector), received))
    assert refused_with(signed, DATED) == 403


@pytest.mark.parametrize("vector", group("qiniu_qbox"), ids=name)
def test_the_older_signature(vector: dict[str, Any]) -> None:
    """It is what uploads are called back with."""
    assert authorization("QBox", keys(vector), request(vector)) == vector["authorization"]


@pytest.mark.parametrize("vector", group("qiniu_kodo_callback"), ids=name)
def test_signatures_of_calls_back(vector: dict[str, Any]) -> None:
    """Both kinds are made as the vendor makes them, and differ if anything was changed."""
    scheme = vector["authorization"].partition(" ")[0]
    made = authorization(scheme, keys(vector), request(vector))
    assert (made == vector["authorization"]) is vector["valid"]


@pytest.mark.parametrize("vector", group("qiniu_upload_token") + group("qiniu_rtc_room_token"), ids=name)
def test_tokens_open_with_their_key_only(vector: dict[str, Any]) -> None:
    """Upload and room tokens give their claims; a flipped character or another secret gives nothing."""
    right, token = keys(vector), vector["token"]
    claims = opened(token, right)
    assert claims.get("deadline", claims.get("expireAt")) in (1700003600, 1700000000)
    key, signature, data = token.split(":")
    flipped = "B" if data[10] != "B" else "C"
    for wrong in (
        f"{key}:{signature}:{data[:10]}{flipped}{data[11:]}",
        f"{key}x:{signature}:{data}",
        f"{key}:{signature}",
        f"{key}:{digest(right.secret, b'[]')}:[]",
    ):
        with pytest.raises(BadToken):
            opened(wrong, right)
    with pytest.raises(BadToken):
        opened(token, Keys(right.key, "another"))


async def test_over_the_wire(qiniu: FakeQiniu, http: httpx.AsyncClient) -> None:
    """A call without a signature, and one with a wrong one, get 401; every answer has a request id."""
    for headers in ({}, {"Authorization": f"Qiniu {qiniu.keys.key}:AAAA"}):
        answer = await http.post(f"{qiniu.url}/v1/message", json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["X-Reqid"]
    assert [call.outcome for call in qiniu.calls.to("/v1/*", "POST")] == ["401", "401"]
