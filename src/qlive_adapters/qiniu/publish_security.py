"""Signed publish URLs: what a hub whose publishing is protected asks of them.

Source: the vendor's page on signing publish URLs and its SDKs (``SignPublishURL``). What is signed is the path and
the query in the order of its names; the token comes last and is not percent-encoded. SRT carries the same in its
stream id, with commas and without the mode being signed. Expiry is looked at when a publisher connects.
"""

from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import field, frozen

from qlive_adapters.qiniu.live_urls import SRT_PORT
from qlive_adapters.qiniu.signing import Credentials, signature


class PublishSecurity(Protocol):
    """One of the ways in which a hub can be protected."""

    @property
    def parameter(self) -> tuple[str, str]:
        """Name and value of the parameter that is added before signing."""
        ...

    def token(self, text: bytes) -> str:
        """Return the token over what is signed, empty if this way has none."""
        ...


@frozen
class StaticKey:
    """``static``: the hub's key itself is part of the URL."""

    key: str = field(repr=False)

    @property
    def parameter(self) -> tuple[str, str]:
        """The key."""
        return "key", self.key

    def token(self, _text: bytes) -> str:
        """Return nothing: the key is enough."""
        return ""


@frozen
class Expiry:
    """``expiry``: good until ``expire_at`` (Unix seconds), signed with the hub's key."""

    key: str = field(repr=False)
    expire_at: int

    @property
    def parameter(self) -> tuple[str, str]:
        """The expiry."""
        return "expire", str(self.expire_at)

    def token(self, text: bytes) -> str:
        """Sign with the hub's key."""
        return signature(self.key, text)


@frozen
class ExpirySk:
    """``expiry_sk``: good until ``expire_at`` (Unix seconds), signed with the account's key pair."""

    credentials: Credentials
    expire_at: int

    @property
    def parameter(self) -> tuple[str, str]:
        """The expiry."""
        return "e", str(self.expire_at)

    def token(self, text: bytes) -> str:
        """Sign with the key pair."""
        return self.credentials.sign(text)


@frozen
class Dynamic:
    """``dynamic``: each URL has a greater ``nonce`` than those before it. The vendor advises against it."""

    key: str = field(repr=False)
    nonce: int

    @property
    def parameter(self) -> tuple[str, str]:
        """The nonce."""
        return "nonce", str(self.nonce)

    def token(self, text: bytes) -> str:
        """Sign with the hub's key."""
        return signature(self.key, text)


def signed_publish_url(url: str, security: PublishSecurity) -> str:
    """Return the RTMP or SRT publish ``url``, signed; parameters of an older signature are replaced."""
    if url.startswith("srt://"):
        return _signed_srt(url, security)
    parts = urlsplit(url)
    pairs, token = _sign(parts.path, parse_qsl(parts.query, keep_blank_values=True), security)
    return parts._replace(query="&".join([urlencode(pairs), *token])).geturl()


def _signed_srt(url: str, security: PublishSecurity) -> str:
    host, _, stream_id = url.removeprefix("srt://").partition("?streamid=#!::h=")
    stream, *rest = stream_id.split(",")
    if not stream:
        raise ValueError("not an SRT publish URL")
    given = [pair for part in rest for pair in parse_qsl(part, keep_blank_values=True) if pair[0] != "m"]
    pairs, token = _sign(f"/{stream}", given, security)
    shown = (urlencode([pair]) for pair in sorted([*pairs, ("m", "publish")]))
    port = "" if ":" in host else f":{SRT_PORT}"
    return f"srt://{host}{port}?streamid=#!::{','.join([f'h={stream}', *shown, *token])}"


def _sign(
    path: str, given: list[tuple[str, str]], security: PublishSecurity
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the parameters in order, and the one that holds the token, if there is one."""
    added = security.parameter
    kept = [pair for pair in given if pair[0] not in (added[0], "token")]
    pairs = sorted([*kept, added])
    token = security.token(f"{path}?{urlencode(pairs)}".encode())
    return pairs, [f"token={token}"] if token else []
