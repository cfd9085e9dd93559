"""Which mail server is spoken to, how, and in whose name."""

import ssl
from typing import Literal

from attrs import field, frozen

Tls = Literal["auto", "tls", "starttls", "none"]

_SUBMISSIONS = 465
"""The port on which TLS comes first (RFC 8314)."""


@frozen(kw_only=True)
class SmtpAccount:
    """A mail server and what it takes to be let in.

    ``tls`` is "tls" to encrypt from the first byte, "starttls" to insist on encrypting before anything is said,
    "none" for clear text. "auto" is the first on port 465, and elsewhere STARTTLS if the server offers it.
    ``username`` is empty if there is no login. ``ca_file`` names the certificates to trust, empty for those
    that the system trusts. Connecting and sending may take ``timeout_s`` each.
    """

    host: str
    port: int
    tls: Tls = "auto"
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = 20

    @property
    def encrypted_at_once(self) -> bool:
        """Whether TLS comes before the first word."""
        return self.tls == "tls" or (self.tls == "auto" and self.port == _SUBMISSIONS)

    @property
    def starttls(self) -> bool | None:
        """Whether STARTTLS is a must (True), forbidden (False) or welcome (None)."""
        if self.encrypted_at_once or self.tls == "none":
            return False
        return True if self.tls == "starttls" else None


def trusting(ca_file: str) -> ssl.SSLContext:
    """Return what verifies a server's certificate and its name. Raises OSError if ``ca_file`` cannot serve."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
