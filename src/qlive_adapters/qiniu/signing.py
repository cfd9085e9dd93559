"""Qiniu's signed tokens: ``access key : signature : data``.

Source: the vendor's SDKs (``SignWithData``): data is base64 with the URL-safe alphabet and its padding, and the
signature is the HMAC-SHA1 of the *encoded* data under the secret key, encoded likewise.
"""

import base64
import hmac
from collections.abc import Mapping

import msgspec
from attrs import field, frozen

_encode_json = msgspec.json.Encoder().encode


@frozen
class Credentials:
    """An account's key pair."""

    access_key: str
    secret_key: str = field(repr=False)

    def sign_with_data(self, claims: Mapping[str, object]) -> str:
        """Return a token over ``claims`` as compact JSON, keys in the order given."""
        data = base64.urlsafe_b64encode(_encode_json(claims)).decode("ascii")
        digest = hmac.digest(self.secret_key.encode(), data.encode("ascii"), "sha1")
        return f"{self.access_key}:{base64.urlsafe_b64encode(digest).decode('ascii')}:{data}"
