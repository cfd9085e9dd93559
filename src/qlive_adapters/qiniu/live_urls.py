"""Where live streams are published to and played from, not signed.

Source: the vendor's SDKs. A stream is named by its hub and its title.
"""

from qlive_adapters.qiniu.signing import url_safe

SRT_PORT = 1935


def rtmp_url(domain: str, hub: str, title: str) -> str:
    """Return the RTMP URL; publishing and playing differ in the domain only."""
    return f"rtmp://{domain}/{hub}/{title}"


def hls_url(domain: str, hub: str, title: str) -> str:
    """Return the URL of the HLS play list."""
    return f"https://{domain}/{hub}/{title}.m3u8"


def flv_url(domain: str, hub: str, title: str) -> str:
    """Return the URL of FLV over HTTP."""
    return f"https://{domain}/{hub}/{title}.flv"


def srt_publish_url(domain: str, hub: str, title: str) -> str:
    """Return the URL for publishing over SRT."""
    return f"srt://{domain}:{SRT_PORT}?streamid=#!::h={hub}/{title},m=publish,domain={domain}"


def encoded_title(title: str) -> str:
    """Return the title as the paths of the vendor's API have it."""
    return url_safe(title.encode())
