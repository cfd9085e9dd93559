"""Who is connected to RongCloud."""

import msgspec

from qlive_adapters.rongcloud.client import RongCloud, operation
from qlive_core.ports.clouds import ImPresence

_CHECK_ONLINE = operation("check_online", idempotent=True)


class _Online(msgspec.Struct):
    status: str | int  # a text by the documentation


class RongCloudPresence:
    """Asks RongCloud, which counts all devices of a user."""

    def __init__(self, cloud: RongCloud) -> None:
        self._cloud = cloud

    async def is_online(self, user_id: str) -> bool:
        """Tell whether the user is connected with any device."""
        form = [("userId", user_id)]
        answer = await self._cloud.call(_CHECK_ONLINE, "/user/checkOnline", form, _Online)
        return str(answer.status) == "1"


_presence: type[ImPresence] = RongCloudPresence
