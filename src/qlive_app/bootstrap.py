"""The composition root: the only place that knows which class stands behind which port."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import frozen
from litestar.types import ASGIApp

from qlive_adapters.local import LocalIm, LogSmsSender, RandomIds, RecentSigns, SystemClock
from qlive_adapters.mirror.mirror import Mirror
from qlive_adapters.mirror.wrapped import Stores
from qlive_adapters.mongo.store import MongoStores
from qlive_adapters.qiniu import Credentials, QiniuRtc, QiniuUploadTokens
from qlive_adapters.sqlite.store import SqliteStores
from qlive_app.config import KeyPair, Settings
from qlive_app.http import create_http_app
from qlive_app.migrate.at_start import take_over
from qlive_app.readiness import Health
from qlive_app.runtime.deadlines import Deadlines, Expire
from qlive_app.runtime.effects import LocalEffects
from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_app.signalling.endpoint import create_signalling_app
from qlive_app.signalling.hub import Hub
from qlive_core.effects import DeadlineKind
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.audience import Audience
from qlive_core.usecases.battles import Battles
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.directory import Directory
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


@frozen(kw_only=True)
class Assembly:
    """One process's worth of qlive, wired and not yet started."""

    settings: Settings
    open_stores: Callable[[], Awaitable[None]]
    stores: StoreOfRecord
    mirror: Mirror
    services: Services
    effects: LocalEffects
    hub: Hub
    deadlines: Deadlines
    expire: dict[DeadlineKind, Expire]
    metrics: Metrics
    health: Health
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
    hub = Hub()
    deadlines = Deadlines(clock, metrics)
    effects = LocalEffects(hub, deadlines, metrics)
    services = _services(settings, mirror, clock, ids, effects)
    health = Health()
    return Assembly(
        settings=settings,
        open_stores=open_stores,
        stores=stores,
        mirror=mirror,
        services=services,
        effects=effects,
        hub=hub,
        deadlines=deadlines,
        expire={
            DeadlineKind.PK_OFFER: services.battles.expire,
            DeadlineKind.SEAT_REQUEST: services.seats.expire,
            DeadlineKind.PRESENCE: services.attendance.expire,
        },
        metrics=metrics,
        health=health,
        http_app=create_http_app(
            services,
            settings,
            metrics,
            health,
            ws_port=lambda: health.signalling_port,
            version=lambda: mirror.version,
        ),
        signalling_app=create_signalling_app(services, settings, hub, metrics),
    )


def _stores(settings: Settings, metrics: Metrics) -> tuple[StoreOfRecord, Callable[[], Awaitable[None]]]:
    """Return the configured store and what has to be awaited before it is used."""
    if settings.store.provider == "sqlite":
        return SqliteStores(settings.store.path, on_commit=metrics.observe_commit), _nothing
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
        attachment_url_prefix=settings.storage.url_prefix,
    )


def _services(
    settings: Settings, stores: Mirror, clock: SystemClock, ids: RandomIds, effects: LocalEffects
) -> Services:
    rules = rules_of(settings)
    signs = RecentSigns()
    rtc = _rtc(settings)
    codes = Codes(stores.sms_codes, stores.send_quotas, LogSmsSender(), clock, ids, rules)
    whereabouts = Whereabouts(stores.places, stores.rooms, stores.pks)
    seating = Seating(stores.rooms, stores.places, stores.accounts, stores.presences)
    departure = Departure(stores.rooms, stores.places, stores.pks, stores.presences, seating, signs, clock)
    sessions = Sessions(stores.accounts, stores.sessions, codes, whereabouts, departure, clock, ids, rules)
    attendance = Attendance(
        stores.presences, stores.places, sessions, departure, signs, clock, rules, node=ids.salt()
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
        im=LocalIm(),
        effects=effects,
    )


def _rtc(settings: Settings) -> QiniuRtc:
    """Return the media cloud. Tokens are signed here, so the ``test`` provider's have the real form."""
    rtc = settings.rtc
    return QiniuRtc(
        credentials=_credentials(rtc.key_pair),
        app_id=rtc.app_id,
        play_host=rtc.play_host,
        publish_hub=rtc.publish_hub,
        token_ttl_s=rtc.room_token_expire_s,
    )


def _upload_tokens(settings: Settings) -> QiniuUploadTokens:
    return QiniuUploadTokens(_credentials(settings.storage.key_pair), settings.storage.bucket)


def _credentials(pair: KeyPair) -> Credentials:
    return Credentials(pair.access_key, pair.secret_key)
