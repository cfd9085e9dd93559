"""One process's worth of qlive."""

from collections.abc import Awaitable, Callable

from attrs import evolve, frozen
from litestar.types import ASGIApp

from qlive_adapters.local import SystemClock
from qlive_adapters.mirror.mirror import Mirror
from qlive_app.bootstrap.clouds import Chat, Clouds, clouds_of
from qlive_app.bootstrap.rules import rules_of
from qlive_app.bootstrap.stores import StoreOfRecord, stores_of
from qlive_app.bootstrap.use_cases import use_cases_of
from qlive_app.config import Settings
from qlive_app.http import create_http_app
from qlive_app.readiness import Health
from qlive_app.runtime.chores import CloudChores
from qlive_app.runtime.deadlines import Deadlines, Expire
from qlive_app.runtime.effects import LocalEffects
from qlive_app.runtime.mailing import Mailing
from qlive_app.runtime.metrics import Metrics
from qlive_app.runtime.reconciling import Reconciling
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
from qlive_app.signalling.im.watched import WatchedIm
from qlive_core.effects import DeadlineKind
from qlive_core.ports.clouds import ImCloud
from qlive_core.usecases.feedback_mails import FeedbackMails


@frozen(kw_only=True)
class Assembly:
    """Everything wired and not yet started. ``mails``, ``reconciling`` and ``im`` are None where they are not wanted."""

    settings: Settings
    clock: SystemClock
    open_stores: Callable[[], Awaitable[None]]
    stores: StoreOfRecord
    mirror: Mirror
    clouds: Clouds
    services: Services
    effects: LocalEffects
    hub: Hub
    deadlines: Deadlines
    chores: CloudChores
    mailing: Mailing
    mails: FeedbackMails | None
    reconciling: Reconciling | None
    expire: dict[DeadlineKind, Expire]
    metrics: Metrics
    health: Health
    im: ImChannel | None
    http_app: ASGIApp
    signalling_app: ASGIApp


@frozen
class _Voice:
    """The way out to users over IM."""

    cloud: WatchedIm
    outbox: ImOutbox


def assemble(settings: Settings, metrics: Metrics) -> Assembly:
    """Wire everything to the configured store and clouds.

    Raises StoreUnavailable with a text for the operator if the store cannot be had.
    """
    clock, health = SystemClock(), Health()
    stores, open_stores = stores_of(settings, metrics)
    mirror = Mirror(stores)
    clouds = clouds_of(settings, clock, metrics)
    voice = _voice(settings, clouds.chat, clouds.im, health, metrics) if clouds.chat else None
    hub = Hub(voice.outbox.send, im_pong_timeout_s=settings.im.pong_timeout_s) if voice else Hub()
    deadlines = Deadlines(clock, metrics)
    chores = CloudChores(
        clouds.chat.rooms if clouds.chat else None,
        clouds.media.jobs if clouds.media and settings.rtc.compose_pk else None,
        metrics,
    )
    mailing = Mailing(clock, metrics)
    effects = LocalEffects(hub, deadlines, chores, mailing, metrics)
    use_cases = use_cases_of(
        mirror, evolve(clouds, im=voice.cloud) if voice else clouds, clock, rules_of(settings), effects
    )
    services, reconciler = use_cases.services, use_cases.reconciler
    commands = SignalCommands(services, metrics)
    im = (
        _channel(settings, clouds.chat, voice, commands, clock, hub=hub, metrics=metrics)
        if clouds.chat and voice
        else None
    )
    return Assembly(
        settings=settings,
        clock=clock,
        open_stores=open_stores,
        stores=stores,
        mirror=mirror,
        clouds=clouds,
        services=services,
        effects=effects,
        hub=hub,
        deadlines=deadlines,
        chores=chores,
        mailing=mailing,
        mails=use_cases.mails,
        reconciling=Reconciling(reconciler, settings.reconcile, metrics) if reconciler else None,
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
            play_url_version=clouds.play_url_version,
            im=im.callbacks if im else None,
        ),
        signalling_app=create_signalling_app(services, settings, commands, hub, metrics),
    )


def _voice(settings: Settings, chat: Chat, cloud: ImCloud, health: Health, metrics: Metrics) -> _Voice:
    watched = WatchedIm(
        chat.signals,
        cloud,
        lambda trouble: health.report_trouble("im", trouble),
        system_user_id=settings.im.system_user_id,
    )
    return _Voice(watched, ImOutbox(watched, metrics, ttl_s=settings.im.push_ttl_s))


def _channel(
    settings: Settings,
    chat: Chat,
    voice: _Voice,
    commands: SignalCommands,
    clock: SystemClock,
    *,
    hub: Hub,
    metrics: Metrics,
) -> ImChannel:
    services = commands.services
    conversation = ImConversation(services, commands, voice.outbox.send, hub.spoke_over_im, metrics)
    # A callback may be signed so much ahead of our clock, and be repeated until it is so much behind.
    remember_s = 2 * settings.im.rongcloud.callback_max_age_s
    inbox = ImInbox(conversation.hear, clock, metrics, remember_s=remember_s)
    interval_s = settings.im.ping_ticker_s
    return ImChannel(
        callbacks=ImCallbacks(chat.reports, inbox, clock, metrics),
        inbox=inbox,
        outbox=voice.outbox,
        pinger=ImPinger(services.attendance, voice.cloud, clock, metrics, interval_s=interval_s),
        cloud=voice.cloud,
    )
