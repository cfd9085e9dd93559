"""Tokens and URLs of files, against what the vendor's SDKs make."""

import json
from unittest.mock import patch

import qiniu
from hypothesis import given, settings
from hypothesis import strategies as st
from qiniu_vectors import Vector, credentials_of, each

from qlive_adapters.qiniu import Credentials, QiniuUploadTokens
from qlive_adapters.qiniu.storage import private_download_url

CREDENTIALS = Credentials("qlive-test-ak", "qlive-test-sk")
VENDOR = qiniu.Auth(CREDENTIALS.access_key, CREDENTIALS.secret_key)
NOW = 1_700_000_000
TEXT = st.text(min_size=1, max_size=12)


@each("qiniu_sign")
def test_the_two_forms_of_a_signature(vector: Vector) -> None:
    """With the data in it and without."""
    data, credentials = vector["data"].encode(), credentials_of(vector)
    assert credentials.sign(data) == vector["sign"]
    assert credentials.sign_with_data(data) == vector["sign_with_data"]


@settings(max_examples=50)
@given(data=st.binary(max_size=40))
def test_anything_is_signed_as_by_the_vendors_library(data: bytes) -> None:
    """Padding and alphabet included."""
    assert CREDENTIALS.sign(data) == VENDOR.token(data)
    assert CREDENTIALS.sign_with_data(data) == VENDOR.token_with_data(data)


@each("qiniu_rtc_room_token")
def test_claims_of_a_room(vector: Vector) -> None:
    """The text is what is signed; ours is compact, in the order of the claims."""
    credentials = credentials_of(vector)
    assert credentials.sign_with_data(vector["json"].encode()) == vector["token"]
    compact = " " not in vector["json"]
    assert (credentials.sign_claims(vector["room_access"]) == vector["token"]) is compact


@each("qiniu_upload_token")
def test_put_policies(vector: Vector) -> None:
    """Whatever stands in them."""
    policy = json.loads(vector["policy_json"])
    assert credentials_of(vector).sign_claims(policy) == vector["token"]


@settings(max_examples=50)
@given(bucket=TEXT, filename=TEXT, user=TEXT, lifetime=st.integers(1, 86400))
def test_upload_tokens_without_limits(bucket: str, filename: str, user: str, lifetime: int) -> None:
    """As from the vendor's library, which writes other letters than ours in another way."""
    ours = QiniuUploadTokens(credentials=CREDENTIALS, bucket=bucket).upload_token(
        filename=filename, user_id=user, deadline=NOW + lifetime
    )
    with patch("time.time", return_value=NOW):
        theirs = VENDOR.upload_token(bucket, filename, lifetime, {"insertOnly": 1, "endUser": user})
    assert qiniu.Auth.up_token_decode(ours)[2] == qiniu.Auth.up_token_decode(theirs)[2]
    assert ours == theirs or not (bucket + filename + user).isascii() or "\x7f" in bucket + filename + user


def test_the_policy_of_the_original() -> None:
    """Byte for byte, as long as nothing is limited."""
    token = QiniuUploadTokens(credentials=CREDENTIALS, bucket="qlive-bucket").upload_token(
        filename="avatar/user0001.png", user_id="user0001", deadline=1700003600
    )
    (vector,) = (
        v for v in each("qiniu_upload_token").args[1] if v["name"] == "upload_token/python_key_insert_only"
    )
    assert token == vector["token"]


def test_limits_of_an_upload() -> None:
    """The cloud looks into the file, for what the uploader says of it cannot be believed."""
    tokens = QiniuUploadTokens(
        credentials=CREDENTIALS, bucket="b", max_bytes=5242880, mime_types=("image/jpeg", "image/png")
    )
    policy = qiniu.Auth.up_token_decode(tokens.upload_token(filename="f", user_id="u", deadline=NOW))[2]
    assert policy == {
        "scope": "b:f",
        "deadline": NOW,
        "insertOnly": 1,
        "endUser": "u",
        "fsizeLimit": 5242880,
        "mimeLimit": "image/jpeg;image/png",
        "detectMime": 1,
    }


@each("qiniu_private_download")
def test_files_of_a_private_bucket(vector: Vector) -> None:
    """The whole URL is signed."""
    url = private_download_url(credentials_of(vector), vector["url"], deadline=vector["deadline"])
    assert url == vector["signed_url"]


@settings(max_examples=50)
@given(url=st.from_regex(r"https://[a-z]{1,5}/[a-z0-9./]{0,8}(\?[a-z=&]{1,8})?", fullmatch=True))
def test_private_files_as_by_the_vendors_library(url: str) -> None:
    """Also if the URL has parameters already."""
    with patch("time.time", return_value=NOW):
        assert private_download_url(CREDENTIALS, url, deadline=NOW + 60) == VENDOR.private_download_url(
            url, 60
        )
