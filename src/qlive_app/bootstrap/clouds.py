"""The configured clouds, each behind its ports, or the local stand-in of the ``test`` provider."""

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from qlive_adapters.local import LocalIm, LogSmsSender
from qlive_adapters.rongcloud import (
    Application,
    RongCloud,
    RongCloudChatRooms,
    RongCloudPresence,
    RongCloudReports,
    RongCloudSignals,
    RongCloudTokens,
)
from qlive_adapters.smtp import SmtpAccount, SmtpMailer
from qlive_app.bootstrap.qiniu import Media, Qiniu
from qlive_app.config import FeedbackMail, Settings
from qlive_app.runtime.metrics import Metrics
from qlive_core.ports.clouds import (
    ChatRooms,
    ImCloud,
    ImPresence,
    ImReports,
    ImSignals,
    Mailer,
    RtcCloud,
    SmsSender,
    UploadTokens,
)
from qlive_core.ports.world import Clock

__all__ = ["Chat", "Clouds", "Media", "clouds_of"]


class Closing(Protocol):
    """A vendor that is called."""

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@frozen(kw_only=True)
class Chat:
    """What the IM cloud does on the server's side."""

    signals: ImSignals
    presence: ImPresence
    rooms: ChatRooms
    reports: ImReports


@frozen(kw_only=True)
class Clouds:
    """All clouds of a configuration. ``media``, ``chat`` and ``mailer`` are None where there is none.

    ``play_url_version`` is there if play URLs change; it returns another number when they have.
    """

    sms: SmsSender
    rtc: RtcCloud
    play_url_version: Callable[[], int] | None
    media: Media | None
    im: ImCloud
    chat: Chat | None
    uploads: UploadTokens
    mailer: Mailer | None
    closing: tuple[Closing, ...]


def clouds_of(settings: Settings, clock: Clock, metrics: Metrics) -> Clouds:
    """Return the configured clouds; nothing is called yet."""
    qiniu = Qiniu(clock, metrics)
    play_urls = qiniu.play_urls(settings.rtc)
    rongcloud = _rongcloud(settings, metrics)
    sms, rtc, mail = settings.sms, settings.rtc, settings.feedback_mail
    return Clouds(
        sms=qiniu.sms(sms.qiniu_sms) if sms.provider == "qiniu" else LogSmsSender(),
        rtc=qiniu.rtc(rtc, play_urls),
        play_url_version=play_urls.version if play_urls.security else None,
        media=qiniu.media(rtc) if rtc.provider == "qiniu" else None,
        im=RongCloudTokens(rongcloud) if rongcloud else LocalIm(),
        chat=_chat(settings, rongcloud) if rongcloud else None,
        uploads=qiniu.uploads(settings.storage),
        mailer=_mailer(mail) if mail.enabled else None,
        closing=(qiniu, rongcloud) if rongcloud else (qiniu,),
    )


def _rongcloud(settings: Settings, metrics: Metrics) -> RongCloud | None:
    if settings.im.provider != "rongcloud":
        return None
    return RongCloud(_application(settings), settings.im.rongcloud.api_hosts, metrics)


def _chat(settings: Settings, rongcloud: RongCloud) -> Chat:
    conf = settings.im
    return Chat(
        signals=RongCloudSignals(rongcloud, conf.system_user_id),
        presence=RongCloudPresence(rongcloud),
        rooms=RongCloudChatRooms(rongcloud),
        reports=RongCloudReports(
            _application(settings),
            system_user_id=conf.system_user_id,
            max_age_s=conf.rongcloud.callback_max_age_s,
        ),
    )


def _application(settings: Settings) -> Application:
    return Application(settings.im.rongcloud.app_key, settings.im.rongcloud.app_secret)


def _mailer(conf: FeedbackMail) -> SmtpMailer:
    account = SmtpAccount(
        host=conf.smtp_host,
        port=conf.smtp_port,
        tls=conf.tls,
        ca_file=conf.ca_file,
        username=conf.username,
        password=conf.password,
        timeout_s=conf.timeout_s,
    )
    return SmtpMailer(account, sender=conf.from_, recipients=conf.to)
