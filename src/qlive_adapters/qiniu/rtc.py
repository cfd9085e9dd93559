"""RTC room tokens and play URLs: what the media cloud is needed for without a call."""

from attrs import frozen

from qlive_adapters.qiniu.signing import Credentials
from qlive_adapters.qiniu.stream_urls import PlayUrls
from qlive_core.ports.clouds import Permission, RtcCloud


@frozen(kw_only=True)
class QiniuRtc:
    """The RTC application ``app_id``, and where the streams of its rooms are played.

    ``token_ttl_s`` is how long a room token can be used to join; it does not end a session that runs.
    """

    credentials: Credentials
    app_id: str
    token_ttl_s: float
    play_urls: PlayUrls

    def room_token(self, *, room_id: str, user_id: str, permission: Permission, now: float) -> str:
        """Return a token for the RTC room; the vendor checks the claims and wants seconds."""
        return self.credentials.sign_claims(
            {
                "appId": self.app_id,
                "roomName": room_id,
                "userId": user_id,
                "expireAt": int(now + self.token_ttl_s),
                "permission": permission,
            }
        )

    def play_url(self, host_id: str) -> str:
        """Return where the host's stream can be watched; its title is the id of the host."""
        return self.play_urls.url(host_id)


_rtc: type[RtcCloud] = QiniuRtc
