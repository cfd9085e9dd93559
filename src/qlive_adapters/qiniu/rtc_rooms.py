"""Who is in the rooms of the RTC cloud.

Source: the vendor's pages on its server API and its Go SDK. Rooms come with their first user and go with their last.
A kicked user can join again for as long as his token holds.
"""

from urllib.parse import quote

import msgspec
from attrs import frozen

from qlive_adapters.outgoing import Answer, Operation, Vendor
from qlive_adapters.qiniu.api import delete, done, get, is_success, refusal, vendors_words
from qlive_core.ports.clouds import RtcRooms

_MEMBERS = Operation("members", idempotent=True)
_KICK = Operation("kick", idempotent=True)


class _User(msgspec.Struct, rename="camel"):
    user_id: str


class _Users(msgspec.Struct):
    users: list[_User] | None = None


_decode_users = msgspec.json.Decoder(_Users).decode


@frozen
class QiniuRtcRooms:
    """The rooms of the RTC application ``app_id``."""

    vendor: Vendor
    app_id: str

    async def members(self, room_id: str) -> frozenset[str]:
        """Return the users in the room, nobody if there is no such room."""
        return await self.vendor.call(_MEMBERS, get(self._users(room_id)), _members)

    async def kick(self, room_id: str, user_id: str) -> None:
        """Put the user out, if he is in."""
        path = f"{self._users(room_id)}/{quote(user_id, safe='')}"
        await self.vendor.call(_KICK, delete(path), _kicked)

    def _users(self, room_id: str) -> str:
        return f"/v3/apps/{self.app_id}/rooms/{quote(room_id, safe='')}/users"


def is_nobody_there(answer: Answer) -> bool:
    """Tell whether the vendor knows no such room or user.

    612 also says that it knows no such application, which is a mistake in the configuration.
    """
    return answer.status == 615 or (answer.status == 612 and "app not found" not in vendors_words(answer))


def _members(answer: Answer) -> frozenset[str]:
    if is_nobody_there(answer):
        return frozenset()
    if not is_success(answer):
        raise refusal(answer)
    return frozenset(user.user_id for user in _decode_users(answer.content).users or ())


def _kicked(answer: Answer) -> None:
    if not is_nobody_there(answer):
        done(answer)


_rooms: type[RtcRooms] = QiniuRtcRooms
