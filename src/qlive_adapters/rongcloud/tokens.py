"""Tokens with which clients connect."""

import msgspec

from qlive_adapters.rongcloud.client import RongCloud, operation
from qlive_core.ports.clouds import ImCloud

_USER_TOKEN = operation("user_token", idempotent=True)
_NAME_UNITS = 64
_NAME_BYTES = 128
_PORTRAIT_BYTES = 1024


class _Token(msgspec.Struct):
    token: str


class RongCloudTokens:
    """Registers users with RongCloud as they ask for tokens."""

    def __init__(self, cloud: RongCloud) -> None:
        self._cloud = cloud

    async def user_token(self, user_id: str, *, nickname: str, avatar: str) -> str:
        """Return the user's token, which is opaque: the vendor may hide addresses in it."""
        form = [
            ("userId", user_id),
            ("name", display_name(nickname) or user_id),
            ("portraitUri", avatar if len(avatar.encode()) <= _PORTRAIT_BYTES else ""),
        ]
        return (await self._cloud.call(_USER_TOKEN, "/user/getToken", form, _Token)).token


def display_name(nickname: str) -> str:
    """Return as much of a nickname as the vendor takes: 64 characters, by the count of UTF-16, and 128 bytes."""
    cut = nickname.encode("utf-16-le")[: 2 * _NAME_UNITS].decode("utf-16-le", "ignore")
    return cut.encode()[:_NAME_BYTES].decode("utf-8", "ignore")


_im: type[ImCloud] = RongCloudTokens
