"""Chat rooms: their life, and what the server says in them.

The vendor destroys a chat room in which nobody came or spoke for an hour; making it again does no harm.
"""

import asyncio
from collections.abc import Collection

import msgspec

from qlive_adapters.rongcloud.client import Done, RongCloud, operation
from qlive_core.ports.clouds import ChatRooms

_OPEN = operation("open_chatroom", idempotent=True)
_CLOSE = operation("close_chatroom", idempotent=True)
_QUERY = operation("query_chatrooms", idempotent=True)
_PUBLISH = operation("publish", idempotent=False)
# The documented limit of other calls that take a list of chat rooms; none is documented for this one.
_QUERY_MAX = 100


class _ChatRoom(msgspec.Struct):
    chrmId: str  # noqa: N815 - the vendor's name


class _Found(msgspec.Struct):
    chatRooms: tuple[_ChatRoom, ...] = ()  # noqa: N815 - the vendor's name


class RongCloudChatRooms:
    """Chat rooms by the calls that the original server uses."""

    def __init__(self, cloud: RongCloud) -> None:
        self._cloud = cloud

    async def open(self, room_id: str, name: str) -> None:
        """Make the chat room."""
        await self._cloud.call(_OPEN, "/chatroom/create", [(f"chatroom[{room_id}]", name)], Done)

    async def close(self, room_id: str) -> None:
        """Destroy the chat room; who is in it is put out."""
        await self._cloud.call(_CLOSE, "/chatroom/destroy", [("chatroomId", room_id)], Done)

    async def existing(self, room_ids: Collection[str]) -> frozenset[str]:
        """Return those of the chat rooms that exist: the vendor leaves out the others."""
        ids = tuple(room_ids)
        batches = [ids[start : start + _QUERY_MAX] for start in range(0, len(ids), _QUERY_MAX)]
        # All at once: together they must take no longer than one.
        return frozenset().union(*await asyncio.gather(*map(self._existing, batches)))

    async def _existing(self, room_ids: Collection[str]) -> frozenset[str]:
        form = [("chatroomId", room_id) for room_id in room_ids]
        found = await self._cloud.call(_QUERY, "/chatroom/query", form, _Found)
        return frozenset(room.chrmId for room in found.chatRooms)

    async def publish(self, room_id: str, *, sender: str, kind: str, content: str) -> None:
        """Say something in the chat room; the sender need not be in it."""
        form = [
            ("fromUserId", sender),
            ("toChatroomId", room_id),
            ("objectName", kind),
            ("content", content),
            ("isPersisted", "1"),
        ]
        await self._cloud.call(_PUBLISH, "/message/chatroom/publish", form, Done)


_rooms: type[ChatRooms] = RongCloudChatRooms
