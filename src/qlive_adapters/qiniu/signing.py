"""Qiniu's signatures: HMAC-SHA1 under the secret key, in base64 with the URL-safe alphabet and its padding.

Source: the vendor's SDKs (``Sign``, ``SignWithData``) and its pages on tokens.
"""

import base64
import hmac
from collections.abc import Mapping

import msgspec
from attrs import field, frozen

_encode_json = msgspec.json.Encoder().encode


def url_safe(data: bytes) -> str:
    """Return base64 with ``-`` and ``_`` and with padding, as the vendor wants it everywhere."""
    return base64.urlsafe_b64encode(data).decode("ascii")


def signature(key: str, data: bytes) -> str:
    """Return the signature of ``data`` under ``key``."""
    return url_safe(hmac.digest(key.encode(), data, "sha1"))


@frozen
class Credentials:
    """An account's key pair."""

    access_key: str
    secret_key: str = field(repr=False)

    def sign(self, data: bytes) -> str:
        """Return ``access key : signature``."""
        return f"{self.access_key}:{signature(self.secret_key, data)}"

    def sign_with_data(self, data: bytes) -> str:
        """Return ``access key : signature : data``; what is signed is the *encoded* data."""
        encoded = url_safe(data)
        return f"{self.sign(encoded.encode('ascii'))}:{encoded}"

    def sign_claims(self, claims: Mapping[str, object]) -> str:
        """Return a token over ``claims`` as compact JSON, keys in the order given."""
        return self.sign_with_data(_encode_json(claims))
