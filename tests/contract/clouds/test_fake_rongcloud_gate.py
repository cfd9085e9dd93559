"""The fake of RongCloud lets in exactly what the vendor's own SDK signs."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from qlive_app.fakes import FakeRongCloud
from qlive_app.fakes.keys import RONGCLOUD
from qlive_app.fakes.rongcloud.answers import Wrong
from qlive_app.fakes.rongcloud.gate import check, signature
from qlive_app.fakes.serving import Request

from .gate_vectors import group, name
from .rongcloud_calls import signed

FORM = "application/x-www-form-urlencoded"
NOT_PART_OF_IT = ("/message/broadcast", "/message/online/broadcast", "/message/recall", "/chatroom/entry/")


@pytest.mark.parametrize("vector", group("rongcloud_sign"), ids=name)
def test_signatures(vector: dict[str, Any]) -> None:
    """The vendor's printed example and others."""
    assert signature(vector["app_secret"], vector["nonce"], vector["timestamp"]) == vector["signature"]


@pytest.mark.parametrize("vector", group("rongcloud_callback"), ids=name)
def test_signatures_of_calls_back(vector: dict[str, Any]) -> None:
    """They are made by the same rule, whatever the time is called."""
    query = {key: values[0] for key, values in parse_qs(urlsplit(vector["url"]).query).items()}
    at = query.get("timestamp") or query["signTimestamp"]
    assert signature(vector["app_secret"], query["nonce"], at) == query["signature"]


@pytest.mark.parametrize("vector", group("rongcloud_wire"), ids=name)
def test_what_the_sdk_sends_is_let_in(vector: dict[str, Any]) -> None:
    """With its nonce, most often longer than documented, but not beyond the limit, nor with another one."""
    request = Request("POST", vector["path"], tuple(vector["headers"].items()), vector["body"].encode())
    check(request, RONGCLOUD, nonce_max=19)
    with pytest.raises(Wrong, match="Nonce of"):
        check(request, RONGCLOUD, nonce_max=len(vector["headers"]["Nonce"]) - 1)
    changed = tuple((key, value if key != "Nonce" else "14314") for key, value in request.headers)
    with pytest.raises(Wrong, match="Signature is not"):
        check(Request("POST", request.target, changed, request.body), RONGCLOUD, nonce_max=18)


async def test_what_the_sdk_sends_is_carried_out(rongcloud: FakeRongCloud, http: httpx.AsyncClient) -> None:
    """Every captured call of the kinds that the fake knows succeeds, in the order of their capture."""
    rongcloud.knobs.nonce_max = 19
    # The SDK destroyed the room of its tests in the middle.
    calls = [each for each in group("rongcloud_wire") if not each["path"].startswith(NOT_PART_OF_IT)]
    for vector in sorted(calls, key=lambda each: "destroy" in str(each["path"])):
        answer = await http.post(
            rongcloud.url + vector["path"], content=vector["body"], headers=vector["headers"]
        )
        assert (answer.status_code, answer.json()["code"]) == (200, 200), (vector["name"], answer.text)


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        (signed(), (200, 200)),
        (signed(prefix="RC-"), (200, 200)),
        (signed(timestamp="1700000000"), (200, 200)),
        (signed(nonce="a1b2c3d4e5f60718"), (200, 200)),
        (signed(nonce="1" * 19), (401, 1004)),
        ({**signed(), "App-Key": "other"}, (401, 1001)),
        ({**signed(), "Signature": "0" * 40}, (401, 1004)),
        ({**signed(), "Signature": signed()["Signature"].upper()}, (401, 1004)),
        ({**signed(), "Timestamp": "1700000000001"}, (401, 1004)),
        ({}, (401, 1001)),
        ({**signed(), "X-Request-ID": "x" * 37}, (400, 1002)),
        ({**signed(), "Content-Type": "application/json"}, (400, 1002)),
    ],
)
async def test_headers(
    rongcloud: FakeRongCloud, http: httpx.AsyncClient, headers: dict[str, str], outcome: tuple[int, int]
) -> None:
    """Both families of names, seconds or milliseconds; what is wrong has its status and code."""
    url = f"{rongcloud.url}/user/getToken.json"
    answer = await http.post(url, content="userId=ada&name=Ada", headers={"Content-Type": FORM, **headers})
    assert (answer.status_code, answer.json()["code"]) == outcome


@pytest.mark.parametrize(("method", "path"), [("GET", "/user/info.json"), ("POST", "/user/info")])
async def test_other_forms_of_a_call(
    rongcloud: FakeRongCloud, http: httpx.AsyncClient, method: str, path: str
) -> None:
    """Calls are POST, and their paths end with ``.json``."""
    answer = await http.request(method, rongcloud.url + path, headers={**signed(), "Content-Type": FORM})
    assert (answer.status_code, answer.json()["code"]) == (404, 404)
