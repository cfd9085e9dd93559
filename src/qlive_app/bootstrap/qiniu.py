"""Qiniu: codes by text message, media, live streams and uploads, as configured."""

from collections.abc import Callable
from functools import partial

from attrs import field, frozen

from qlive_adapters.outgoing import Vendor
from qlive_adapters.qiniu import (
    Credentials,
    Expiry,
    ExpirySk,
    PlaySecurity,
    PlayUrls,
    PublishSecurity,
    PublishUrls,
    QiniuAuth,
    QiniuRtc,
    QiniuRtcRooms,
    QiniuSms,
    QiniuStreamJobs,
    QiniuStreams,
    QiniuUploadTokens,
    StaticKey,
)
from qlive_app.config import KeyPair, Rtc, Storage
from qlive_app.config import QiniuSms as SmsConf
from qlive_app.runtime.metrics import Metrics
from qlive_core.ports.clouds import LiveStreams, RtcRooms, StreamJobs
from qlive_core.ports.world import Clock


@frozen(kw_only=True)
class Media:
    """What the media cloud does on the server's side."""

    rooms: RtcRooms
    jobs: StreamJobs
    streams: LiveStreams


@frozen
class Qiniu:
    """Makes what is needed of Qiniu, and remembers its APIs so that their connections can be closed."""

    clock: Clock
    metrics: Metrics
    _made: list[Vendor] = field(init=False, factory=list)

    def sms(self, conf: SmsConf) -> QiniuSms:
        """Return who sends codes."""
        vendor = self._vendor("qiniu-sms", conf.api_host, conf.key_pair)
        return QiniuSms(vendor, template_id=conf.template_id, signature_id=conf.signature_id)

    def rtc(self, conf: Rtc, play_urls: PlayUrls) -> QiniuRtc:
        """Return who signs tokens. They are signed here, so those of the ``test`` provider have the real form."""
        return QiniuRtc(
            credentials=_credentials(conf.key_pair),
            app_id=conf.app_id,
            token_ttl_s=conf.room_token_expire_s,
            play_urls=play_urls,
        )

    def media(self, conf: Rtc) -> Media:
        """Return the media cloud's server side."""
        cloud = self._vendor("qiniu-rtc", conf.api_host, conf.key_pair)
        publish_urls = PublishUrls(
            host=conf.publish_host,
            hub=conf.publish_hub,
            security=_publish_security(conf),
            ttl_s=conf.publish_url_expire_s,
            clock=self.clock,
        )
        pili = self._vendor("qiniu-pili", conf.pili_api_host, conf.key_pair)
        return Media(
            rooms=QiniuRtcRooms(cloud, conf.app_id),
            jobs=QiniuStreamJobs(cloud, conf.app_id, publish_urls.url),
            streams=QiniuStreams(pili, conf.publish_hub),
        )

    def play_urls(self, conf: Rtc) -> PlayUrls:
        """Return where streams can be watched."""
        return PlayUrls(
            host=conf.play_host,
            hub=conf.publish_hub,
            format=conf.play_format,
            security=PlaySecurity(key=conf.play_key, base=conf.play_time_base) if conf.play_key else None,
            ttl_s=conf.play_url_expire_s,
            clock=self.clock,
        )

    def uploads(self, conf: Storage) -> QiniuUploadTokens:
        """Return who signs uploads."""
        return QiniuUploadTokens(
            credentials=_credentials(conf.key_pair),
            bucket=conf.bucket,
            max_bytes=conf.max_bytes,
            mime_types=conf.mime_types,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        for vendor in self._made:
            await vendor.aclose()

    def _vendor(self, name: str, host: str, pair: KeyPair) -> Vendor:
        vendor = Vendor(name, [host], self.metrics, auth=QiniuAuth(_credentials(pair), self.clock))
        self._made.append(vendor)
        return vendor


def _publish_security(conf: Rtc) -> Callable[[int], PublishSecurity] | None:
    """Return what signs publish URLs that expire at a given time."""
    match conf.publish_security:
        case "none":
            return None
        case "static":
            return lambda _expire_at: StaticKey(conf.publish_key)
        case "expiry":
            return partial(Expiry, conf.publish_key)
        case "expiry_sk":
            return partial(ExpirySk, _credentials(conf.key_pair))


def _credentials(pair: KeyPair) -> Credentials:
    return Credentials(pair.access_key, pair.secret_key)
