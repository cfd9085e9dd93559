"""RongCloud: instant messages, chat rooms and their order, and the callbacks with which it reports."""

from qlive_adapters.rongcloud.chatrooms import RongCloudChatRooms
from qlive_adapters.rongcloud.client import RongCloud
from qlive_adapters.rongcloud.moderation import RongCloudModeration
from qlive_adapters.rongcloud.presence import RongCloudPresence
from qlive_adapters.rongcloud.reports import RongCloudReports
from qlive_adapters.rongcloud.signals import RongCloudSignals
from qlive_adapters.rongcloud.signing import Application
from qlive_adapters.rongcloud.tokens import RongCloudTokens

__all__ = [
    "Application",
    "RongCloud",
    "RongCloudChatRooms",
    "RongCloudModeration",
    "RongCloudPresence",
    "RongCloudReports",
    "RongCloudSignals",
    "RongCloudTokens",
]
