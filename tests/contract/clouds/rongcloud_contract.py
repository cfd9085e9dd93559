"""What is relied on at RongCloud, whoever plays it. A player is known by its address and has the fake's keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest

from qlive_adapters.rongcloud import (
    Application,
    RongCloud,
    RongCloudChatRooms,
    RongCloudModeration,
    RongCloudPresence,
    RongCloudSignals,
    RongCloudTokens,
)
from qlive_app.fakes.keys import RONGCLOUD
from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import ProviderUnavailable

SYSTEM = "qlive-system"


@asynccontextmanager
async def connected(
    *urls: str, application: Application | None = None, metrics: Metrics | None = None
) -> AsyncIterator[RongCloud]:
    """Be a client of whoever plays RongCloud at these addresses."""
    cloud = RongCloud(application or Application(RONGCLOUD.key, RONGCLOUD.secret), urls, metrics or Metrics())
    try:
        yield cloud
    finally:
        await cloud.aclose()


class RongCloudContract:
    """Inherit, and give a fixture ``url``."""

    @pytest.fixture
    async def cloud(self, url: str) -> AsyncIterator[RongCloud]:
        async with connected(url) as cloud:
            yield cloud

    async def test_tokens(self, cloud: RongCloud) -> None:
        """Everybody has a token of his own, be his name and his picture as they may."""
        tokens = RongCloudTokens(cloud)
        people = [
            ("u1", "Alice", "https://cdn.example.com/a.png"),
            ("u2", "爱" * 200, "x" * 2000),
            ("u3", "", ""),
        ]
        found = [await tokens.user_token(key, nickname=name, avatar=avatar) for key, name, avatar in people]
        assert all(found)
        assert len(set(found)) == 3

    async def test_nobody_is_online_by_himself(self, cloud: RongCloud) -> None:
        """A token is no connection."""
        await RongCloudTokens(cloud).user_token("u1", nickname="Alice", avatar="a.png")
        assert not await RongCloudPresence(cloud).is_online("u1")

    async def test_chat_rooms_come_and_go(self, cloud: RongCloud) -> None:
        """Opening and closing twice is as good as once; only what was opened exists."""
        rooms = RongCloudChatRooms(cloud)
        mine, other = token_hex(8), token_hex(8)
        for _ in range(2):
            await rooms.open(mine, "A & B = 爱")
            assert await rooms.existing([mine, other]) == {mine}
        for _ in range(2):
            await rooms.close(mine)
            assert await rooms.existing({mine, other}) == frozenset()

    async def test_nothing_to_look_for(self, cloud: RongCloud) -> None:
        """Of no rooms none exists."""
        assert await RongCloudChatRooms(cloud).existing([]) == frozenset()

    async def test_many_chat_rooms(self, cloud: RongCloud) -> None:
        """So many that one call could not ask for them."""
        rooms = RongCloudChatRooms(cloud)
        room = token_hex(8)
        await rooms.open(room, "Room")
        assert await rooms.existing([f"none{number}" for number in range(250)] + [room]) == {room}

    async def test_saying_something(self, cloud: RongCloud) -> None:
        """The server speaks in chat rooms, and to many people at once."""
        room = token_hex(8)
        await RongCloudChatRooms(cloud).open(room, "Room")
        await RongCloudChatRooms(cloud).publish(room, sender=SYSTEM, kind="app:gift", content='{"id":"rose"}')
        await RongCloudSignals(cloud, SYSTEM).send([f"u{number}" for number in range(1000)], "pong={}")

    async def test_order(self, cloud: RongCloud) -> None:
        """Each measure can be taken twice and lifted twice, also against those who are not there."""
        room = token_hex(8)
        await RongCloudChatRooms(cloud).open(room, "Room")
        moderation = RongCloudModeration(cloud)
        for _ in range(2):
            await moderation.kick(room, "u1", minutes=1)
            await moderation.gag(room, "u1", minutes=43200)
            await moderation.ban("u1", minutes=10)
        for _ in range(2):
            await moderation.readmit(room, "u1")
            await moderation.ungag(room, "u1")
            await moderation.unban("u1")

    @pytest.mark.parametrize(
        "application",
        [Application(RONGCLOUD.key, "wrong"), Application("wrong", RONGCLOUD.secret)],
        ids=["secret", "key"],
    )
    async def test_wrong_keys(self, url: str, application: Application) -> None:
        """With wrong keys nothing works, and that is the cloud's unavailability to everybody else."""
        async with connected(url, application=application) as cloud:
            with pytest.raises(ProviderUnavailable) as caught:
                await RongCloudPresence(cloud).is_online("u1")
            assert caught.value.provider == "rongcloud"
