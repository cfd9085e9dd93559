"""What operators hear of the IM cloud: that it fails, and that it is back, but not with every call."""

import asyncio
from collections.abc import Sequence

import pytest

from qlive_app.signalling.im.watched import WatchedIm
from qlive_core.errors import ProviderUnavailable

from .virtual_time import in_no_time


class Cloud:
    """Takes texts and gives tokens, or fails to."""

    def __init__(self) -> None:
        self.fails = False

    async def send(self, user_ids: Sequence[str], text: str) -> None:
        """Take the text."""
        self._answer()

    async def user_token(self, user_id: str, *, nickname: str, avatar: str) -> str:
        """Return a token."""
        self._answer()
        return "token"

    def _answer(self) -> None:
        if self.fails:
            raise ProviderUnavailable("cloud")


def test_a_cloud_that_fails_now_and_then_is_not_said_to_be_back_each_time() -> None:
    """Twenty calls a second of which every other one fails: one report of trouble, and one when that is over."""
    reports: list[str] = []
    cloud = Cloud()
    signals = WatchedIm(cloud, cloud, reports.append, system_user_id="system")

    async def flapping() -> None:
        watch = asyncio.create_task(signals.run())
        await asyncio.sleep(1)
        for n in range(40):
            cloud.fails = n % 2 == 0
            if cloud.fails:
                with pytest.raises(ProviderUnavailable):
                    await signals.send(["ann"], "ping={}")
            else:
                await signals.send(["ann"], "ping={}")
            await asyncio.sleep(0.05)
        await asyncio.sleep(4)
        watch.cancel()

    in_no_time(flapping())
    assert [bool(trouble) for trouble in reports] == [True, False, True, False]


def test_the_cloud_is_asked_until_it_answers() -> None:
    """While it fails nothing is said twice."""
    reports: list[str] = []
    cloud = Cloud()
    cloud.fails = True
    signals = WatchedIm(cloud, cloud, reports.append, system_user_id="system")

    async def down_for_a_while() -> None:
        watch = asyncio.create_task(signals.run())
        await asyncio.sleep(10)
        assert len(reports) == 2
        cloud.fails = False
        await asyncio.sleep(3)
        watch.cancel()

    in_no_time(down_for_a_while())
    assert [bool(trouble) for trouble in reports] == [True, True, False]
