"""How the fake of Qiniu behaves where the vendor's behaviour is known to differ, or can be configured."""

from typing import Literal

from attrs import define


@define
class QiniuKnobs:
    """All of them; the defaults are what a fresh account would meet."""

    sms_interval_s: float = 0
    """Time before the same phone may be sent another message."""
    sms_limit_status: Literal[429, 403] = 429
    """How a message that comes too soon is refused."""
    offline_live: Literal["zeros", "404", "619"] = "zeros"
    """What the state of a stream is that is not live; three are seen."""
    missing_stream: Literal[404, 612] = 612
    """How a stream that there never was is refused; newer and older servers differ."""
    publish_security: Literal["none", "static", "expiry", "expiry_sk"] = "none"
    """How addresses to publish to have to be signed."""
    publish_key: str = "qlive-publish-key"
    play_security: Literal["none", "expire"] = "none"
    """Whether addresses to play have to be signed with the time of their end."""
    play_key: str = "qlive-play-key"
    play_time_base: Literal[10, 16] = 16
    """The number system in which that time is written."""
    upload_callback_scheme: Literal["QBox", "Qiniu"] = "QBox"
    """How calls back after an upload are signed."""
