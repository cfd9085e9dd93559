"""Rules between keys, each of which is fine on its own."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from qlive_app.config.mail import check_mail
from qlive_app.config.problems import Report
from qlive_app.config.settings import Im, Rtc, Settings, Sms, WebSocket

_PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
ROUTES_OF_THE_API = ("/v1", "/healthz", "/readyz", "/swagger", "/asyncapi.json")
"""Everything that the HTTP server answers at or below; a test compares them with its routes."""
_MONGO_SCHEMES = ("mongodb://", "mongodb+srv://")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def check_consistency(settings: Settings, report: Report) -> None:
    """Report the keys that contradict one another."""
    _check_ports(settings, report)
    _check_metrics_path(settings.prometheus.metrics_path, report)
    _check_store(settings, report)
    _check_pings(settings.websocket_conf, "websocket_conf", report)
    _check_pings(settings.im, "im", report)
    _check_sms(settings.sms, report)
    _check_rtc(settings.rtc, report)
    _check_publishing(settings.rtc, report)
    _check_im(settings.im, report)
    _check_signalling(settings, report)
    _check_push(settings, report)
    _check_phones(settings, report)
    check_mail(settings.feedback_mail, report)


def _check_ports(settings: Settings, report: Report) -> None:
    port = settings.websocket_conf.listen_addr.port
    if port != 0 and port == settings.listen_addr.port:
        report.error(
            "websocket_conf.listen_addr",
            f"uses port {port}, and so does listen_addr",
            "give the signalling endpoint a port of its own",
            involves=("listen_addr",),
        )


def _check_metrics_path(path: str, report: Report) -> None:
    if any(path == route or path.startswith(f"{route}/") for route in ROUTES_OF_THE_API):
        report.error(
            "prometheus.metrics_path",
            f'is "{path}", where the HTTP server answers something else',
            'choose another path, such as "/metrics"',
        )


def _check_store(settings: Settings, report: Report) -> None:
    if settings.mongo.uri and not settings.mongo.uri.startswith(_MONGO_SCHEMES):
        report.error(
            "mongo.uri",
            "is not the address of a MongoDB server",
            'write it with its scheme, for example "mongodb://127.0.0.1:27017"',
        )
    elif settings.mongo.uri and settings.store.provider == "sqlite":
        report.warn(
            "mongo.uri",
            'is given, here or by QLIVE_MONGO_URI, and not used, because store.provider is "sqlite"',
            'choose "mongo" as store.provider, or take the address away',
        )
    if settings.store.provider == "mongo" and not settings.mongo.uri:
        report.error(
            "mongo.uri",
            'is needed because store.provider is "mongo"',
            'fill it, for example "mongodb://127.0.0.1:27017", set QLIVE_MONGO_URI, or choose "sqlite"',
            involves=("store.provider",),
        )


def _check_pings(section: WebSocket | Im, path: str, report: Report) -> None:
    if section.pong_timeout_s <= section.ping_ticker_s:
        report.warn(
            f"{path}.pong_timeout_s",
            f"is {section.pong_timeout_s}, not more than {path}.ping_ticker_s, {section.ping_ticker_s}",
            "make it longer: living clients answer only once per ping",
        )


def _check_sms(sms: Sms, report: Report) -> None:
    if sms.provider == "test":
        report.note(
            "sms.provider",
            'is "test": login codes are printed in the log instead of sent',
            "choose a real provider before strangers can reach the server",
        )
    if sms.fixed_codes:
        at_home = sms.provider == "test" or urlsplit(sms.qiniu_sms.api_host).hostname in _THIS_MACHINE
        tell = report.note if at_home else report.warn
        tell(
            "sms.fixed_codes",
            f"opens {len(sms.fixed_codes)} accounts to everybody who knows the codes",
            "remove them before strangers can reach the server",
        )
    if sms.provider != "qiniu":
        return
    qiniu = sms.qiniu_sms
    parts = {
        "sms.qiniu_sms.key_pair.access_key": (qiniu.key_pair.access_key, "QINIU_ACCESS_KEY"),
        "sms.qiniu_sms.key_pair.secret_key": (qiniu.key_pair.secret_key, "QINIU_SECRET_KEY"),
        "sms.qiniu_sms.template_id": (qiniu.template_id, "QINIU_SMS_TEMP_ID"),
    }
    _check_filled(parts, "sms.provider", sms.provider, report)
    if not _is_private(qiniu.api_host):
        report.warn(
            "sms.qiniu_sms.api_host",
            "starts with http://",
            "use https://: login codes could be read on their way",
        )


def _check_rtc(rtc: Rtc, report: Report) -> None:
    if rtc.provider != "qiniu":
        return
    parts = {
        "rtc.app_id": (rtc.app_id, "QINIU_RTC_APP_ID"),
        "rtc.key_pair.access_key": (rtc.key_pair.access_key, "QINIU_ACCESS_KEY"),
        "rtc.key_pair.secret_key": (rtc.key_pair.secret_key, "QINIU_SECRET_KEY"),
    }
    _check_filled(parts, "rtc.provider", rtc.provider, report)


def _check_publishing(rtc: Rtc, report: Report) -> None:
    security = rtc.publish_security
    if security in ("static", "expiry") and not rtc.publish_key:
        report.error(
            "rtc.publish_key",
            f'is needed because rtc.publish_security is "{security}"',
            "give the hub's key, or set QLIVE_PUBLISH_KEY",
            involves=("rtc.publish_security",),
        )
    if security == "expiry_sk" and not rtc.key_pair.complete:
        report.error(
            "rtc.key_pair",
            'is needed because rtc.publish_security is "expiry_sk"',
            "fill both keys, or set QINIU_ACCESS_KEY and QINIU_SECRET_KEY",
            involves=("rtc.publish_security",),
        )


def _check_im(im: Im, report: Report) -> None:
    if im.provider != "rongcloud":
        return
    cloud = im.rongcloud
    parts = {
        "im.rongcloud.app_key": (cloud.app_key, "RONGCLOUD_APP_KEY"),
        "im.rongcloud.app_secret": (cloud.app_secret, "RONGCLOUD_APP_SECRET"),
    }
    _check_filled(parts, "im.provider", im.provider, report)
    if not all(map(_is_private, cloud.api_hosts)):
        report.warn(
            "im.rongcloud.api_hosts",
            "has an address that starts with http://",
            "use https://: the vendor's signatures do not protect what is sent",
        )


def _check_signalling(settings: Settings, report: Report) -> None:
    if settings.signaling.type == "im" and settings.im.provider != "rongcloud":
        report.warn(
            "signaling.type",
            f'is "im", and im.provider is "{settings.im.provider}", over which nobody is signalled',
            'choose "rongcloud" as im.provider; until then clients are signalled over WebSocket alone',
        )


def _is_private(url: str) -> bool:
    """Tell whether nobody between us and that server can listen."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _THIS_MACHINE


def _check_filled(parts: Mapping[str, tuple[str, str]], choice: str, provider: str, report: Report) -> None:
    """Report the keys that are empty and that the choice of a provider needs; each has its variable beside it."""
    for path, (value, variable) in parts.items():
        if not value:
            report.error(
                path,
                f'is needed because {choice} is "{provider}"',
                f'fill it, set {variable}, or choose "test" as the provider',
                involves=(choice,),
            )


def _check_push(settings: Settings, report: Report) -> None:
    if settings.prometheus.enable_push and not settings.prometheus.push_url:
        report.error(
            "prometheus.push_url",
            "is needed because prometheus.enable_push is true",
            'give the address of the gateway, such as "http://127.0.0.1:9091", or switch the push off',
            involves=("prometheus.enable_push",),
        )


def _check_phones(settings: Settings, report: Report) -> None:
    strangers = sum(1 for phone in settings.sms.fixed_codes if not _PHONE.fullmatch(phone))
    if strangers:
        report.warn(
            "sms.fixed_codes",
            f"has {strangers} of {len(settings.sms.fixed_codes)} phone numbers that can never log in",
            "a phone number has eleven digits and starts with 13 to 19",
        )
