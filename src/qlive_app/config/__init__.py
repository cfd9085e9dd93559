"""The configuration of the server.

`load_settings(path, environ)` reads a file and gives `Loaded` settings with warnings, or raises one
`ConfigError` that names every problem. What can be configured is declared in `settings`, and
`render_markdown()` describes it.
"""

from qlive_app.config.address import Address
from qlive_app.config.kinds import Network
from qlive_app.config.load import Loaded, load_settings, read_settings
from qlive_app.config.parse import ParseError, parse
from qlive_app.config.problems import ConfigError, Problem
from qlive_app.config.reference import ReferenceRow, reference_rows, render_markdown
from qlive_app.config.settings import (
    FeedbackMail,
    Im,
    ImProvider,
    KeyPair,
    MailTls,
    Mongo,
    PlayFormat,
    PlayTimeBase,
    Presence,
    Prometheus,
    PublishSecurity,
    QiniuSms,
    Reconcile,
    RongCloud,
    Rtc,
    RtcProvider,
    Session,
    Settings,
    Signaling,
    SignalingType,
    Sms,
    SmsProvider,
    Storage,
    Store,
    StoreProvider,
    WebSocket,
)

__all__ = [
    "Address",
    "ConfigError",
    "FeedbackMail",
    "Im",
    "ImProvider",
    "KeyPair",
    "Loaded",
    "MailTls",
    "Mongo",
    "Network",
    "ParseError",
    "PlayFormat",
    "PlayTimeBase",
    "Presence",
    "Problem",
    "Prometheus",
    "PublishSecurity",
    "QiniuSms",
    "Reconcile",
    "ReferenceRow",
    "RongCloud",
    "Rtc",
    "RtcProvider",
    "Session",
    "Settings",
    "Signaling",
    "SignalingType",
    "Sms",
    "SmsProvider",
    "Storage",
    "Store",
    "StoreProvider",
    "WebSocket",
    "load_settings",
    "parse",
    "read_settings",
    "reference_rows",
    "render_markdown",
]
