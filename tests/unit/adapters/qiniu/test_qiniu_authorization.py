"""Signed requests, against what the vendor's SDKs sign."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import pytest
import qiniu
from attrs import frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st
from qiniu_vectors import Vector, credentials_of, each

from qlive_adapters.qiniu import Credentials
from qlive_adapters.qiniu.authorization import (
    QiniuAuth,
    Signable,
    qbox_authorization,
    qbox_text,
    qiniu_authorization,
    qiniu_text,
)
from qlive_adapters.qiniu.callbacks import UploadCallbacks

CREDENTIALS = Credentials("qlive-test-ak", "qlive-test-sk")
FORM = "application/x-www-form-urlencoded"
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
NAMES = st.from_regex(r"[A-Za-z0-9]{1,6}(-[A-Za-z0-9]{1,6})?", fullmatch=True)
URLS = st.from_regex(
    r"https?://[a-z]{1,8}(\.com)?(:[1-9][0-9]{1,3})?/[A-Za-z0-9_=.~/-]{0,12}(\?[a-z0-9=&]{1,12})?",
    fullmatch=True,
)


@frozen
class _Clock:
    at: float

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.now()


def _signable(
    method: str, url: str, content_type: str | None, headers: Mapping[str, str], body: bytes
) -> Signable:
    parts = urlsplit(url)
    return Signable(
        method=method,
        target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
        host=parts.netloc,
        headers={**headers, "Content-Type": content_type} if content_type else headers,
        body=body,
    )


def _request_of(vector: Vector) -> Signable:
    return _signable(
        vector.get("method", "POST"),
        vector["url"],
        vector["content_type"],
        vector.get("headers", {}),
        vector["body"].encode(),
    )


@each("qiniu_v2")
def test_requests_are_signed_as_by_the_vendor(vector: Vector) -> None:
    """What is signed and the signature, byte for byte; a wrong secret gives another one."""
    request, credentials = _request_of(vector), credentials_of(vector)
    valid = vector.get("valid", True)
    assert (qiniu_authorization(credentials, request) == vector["authorization"]) is valid
    if valid:
        assert qiniu_text(request).decode() == vector["string_to_sign"]


@each("qiniu_v2")
def test_requests_on_the_wire_carry_that_signature(vector: Vector) -> None:
    """Signing is part of sending: only the date is ours."""
    content_type = vector["content_type"]
    request = httpx.Request(
        vector["method"],
        vector["url"],
        content=vector["body"].encode() or None,
        headers={**vector["headers"], **({"Content-Type": content_type} if content_type else {})},
    )
    signed = next(QiniuAuth(credentials_of(vector), _Clock(1_700_000_000.9)).auth_flow(request))
    assert signed.headers["X-Qiniu-Date"] == "20231114T221320Z"
    dated = {**vector["headers"], "X-Qiniu-Date": "20231114T221320Z"}
    # An address without a path is sent with one.
    url = vector["url"] if urlsplit(vector["url"]).path else vector["url"] + "/"
    expected = _signable(vector["method"], url, content_type, dated, vector["body"].encode())
    assert signed.headers["Authorization"] == qiniu_authorization(credentials_of(vector), expected)


@each("qiniu_qbox")
def test_the_older_scheme(vector: Vector) -> None:
    """It covers forms, and no other bodies."""
    request = _request_of(vector)
    assert qbox_text(request).decode() == vector["string_to_sign"]
    assert qbox_authorization(credentials_of(vector), request) == vector["authorization"]


@settings(max_examples=50)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    url=URLS,
    content_type=st.sampled_from([None, "application/json", FORM, "application/octet-stream"]),
    headers=st.dictionaries(NAMES, TEXT, max_size=3),
    body=st.text(max_size=20),
)
# Headers are sorted by their names, not by their lines.
@example(method="GET", url="http://a/", content_type=None, headers={"A": "", "A-B": ""}, body="")
def test_any_request_is_signed_as_by_the_vendors_library(
    method: str, url: str, content_type: str | None, headers: dict[str, str], body: str
) -> None:
    """Also if names of headers come in lower case, in which the vendor's library would not see them."""
    mac = qiniu.QiniuMacAuth(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    titled = {f"X-Qiniu-{name.title()}": value for name, value in headers.items()}
    canonical = {qiniu.utils.canonical_mime_header_key(name): value for name, value in titled.items()}
    token = mac.token_of_request(
        method, None, url, mac.qiniu_headers(canonical), content_type, body.encode() or None
    )
    lower = {name.lower(): value for name, value in canonical.items()}
    request = _signable(method, url, content_type, lower, body.encode())
    assert qiniu_authorization(CREDENTIALS, request) == f"Qiniu {token}"
    older = qiniu.Auth(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    assert qbox_authorization(CREDENTIALS, request) == (
        f"QBox {older.token_of_request(url, body, content_type)}"
    )


@each("qiniu_kodo_callback")
def test_callbacks_are_told_from_forgeries(vector: Vector) -> None:
    """Whichever of the two schemes the cloud was told to use."""
    callbacks = UploadCallbacks(credentials_of(vector))
    assert callbacks.is_genuine(_request_of(vector), vector["authorization"]) is vector["valid"]


@settings(max_examples=50)
@given(scheme=st.sampled_from(["QBox", "Qiniu"]), body=st.text(max_size=20), other=st.text(max_size=20))
def test_a_callback_is_genuine_as_a_whole(scheme: str, body: str, other: str) -> None:
    """With another body, another key or no signature it is not."""
    callbacks = UploadCallbacks(CREDENTIALS)
    url = "https://qlive.example.com/callbacks/qiniu/upload"
    sign = qbox_authorization if scheme == "QBox" else qiniu_authorization
    request = _signable("POST", url, FORM, {}, body.encode())
    authorization = sign(CREDENTIALS, request)
    vendor = qiniu.Auth(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    assert vendor.verify_callback(authorization, url, body, FORM, "POST")
    assert callbacks.is_genuine(request, authorization)
    changed = _signable("POST", url, FORM, {}, other.encode())
    assert callbacks.is_genuine(changed, authorization) is (other == body)
    stranger = Credentials(CREDENTIALS.access_key, "another")
    assert not callbacks.is_genuine(request, sign(stranger, request))


@pytest.mark.parametrize("header", ["", "QBox", "Qiniu ", "QBox qlive-test-ak:é", "Bearer x"])
def test_a_callback_without_a_signature_is_not_genuine(header: str) -> None:
    """Whatever stands in its place."""
    request = _signable("POST", "https://qlive.example.com/callback", FORM, {}, b"key=a")
    assert not UploadCallbacks(CREDENTIALS).is_genuine(request, header)


def test_a_body_that_is_not_covered_is_not_genuine() -> None:
    """The older scheme does not sign JSON, so that it could be changed on the way."""
    request = _signable("POST", "https://qlive.example.com/callback", "application/json", {}, b"{}")
    callbacks = UploadCallbacks(CREDENTIALS)
    assert not callbacks.is_genuine(request, qbox_authorization(CREDENTIALS, request))
    assert callbacks.is_genuine(request, qiniu_authorization(CREDENTIALS, request))
