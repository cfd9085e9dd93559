"""Signalling over IM: private texts in the system user's name."""

from collections.abc import Sequence

import msgspec

from qlive_adapters.rongcloud.callbacks import TEXT_MESSAGE
from qlive_adapters.rongcloud.client import Done, RongCloud, operation
from qlive_core.ports.clouds import ImSignals

# Sending twice is saying twice, and no app looks for duplicates.
_SEND = operation("send_signal", idempotent=False)
# The apps take messages as they get them; none is for the user's history, his unread count or his lock screen.
_FLAGS = (
    ("count", "0"),
    ("isPersisted", "0"),
    ("isCounted", "0"),
    ("isIncludeSender", "0"),
    ("verifyBlacklist", "0"),
    ("contentAvailable", "0"),
)


class _User(msgspec.Struct):
    id: str = ""
    name: str = ""
    icon: str = ""
    extra: str = ""


class _Text(msgspec.Struct):
    """The content of a text message as the original server writes it."""

    content: str
    user: _User = msgspec.field(default_factory=_User)
    extra: str = ""


class RongCloudSignals:
    """Speaks as ``system_user_id``, whom the apps know."""

    def __init__(self, cloud: RongCloud, system_user_id: str) -> None:
        self._cloud = cloud
        self._system_user_id = system_user_id

    async def send(self, user_ids: Sequence[str], text: str) -> None:
        """Send the text to up to 1000 users, the most that the vendor takes in one call."""
        form = [
            ("fromUserId", self._system_user_id),
            *(("toUserId", user_id) for user_id in user_ids),
            ("objectName", TEXT_MESSAGE),
            ("content", text_content(text)),
            *_FLAGS,
        ]
        await self._cloud.call(_SEND, "/message/private/publish", form, Done)


def text_content(text: str) -> str:
    """Return the content of a text message that says ``text``."""
    return msgspec.json.encode(_Text(text)).decode()


_signals: type[ImSignals] = RongCloudSignals
