"""Where this deployment's streams are published to and played from, signed if it wants that."""

from collections.abc import Callable
from typing import Literal

from attrs import frozen

from qlive_adapters.qiniu.live_urls import flv_url, hls_url, rtmp_url
from qlive_adapters.qiniu.play_security import PlaySecurity
from qlive_adapters.qiniu.publish_security import PublishSecurity, signed_publish_url
from qlive_core.ports.world import Clock

PlayFormat = Literal["rtmp", "hls", "flv"]

_PLAIN: dict[PlayFormat, Callable[[str, str, str], str]] = {"rtmp": rtmp_url, "hls": hls_url, "flv": flv_url}


@frozen(kw_only=True)
class PlayUrls:
    """Play URLs of the streams in ``hub``.

    Signed ones are good for ``ttl_s`` seconds at least and for twice that at most: they change all at once every
    ``ttl_s`` seconds, so that they can be kept in between.
    """

    host: str
    hub: str
    format: PlayFormat = "rtmp"
    security: PlaySecurity | None = None
    ttl_s: float
    clock: Clock

    def url(self, title: str) -> str:
        """Return where the stream can be watched."""
        plain = _PLAIN[self.format](self.host, self.hub, title)
        if self.security is None:
            return plain
        return self.security.sign(plain, int((self.version() + 2) * self.ttl_s))

    def version(self) -> int:
        """Return a number that changes when signed URLs do."""
        return int(self.clock.wall() // self.ttl_s)


@frozen(kw_only=True)
class PublishUrls:
    """RTMP publish URLs of the streams in ``hub``.

    ``security`` makes what they are signed with of the Unix seconds at which they expire, ``ttl_s`` from now.
    """

    host: str
    hub: str
    security: Callable[[int], PublishSecurity] | None = None
    ttl_s: float
    clock: Clock

    def url(self, title: str) -> str:
        """Return where the stream is to be published."""
        plain = rtmp_url(self.host, self.hub, title)
        if self.security is None:
            return plain
        return signed_publish_url(plain, self.security(int(self.clock.wall() + self.ttl_s)))
