"""RTC room tokens and the addresses of streams."""

from attrs import frozen

from qlive_adapters.qiniu.signing import Credentials
from qlive_core.ports.clouds import Permission, RtcCloud


@frozen(kw_only=True)
class QiniuRtc:
    """The RTC application ``app_id`` and the live hub that its streams are published to.

    ``token_ttl_s`` is how long a room token can be used to join; it does not end a session that runs.
    """

    credentials: Credentials
    app_id: str
    play_host: str
    publish_hub: str
    token_ttl_s: float

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
        """Return the RTMP address of the host's stream."""
        return f"rtmp://{self.play_host}/{self.publish_hub}/{host_id}"


_rtc: type[RtcCloud] = QiniuRtc
