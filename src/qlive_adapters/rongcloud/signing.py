"""RongCloud's signatures, the same in both directions: on our calls and on its callbacks.

Source: the vendor's documentation and SDKs. It is a plain SHA-1 over the concatenation and covers no body, so
that calls must go over TLS.
"""

import hashlib

from attrs import field, frozen


@frozen
class Application:
    """A RongCloud application: its key and its secret."""

    key: str
    secret: str = field(repr=False)

    def signature(self, nonce: str, timestamp: str) -> str:
        """Return the signature in lower-case hexadecimal; ``timestamp`` is signed as the text that is sent."""
        signed = f"{self.secret}{nonce}{timestamp}".encode("utf-8", "replace")
        return hashlib.sha1(signed).hexdigest()  # noqa: S324 - the vendor's choice

    def headers(self, nonce: str, timestamp: str) -> dict[str, str]:
        """Return what shows a call to be ours."""
        return {
            "App-Key": self.key,
            "Nonce": nonce,
            "Timestamp": timestamp,
            "Signature": self.signature(nonce, timestamp),
        }
