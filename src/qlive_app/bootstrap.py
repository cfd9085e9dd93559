"""The composition root: the only place that knows which class stands behind which port."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from attrs import field, frozen
from litestar.types import ASGIApp

from qlive_adapters.local import FairTurns, LocalIm, LogSmsSender, RandomIds, RecentSigns, SystemClock
from qlive_adapters.mirror.mirror import Mirror
from qlive_adapters.mirror.wrapped import Stores
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
from qlive_adapters.rongcloud import (
    Application,
    RongCloud,
    RongCloudChatRooms,
    RongCloudReports,
    RongCloudSignals,
    RongCloudTokens,
)
from qlive_adapters.smtp import SmtpAccount, SmtpMailer
from qlive_adapters.sqlite.store import SqliteStores
from qlive_app.config import FeedbackMail, KeyPair, Rtc, Settings, Sms
from qlive_app.http import create_http_app
from qlive_app.readiness import Health
from qlive_app.runtime.chores import CloudChores
from qlive_app.runtime.deadlines import Deadlines, Expire
from qlive_app.runtime.effects import LocalEffects
from qlive_app.runtime.mailing import Mailing
from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_app.signalling.commands import SignalCommands
from qlive_app.signalling.endpoint import create_signalling_app
from qlive_app.signalling.hub import Hub
from qlive_app.signalling.im.callbacks import ImCallbacks
from qlive_app.signalling.im.channel import ImChannel
from qlive_app.signalling.im.conversation import ImConversation
from qlive_app.signalling.im.inbox import ImInbox
from qlive_app.signalling.im.outbox import ImOutbox
from qlive_app.signalling.im.pinger import ImPinger
from qlive_app.signalling.im.watched import WatchedSignals
from qlive_core.effects import DeadlineKind
from qlive_core.ports.clouds import ImCloud, LiveStreams, RtcRooms, SmsSender, StreamJobs
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.audience import Audience
from qlive_core.usecases.battles import Battles
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.directory import Directory
from qlive_core.usecases.feedback_mails import FeedbackMails
from qlive_core.usecases.rooms import Rooms
from qlive_core.usecases.seat_control import SeatControl
from qlive_core.usecases.seating import Seating
from qlive_core.usecases.seats import Seats
from qlive_core.usecases.sessions import Sessions
from qlive_core.usecases.sweep import Sweep
from qlive_core.usecases.uploads import Uploads
from qlive_core.usecases.whereabouts import Whereabouts


class StoreOfRecord(Stores, Protocol):
    """The stores that keep everything, and their life."""

    async def ping(self) -> None:
        """Return if they can be used now. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go."""
        ...


class Cloud(Protocol):
    """A vendor that is called."""

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@frozen(kw_only=True)
class Media:
    """What the media cloud does on the server's side."""

    rooms: RtcRooms
    jobs: StreamJobs
    streams: LiveStreams


@frozen
class Qiniu:
    """Makes Qiniu's APIs as they are needed, and remembers them so that their connections can be closed."""

    clock: Clock
    metrics: Metrics
    _made: list[Vendor] = field(init=False, factory=list)

    def vendor(self, name: str, host: str, pair: KeyPair) -> Vendor:
        """Return the API at that host, called in the name of an account."""
        vendor = Vendor(name, [host], self.metrics, auth=QiniuAuth(_credentials(pair), self.clock))
        self._made.append(vendor)
        return vendor

    async def aclose(self) -> None:
        """Close the connections."""
        for vendor in self._made:
            await vendor.aclose()


@frozen(kw_only=True)
class Assembly:
    """One process's worth of qlive, wired and not yet started."""

    settings: Settings
    open_stores: Callable[[], Awaitable[None]]
    stores: StoreOfRecord
    mirror: Mirror
    clouds: tuple[Cloud, ...]
    services: Services
    media: Media | None
    effects: LocalEffects
    hub: Hub
    deadlines: Deadlines
    chores: CloudChores
    mailing: Mailing
    mails: FeedbackMails | None
    expire: dict[DeadlineKind, Expire]
    metrics: Metrics
    health: Health
    im: ImChannel | None
    http_app: ASGIApp
    signalling_app: ASGIApp


def assemble(settings: Settings, metrics: Metrics) -> Assembly:
    """Wire everything to the configured store.

    Raises StoreUnavailable with a text for the operator if the store cannot be had.
    """
    ids = RandomIds()
    clock = SystemClock()
    stores, open_stores = _stores(settings, metrics)
    mirror = Mirror(stores)
    health = Health()
    rongcloud = _rongcloud(settings, metrics)
    signals = _signals(settings, rongcloud, health)
    outbox = ImOutbox(signals, metrics, ttl_s=settings.im.push_ttl_s) if signals is not None else None
    hub = Hub(outbox.send) if outbox is not None else Hub()
    deadlines = Deadlines(clock, metrics)
    qiniu = Qiniu(clock, metrics)
    play_urls = _play_urls(settings.rtc, clock)
    rtc = QiniuRtc(
        # Tokens are signed here, so those of the ``test`` provider have the real form.
        credentials=_credentials(settings.rtc.key_pair),
        app_id=settings.rtc.app_id,
        token_ttl_s=settings.rtc.room_token_expire_s,
        play_urls=play_urls,
    )
    media = _media(settings.rtc, qiniu)
    chores = CloudChores(
        RongCloudChatRooms(rongcloud) if rongcloud else None,
        media.jobs if media and settings.rtc.compose_pk else None,
        metrics,
    )
    mailing = Mailing(clock, metrics)
    effects = LocalEffects(hub, deadlines, chores, mailing, metrics)
    services = _services(
        settings, mirror, clock, ids, effects, rtc=rtc, sms=_sms(settings.sms, qiniu), im=_im(rongcloud)
    )
    commands = SignalCommands(services, metrics)
    im = (
        _channel(settings, services, commands, clock, metrics, signals=signals, outbox=outbox)
        if signals is not None and outbox is not None
        else None
    )
    return Assembly(
        settings=settings,
        open_stores=open_stores,
        stores=stores,
        mirror=mirror,
        clouds=(qiniu, rongcloud) if rongcloud else (qiniu,),
        services=services,
        media=media,
        effects=effects,
        hub=hub,
        deadlines=deadlines,
        chores=chores,
        mailing=mailing,
        mails=_mails(settings, mirror, clock),
        expire={
            DeadlineKind.PK_OFFER: services.battles.expire,
            DeadlineKind.SEAT_REQUEST: services.seats.expire,
            DeadlineKind.PRESENCE: services.attendance.expire,
        },
        metrics=metrics,
        health=health,
        im=im,
        http_app=create_http_app(
            services,
            settings,
            metrics,
            health,
            ws_port=lambda: health.signalling_port,
            version=lambda: mirror.version,
            play_url_version=play_urls.version if play_urls.security else None,
            im=im.callbacks if im else None,
        ),
        signalling_app=create_signalling_app(services, settings, commands, hub, metrics),
    )


def _stores(settings: Settings, metrics: Metrics) -> tuple[StoreOfRecord, Callable[[], Awaitable[None]]]:
    """Return the configured store and what has to be awaited before it is used."""
    if settings.store.provider == "sqlite":
        return SqliteStores(settings.store.path, on_commit=metrics.observe_commit), _nothing
    # Imported late: the driver takes a third of the time in which a server on the embedded store starts.
    from qlive_adapters.mongo.store import MongoStores  # noqa: PLC0415
    from qlive_app.migrate.at_start import take_over  # noqa: PLC0415

    conf = settings.mongo
    mongo = MongoStores(conf.uri, conf.database, timeout_s=conf.timeout_s, on_commit=metrics.observe_commit)

    async def take_over_and_open() -> None:
        await take_over(conf)
        await mongo.open()

    return mongo, take_over_and_open


async def _nothing() -> None:
    """Do nothing: the embedded store is open from the start."""


def rules_of(settings: Settings) -> Rules:
    """Return the numbers of the configuration that the core goes by."""
    sms = settings.sms
    mail = settings.feedback_mail
    return Rules(
        max_rooms=settings.max_rooms,
        session_ttl_s=settings.session.ttl_s,
        default_avatars=settings.default_avatars,
        fixed_codes=sms.fixed_codes,
        sms_resend_interval_s=sms.resend_interval_s,
        sms_code_ttl_s=sms.code_ttl_s,
        sms_max_attempts=sms.max_attempts,
        sms_phone_hourly_limit=sms.phone_hourly_limit,
        sms_phone_daily_limit=sms.phone_daily_limit,
        sms_address_hourly_limit=sms.address_hourly_limit,
        pk_offer_timeout_s=settings.signaling.pk_request_timeout_s,
        join_request_timeout_s=settings.signaling.join_request_timeout_s,
        grace_s=settings.websocket_conf.reconnect_timeout_s,
        host_lease_s=settings.presence.host_connect_timeout_s,
        audience_lease_s=settings.presence.audience_lease_s,
        signals_over_im=settings.im.provider == "rongcloud",
        im_pong_timeout_s=settings.im.pong_timeout_s,
        im_ping_interval_s=settings.im.ping_ticker_s,
        attachment_url_prefix=settings.storage.url_prefix,
        mails_feedback=mail.enabled,
        mail_retry_times=mail.retry_times,
        mail_retry_interval_s=mail.retry_interval_s,
        mail_timeout_s=mail.timeout_s,
    )


def _services(
    settings: Settings,
    stores: Mirror,
    clock: SystemClock,
    ids: RandomIds,
    effects: LocalEffects,
    *,
    rtc: QiniuRtc,
    sms: SmsSender,
    im: ImCloud,
) -> Services:
    rules = rules_of(settings)
    signs = RecentSigns()
    codes = Codes(stores.sms_codes, stores.send_quotas, sms, FairTurns(), clock, ids, rules)
    whereabouts = Whereabouts(stores.places, stores.rooms, stores.pks)
    seating = Seating(stores.rooms, stores.places, stores.accounts, stores.presences)
    departure = Departure(stores.rooms, stores.places, stores.pks, stores.presences, seating, signs, clock)
    sessions = Sessions(stores.accounts, stores.sessions, codes, whereabouts, departure, clock, ids, rules)
    attendance = Attendance(
        stores.presences,
        stores.places,
        sessions,
        departure,
        whereabouts,
        signs,
        clock,
        rules,
        node=ids.salt(),
    )
    return Services(
        codes=codes,
        sessions=sessions,
        whereabouts=whereabouts,
        departure=departure,
        attendance=attendance,
        rooms=Rooms(stores.rooms, stores.places, whereabouts, attendance, departure, rtc, clock, ids, rules),
        audience=Audience(stores.rooms, stores.places, whereabouts, attendance, seating, signs, clock, rules),
        directory=Directory(stores.rooms, stores.accounts, stores.places, stores.pks),
        battles=Battles(stores.rooms, stores.pks, stores.accounts, rtc, clock, ids, rules),
        seats=Seats(stores.rooms, stores.places, stores.accounts, seating, clock, rules),
        seat_control=SeatControl(stores.rooms, stores.places, stores.accounts, seating, clock, rules),
        uploads=Uploads(_upload_tokens(settings), stores.feedback, clock, rules),
        sweep=Sweep(
            stores.rooms,
            stores.places,
            stores.pks,
            stores.presences,
            stores.sessions,
            stores.sms_codes,
            stores.send_quotas,
            attendance,
            departure,
            clock,
            rules,
        ),
        rtc=rtc,
        im=im,
        effects=effects,
    )


def _mails(settings: Settings, stores: Mirror, clock: SystemClock) -> FeedbackMails | None:
    conf = settings.feedback_mail
    if not conf.enabled:
        return None
    return FeedbackMails(stores.feedback, stores.accounts, _mailer(conf), clock, rules_of(settings))


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


def _sms(sms: Sms, qiniu: Qiniu) -> SmsSender:
    """Return who sends codes."""
    if sms.provider == "test":
        return LogSmsSender()
    conf = sms.qiniu_sms
    return QiniuSms(
        qiniu.vendor("qiniu-sms", conf.api_host, conf.key_pair),
        template_id=conf.template_id,
        signature_id=conf.signature_id,
    )


def _media(rtc: Rtc, qiniu: Qiniu) -> Media | None:
    """Return the media cloud's server side; the ``test`` provider has none."""
    if rtc.provider == "test":
        return None
    cloud = qiniu.vendor("qiniu-rtc", rtc.api_host, rtc.key_pair)
    publish_urls = PublishUrls(
        host=rtc.publish_host,
        hub=rtc.publish_hub,
        security=_publish_security(rtc),
        ttl_s=rtc.publish_url_expire_s,
        clock=qiniu.clock,
    )
    return Media(
        rooms=QiniuRtcRooms(cloud, rtc.app_id),
        jobs=QiniuStreamJobs(cloud, rtc.app_id, publish_urls.url),
        streams=QiniuStreams(qiniu.vendor("qiniu-pili", rtc.pili_api_host, rtc.key_pair), rtc.publish_hub),
    )


def _publish_security(rtc: Rtc) -> Callable[[int], PublishSecurity] | None:
    """Return what signs publish URLs that expire at a given time."""
    match rtc.publish_security:
        case "none":
            return None
        case "static":
            return lambda _expire_at: StaticKey(rtc.publish_key)
        case "expiry":
            return partial(Expiry, rtc.publish_key)
        case "expiry_sk":
            return partial(ExpirySk, _credentials(rtc.key_pair))


def _play_urls(rtc: Rtc, clock: Clock) -> PlayUrls:
    return PlayUrls(
        host=rtc.play_host,
        hub=rtc.publish_hub,
        format=rtc.play_format,
        security=PlaySecurity(key=rtc.play_key, base=rtc.play_time_base) if rtc.play_key else None,
        ttl_s=rtc.play_url_expire_s,
        clock=clock,
    )


def _rongcloud(settings: Settings, metrics: Metrics) -> RongCloud | None:
    """Return the IM cloud if it is the configured one."""
    if settings.im.provider != "rongcloud":
        return None
    return RongCloud(_application(settings), settings.im.rongcloud.api_hosts, metrics)


def _application(settings: Settings) -> Application:
    return Application(settings.im.rongcloud.app_key, settings.im.rongcloud.app_secret)


def _im(rongcloud: RongCloud | None) -> ImCloud:
    """Return who hands out the tokens with which clients connect to the IM cloud."""
    return RongCloudTokens(rongcloud) if rongcloud else LocalIm()


def _signals(settings: Settings, rongcloud: RongCloud | None, health: Health) -> WatchedSignals | None:
    """Return who speaks to users over IM, if anybody can."""
    if rongcloud is None:
        return None
    system_user_id = settings.im.system_user_id
    return WatchedSignals(
        RongCloudSignals(rongcloud, system_user_id),
        RongCloudTokens(rongcloud),
        lambda trouble: health.report_trouble("im", trouble),
        system_user_id=system_user_id,
    )


def _channel(
    settings: Settings,
    services: Services,
    commands: SignalCommands,
    clock: SystemClock,
    metrics: Metrics,
    *,
    signals: WatchedSignals,
    outbox: ImOutbox,
) -> ImChannel:
    max_age_s = settings.im.rongcloud.callback_max_age_s
    conversation = ImConversation(services, commands, outbox.send, metrics)
    # A callback may be signed max_age_s ahead of our clock and be repeated until it is that much behind.
    inbox = ImInbox(conversation.hear, clock, metrics, remember_s=2 * max_age_s)
    reports = RongCloudReports(
        _application(settings), system_user_id=settings.im.system_user_id, max_age_s=max_age_s
    )
    return ImChannel(
        callbacks=ImCallbacks(reports, inbox, clock, metrics),
        inbox=inbox,
        outbox=outbox,
        pinger=ImPinger(services.attendance, signals, clock, metrics, interval_s=settings.im.ping_ticker_s),
        signals=signals,
    )


def _upload_tokens(settings: Settings) -> QiniuUploadTokens:
    storage = settings.storage
    return QiniuUploadTokens(
        credentials=_credentials(storage.key_pair),
        bucket=storage.bucket,
        max_bytes=storage.max_bytes,
        mime_types=storage.mime_types,
    )


def _credentials(pair: KeyPair) -> Credentials:
    return Credentials(pair.access_key, pair.secret_key)
