"""Order in chat rooms. What the server itself says is not subject to any of it."""

from qlive_adapters.rongcloud.client import Done, RongCloud, operation
from qlive_core.ports.clouds import ChatModeration

_KICK = operation("kick", idempotent=True)
_READMIT = operation("readmit", idempotent=True)
_GAG = operation("gag", idempotent=True)
_UNGAG = operation("ungag", idempotent=True)
_BAN = operation("ban", idempotent=True)
_UNBAN = operation("unban", idempotent=True)


class RongCloudModeration:
    """Blocks, gags and bans, which end by themselves."""

    def __init__(self, cloud: RongCloud) -> None:
        self._cloud = cloud

    async def kick(self, room_id: str, user_id: str, *, minutes: int) -> None:
        """Block the user from the chat room, which throws him out."""
        form = [*_person(room_id, user_id), ("minute", str(minutes))]
        await self._cloud.call(_KICK, "/chatroom/user/block/add", form, Done)

    async def readmit(self, room_id: str, user_id: str) -> None:
        """Lift the block."""
        await self._cloud.call(_READMIT, "/chatroom/user/block/rollback", _person(room_id, user_id), Done)

    async def gag(self, room_id: str, user_id: str, *, minutes: int) -> None:
        """Gag the user in the chat room."""
        form = [*_person(room_id, user_id), ("minute", str(minutes))]
        await self._cloud.call(_GAG, "/chatroom/user/gag/add", form, Done)

    async def ungag(self, room_id: str, user_id: str) -> None:
        """Lift the gag."""
        await self._cloud.call(_UNGAG, "/chatroom/user/gag/rollback", _person(room_id, user_id), Done)

    async def ban(self, user_id: str, *, minutes: int) -> None:
        """Gag the user in all chat rooms."""
        form = [("userId", user_id), ("minute", str(minutes))]
        await self._cloud.call(_BAN, "/chatroom/user/ban/add", form, Done)

    async def unban(self, user_id: str) -> None:
        """Lift the ban."""
        await self._cloud.call(_UNBAN, "/chatroom/user/ban/remove", [("userId", user_id)], Done)


def _person(room_id: str, user_id: str) -> list[tuple[str, str]]:
    return [("chatroomId", room_id), ("userId", user_id)]


_moderation: type[ChatModeration] = RongCloudModeration
