"""Clouds that reach people: text messages, media, instant messages, files."""

from typing import Literal, Protocol

Permission = Literal["admin", "user"]


class SmsSender(Protocol):
    """Sends codes by text message."""

    async def send_code(self, phone: str, code: str) -> None:
        """Send ``code`` to ``phone``. Raises ProviderUnavailable if it was not taken for delivery."""
        ...


class RtcCloud(Protocol):
    """The media cloud, as far as it needs no call: tokens and addresses."""

    def room_token(self, *, room_id: str, user_id: str, permission: Permission, now: float) -> str:
        """Return a signed token with which the user may join the RTC room, valid from ``now``."""
        ...

    def play_url(self, host_id: str) -> str:
        """Return where the stream of that host can be watched."""
        ...


class ImCloud(Protocol):
    """The instant-message cloud."""

    async def user_token(self, user_id: str) -> str:
        """Return the token with which the user connects. Raises ProviderUnavailable."""
        ...


class UploadTokens(Protocol):
    """Signs permissions to upload one file."""

    def upload_token(self, *, filename: str, user_id: str, deadline: int) -> str:
        """Return a token for exactly that file, valid until ``deadline`` (Unix seconds)."""
        ...
