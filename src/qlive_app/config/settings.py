"""Every setting of qlive: one class per section of the configuration file, one line per key.

These declarations are the only place where a key is written down. Reading, checking, the search for misspelt
keys and the configuration reference all follow from them. Instances hold what is in force, so `Settings()` is
the configuration of an empty file; instances do not check themselves, `load_settings` does.
"""
# ruff: noqa: RUF009 - the calls at the right are field declarations, as `attrs.field` itself

from collections.abc import Mapping
from typing import Literal

import attrs

from qlive_app.config.address import Address
from qlive_app.config.keys import (
    address,
    choice,
    derived_choice,
    derived_seconds,
    flag,
    ignored,
    networks,
    number,
    origins,
    port,
    route,
    seconds,
    secret_table,
    section,
    socket_url,
    text,
    texts,
    web_url,
    web_urls,
    zero,
    zero_or_less,
)
from qlive_app.config.kinds import Network

ImProvider = Literal["test", "rongcloud"]
PlayFormat = Literal["rtmp", "hls", "flv"]
PlayTimeBase = Literal["16", "10"]
PublishSecurity = Literal["none", "static", "expiry", "expiry_sk"]
RtcProvider = Literal["test", "qiniu"]
MailTls = Literal["auto", "tls", "starttls", "none"]
SignalingType = Literal["ws", "websocket", "im"]
SmsProvider = Literal["test", "qiniu"]
StoreProvider = Literal["sqlite", "mongo"]


@attrs.frozen(kw_only=True)
class KeyPair:
    """The credentials of a Qiniu account."""

    access_key: str = text("", "Access key of the Qiniu account.", variable="QINIU_ACCESS_KEY", secret=True)
    secret_key: str = text(
        "",
        "Secret key of the Qiniu account.",
        aliases=("secert_key",),  # so misspelt in the sample that operators once copied
        variable="QINIU_SECRET_KEY",
        secret=True,
    )

    @property
    def complete(self) -> bool:
        """Whether both keys are known."""
        return bool(self.access_key and self.secret_key)


@attrs.frozen(kw_only=True)
class WebSocket:
    """The signalling endpoint."""

    listen_addr: Address = address(":8082", "Address on which the signalling endpoint listens.")
    serve_uri: str = route("/qlive", "Path of the signalling endpoint.")
    ws_over_tls: bool = flag("Whether clients are told `wss://`, as behind a proxy that speaks TLS.")
    external_ws_addr: str = socket_url(
        "",
        "Full URL of the signalling endpoint as clients reach it; empty to make it from the Host header.",
        aliases=("external_ws_url",),
    )
    external_ws_port: int = number(
        0,
        "Port that clients are told when `external_ws_addr` is empty; 0 for that of `listen_addr`.",
        lowest=0,
        highest=65535,
    )
    authorize_timeout_ms: int = number(
        5000,
        "Time in which a new connection must authorise itself.",
        highest=3_600_000,
        unit="ms",
        means_default=zero,
    )
    ping_ticker_s: float = seconds(5, "Time between two pings to a client.", means_default=zero)
    pong_timeout_s: float = seconds(
        20, "Silence after which a connection is closed; longer than `ping_ticker_s`.", means_default=zero
    )
    reconnect_timeout_s: float = derived_seconds(
        lambda this: this.pong_timeout_s,
        "that of `pong_timeout_s`",
        "Time for which a user whose connection was lost keeps room, seat and PK.",
    )
    pump_write_queue: int = number(
        100,
        "Messages that may wait for a slow client before its connection is closed.",
        highest=100_000,
        means_default=zero,
    )
    max_message_bytes: int = number(
        65536, "Longest message taken from a client.", lowest=1024, highest=16_777_216, unit="bytes"
    )
    message_rate_per_s: int = number(2000, "Messages per second that a connection may send on average.")
    message_burst: int = number(2000, "Messages that a connection may send at once.")
    byte_rate_per_s: int = number(
        262_144, "Bytes of messages per second that a connection may send on average.", unit="bytes"
    )
    byte_burst: int = number(
        1_048_576,
        "Bytes of messages that a connection may send at once; one message of the longest is always taken.",
        unit="bytes",
    )
    origin_host: object = ignored("Accepted for the sake of older files, without effect.")
    conn_read_size: object = ignored("Accepted for the sake of older files, without effect.")
    conn_write_size: object = ignored("Accepted for the sake of older files, without effect.")


@attrs.frozen(kw_only=True)
class Signaling:
    """The exchange of offers and answers."""

    type: SignalingType = choice(
        SignalingType,
        "ws",
        "How clients prefer to be signalled; WebSocket and, with an IM cloud, IM both serve in any case.",
    )
    pk_request_timeout_s: float = seconds(
        10, "Time in which a PK offer must be answered.", means_default=zero
    )
    join_request_timeout_s: float = seconds(
        10, "Time in which a request for a seat must be answered.", means_default=zero
    )


@attrs.frozen(kw_only=True)
class Mongo:
    """A MongoDB server."""

    uri: str = text(
        "",
        "Connection string of the MongoDB server or replica set. Its options about reads and writes are overruled:"
        " facts are read from the primary and written to most members.",
        variable="QLIVE_MONGO_URI",
        secret=True,
    )
    database: str = text("qrtc_qlive_test", "Name of the database.")
    timeout_s: float = seconds(3, "Time within which the server must answer before a request fails.")


@attrs.frozen(kw_only=True)
class Store:
    """Where facts are stored."""

    provider: StoreProvider = choice(
        StoreProvider, "sqlite", 'Storage engine; `"mongo"` is the default when `mongo.uri` is given.'
    )
    path: str = text(
        "data/qlive.db",
        'Database file of the embedded store, relative to the working directory; `":memory:"` keeps nothing.',
    )


@attrs.frozen(kw_only=True)
class Session:
    """What a login gives."""

    ttl_s: float = seconds(2_592_000, "Time after which a login expires.")


@attrs.frozen(kw_only=True)
class Presence:
    """How long users count as present without a connection."""

    host_connect_timeout_s: float = seconds(60, "Time in which a host must connect after opening a room.")
    audience_lease_s: float = seconds(
        60, "Time for which a poll keeps an audience without connection present."
    )


@attrs.frozen(kw_only=True)
class QiniuSms:
    """Short messages by Qiniu."""

    key_pair: KeyPair = section(KeyPair, "Credentials for short messages.")
    signature_id: str = text("", "Id of the message signature.", variable="QINIU_SMS_SIGN_ID")
    template_id: str = text("", "Id of the message template.", variable="QINIU_SMS_TEMP_ID")
    api_host: str = web_url("https://sms.qiniuapi.com", "Address of the vendor's API.")


@attrs.frozen(kw_only=True)
class Sms:
    """Login codes by short message."""

    provider: SmsProvider = choice(
        SmsProvider, "test", 'Who sends login codes; `"test"` prints them in the log.'
    )
    fixed_codes: Mapping[str, str] = secret_table(
        "Codes that always work, by phone number; no message is sent to these phones."
    )
    qiniu_sms: QiniuSms = section(QiniuSms, "Short messages by Qiniu.")
    resend_interval_s: float = seconds(60, "Time before a phone may ask for another code.")
    code_ttl_s: float = seconds(300, "Time for which a code is valid.")
    max_attempts: int = number(
        5,
        "Wrong tries for one phone from one client address; all other addresses together have four times as many.",
    )
    phone_hourly_limit: int = number(5, "Codes that one phone may ask for in an hour.")
    phone_daily_limit: int = number(10, "Codes that one phone may ask for in a day.")
    address_hourly_limit: int = number(60, "Codes that one client address may ask for in an hour.")
    address_wrong_hourly_limit: int = number(
        1000, "Wrong codes that may come from one client address in an hour."
    )


@attrs.frozen(kw_only=True)
class Rtc:
    """The cloud through which media flows."""

    key_pair: KeyPair = section(KeyPair, "Credentials that sign room tokens.")
    app_id: str = text("", "Id of the RTC application.", variable="QINIU_RTC_APP_ID")
    provider: RtcProvider = derived_choice(
        RtcProvider,
        lambda this: "qiniu" if this.app_id and this.key_pair.complete else "test",
        '`"qiniu"` with `app_id` and both keys, else `"test"`',
        'Whose room tokens are handed out; `"test"` makes tokens of the same form that no cloud accepts.',
    )
    play_host: str = text("", "Host in the play URL of a room; it must be one for `play_format`.")
    play_format: PlayFormat = choice(
        PlayFormat, "rtmp", 'How rooms are played: `"rtmp"`, or over HTTPS as `"hls"` or `"flv"`.'
    )
    play_key: str = text(
        "",
        "Key that signs play URLs, as the `tsExpireMD5` rule `$(key)$(path)$(_t)` of the play domain; "
        "empty for URLs that are not signed.",
        variable="QLIVE_PLAY_KEY",
        secret=True,
    )
    play_time_base: PlayTimeBase = choice(
        PlayTimeBase, "16", "Base of the number in which a signed play URL tells its expiry."
    )
    play_url_expire_s: float = seconds(
        3600, "Time for which a signed play URL is valid at least; at most it is twice that."
    )
    publish_host: str = text("", "Host in the publish URL of a room.")
    publish_hub: str = text("", "Hub in the play and publish URLs of a room.")
    publish_security: PublishSecurity = choice(
        PublishSecurity, "none", "How the hub is protected: publish URLs are signed accordingly."
    )
    publish_key: str = text(
        "",
        'The hub\'s key that signs publish URLs, for `"static"` and `"expiry"`.',
        variable="QLIVE_PUBLISH_KEY",
        secret=True,
    )
    publish_url_expire_s: float = seconds(
        86_400, "Time within which a signed publish URL can be used to connect, again and again."
    )
    room_token_expire_s: float = seconds(60, "Time for which a room token is valid.", means_default=zero)
    compose_pk: bool = flag(
        "Whether the media cloud shows both hosts of a PK in both live streams; else the apps do that themselves."
    )
    api_host: str = web_url("https://rtc.qiniuapi.com", "Address of the vendor's RTC API.")
    pili_api_host: str = web_url("https://pili.qiniuapi.com", "Address of the vendor's live streaming API.")


@attrs.frozen(kw_only=True)
class Storage:
    """Where clients upload files; upload tokens are signed locally."""

    key_pair: KeyPair = section(KeyPair, "Credentials that sign upload tokens.")
    bucket: str = text("", "Bucket that takes the uploads.", variable="QINIU_STORAGE_BUCKET")
    url_prefix: str = text("", "What is put before the name of an uploaded file to make its URL.")
    max_bytes: int = number(0, "Size of an upload at most; 0 for no limit.", lowest=0, unit="bytes")
    mime_types: tuple[str, ...] = texts(
        (), 'What may be uploaded, such as `["image/*"]`; empty for anything. The cloud looks into the files.'
    )


@attrs.frozen(kw_only=True)
class RongCloud:
    """Instant messages by RongCloud."""

    app_key: str = text("", "Key of the RongCloud application.", variable="RONGCLOUD_APP_KEY")
    app_secret: str = text(
        "", "Secret of the RongCloud application.", variable="RONGCLOUD_APP_SECRET", secret=True
    )
    api_hosts: tuple[str, ...] = web_urls(
        ("https://api.rong-api.com", "https://api-b.rong-api.com"),
        "Addresses of the vendor's API, tried in this order.",
    )
    callback_max_age_s: float = seconds(300, "How far a callback's time may be from ours.")


@attrs.frozen(kw_only=True)
class Im:
    """Chat, bullet comments and gifts."""

    provider: ImProvider = choice(
        ImProvider,
        "test",
        'The IM cloud; with `"test"` there is none: its tokens open nothing, and nobody can chat.',
    )
    system_user_id: str = text(
        "qlive-system", "IM user in whose name the server speaks; apps expect this one."
    )
    ping_ticker_s: float = seconds(5, "Time between two pings over IM.", means_default=zero)
    pong_timeout_s: float = seconds(
        20, "Silence after which an IM user is offline; longer than `ping_ticker_s`.", means_default=zero
    )
    push_ttl_s: float = seconds(10, "Time for which a text is tried again that the IM cloud does not take.")
    rongcloud: RongCloud = section(RongCloud, "Instant messages by RongCloud.")


@attrs.frozen(kw_only=True)
class Reconcile:
    """The comparison of qlive's facts with what the clouds know; there is none with the `test` providers."""

    interval_s: float = seconds(30, "Time between two rounds; what is found twice is healed.")
    rooms_per_round: int = number(100, "Rooms that are compared with their RTC room in a round.")
    users_per_round: int = number(100, "Users of whom the IM cloud is asked in a round.")


@attrs.frozen(kw_only=True)
class FeedbackMail:
    """Mails about users' feedback."""

    enabled: bool = flag("Whether feedback is mailed as well as stored.")
    smtp_host: str = text("", "Mail server.")
    smtp_port: int = port(25, "Port of the mail server.")
    tls: MailTls = choice(
        MailTls,
        "auto",
        'Encryption: `"tls"` from the first byte, `"starttls"` before anything is said, `"none"`; `"auto"` is the '
        "first on port 465 and elsewhere STARTTLS if the server offers it, without which there is no login.",
    )
    ca_file: str = text(
        "", "PEM file of the certificates to trust in place of the system's, for a mail server with its own."
    )
    timeout_s: float = seconds(
        20, "Time in which the mail server must let us in, and in which it must take a mail."
    )
    from_: str = text("", "Sender address of the mails.")
    username: str = text("", "User name at the mail server; empty for no login.")
    password: str = text("", "Password at the mail server.", variable="QLIVE_SMTP_PASSWORD", secret=True)
    to: tuple[str, ...] = texts((), "Addresses to which feedback is mailed.")
    retry_times: int = number(
        3,
        "How often a mail that the mail server put off is tried again before it is given up; "
        "while the server cannot be reached, mails wait.",
        lowest=0,
        highest=1000,
    )
    retry_interval_s: float = seconds(
        5,
        "Time before the first of these tries; it doubles from try to try, up to an hour.",
        means_default=zero,
    )


@attrs.frozen(kw_only=True)
class Prometheus:
    """Metrics."""

    metrics_path: str = route("/metrics", "Path under which the HTTP server shows its metrics.")
    enable_push: bool = flag("Whether metrics are also pushed to a gateway.")
    push_url: str = web_url(
        "", "Address of the push gateway; `http://` may be left out.", assumed_scheme="http"
    )
    push_job: str = text("qlive-api", "Job name of the pushed metrics.")
    push_interval_s: float = seconds(30, "Time between two pushes.", means_default=zero_or_less)


@attrs.frozen(kw_only=True)
class Settings:
    """The whole configuration."""

    debug_level: int = number(
        0, "Least level that is logged: 0 debug, 1 info, 2 warnings, 3 errors.", lowest=0, highest=3
    )
    listen_addr: Address = address(":8080", "Address on which the HTTP API listens.")
    default_avatars: tuple[str, ...] = texts(
        ("1.jpg",), "Avatars of which a new account is given a random one."
    )
    max_rooms: int = number(0, "Rooms that may be open at once; 0 for no limit.", lowest=0)
    cors_origins: tuple[str, ...] = origins(
        'Web origins that may call the HTTP API; `"*"` allows all of them.'
    )
    trusted_proxies: tuple[Network, ...] = networks(
        "Proxies, by IP address or network, whose X-Forwarded-For header is believed."
    )
    drain_notice_s: float = seconds(
        0.5, "Time for which everybody is still served at a stop while `/readyz` already says 503."
    )
    store: Store = section(Store, "Where facts are stored.")
    mongo: Mongo = section(Mongo, "A MongoDB server.")
    session: Session = section(Session, "Logins.")
    websocket_conf: WebSocket = section(WebSocket, "The signalling endpoint.")
    signaling: Signaling = section(Signaling, "Offers and answers.")
    presence: Presence = section(Presence, "Presence without a connection.")
    sms: Sms = section(Sms, "Login codes by short message.")
    rtc: Rtc = section(Rtc, "The cloud through which media flows.")
    storage: Storage = section(Storage, "Uploads.")
    im: Im = section(Im, "Chat, bullet comments and gifts.")
    reconcile: Reconcile = section(Reconcile, "Comparing facts with the clouds.")
    feedback_mail: FeedbackMail = section(FeedbackMail, "Mails about users' feedback.")
    prometheus: Prometheus = section(Prometheus, "Metrics.")
