"""Pings over IM: who is asked when, in how many calls, and what a slow or broken cloud makes of it."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise

import pytest
from attrs import evolve
from core.world import RULES, World

from qlive_adapters.sqlite.store import SqliteStores
from qlive_app.runtime.metrics import Metrics
from qlive_app.signalling.im.pinger import CALLS_AT_ONCE, USERS_PER_CALL, ImPinger
from qlive_core.effects import Effect, LetGo
from qlive_core.model.presence import Presence

from .cloud import MoodyCloud
from .virtual_time import LoopClock, in_no_time

INTERVAL_S = 5.0
TIMEOUT_S = 20.0
RULES_OVER_IM = evolve(
    RULES, signals_over_im=True, im_ping_interval_s=INTERVAL_S, im_pong_timeout_s=TIMEOUT_S
)


class Scene:
    """Users who are seen over IM, and a pinger at work for a while."""

    def __init__(self, users: int, cloud: MoodyCloud) -> None:
        self.clock = LoopClock()
        self.stores = SqliteStores(":memory:")
        self.world = World(RULES_OVER_IM, stores=self.stores, clock=self.clock)  # type: ignore[arg-type]
        self.cloud = cloud
        self.users = [f"user{n:05d}" for n in range(users)]
        self.strangers: list[str] = []
        self.let_go: list[str] = []

    async def play(self, seconds: float) -> None:
        """Ping for so many seconds."""
        for user_id in self.users:
            await self.stores.presences.add(Presence(user_id, "", "node-1", self.clock.now() + 20, im=True))
            self.world.signs.heard_over_im(user_id, self.clock.now() - INTERVAL_S, self.clock.now())
        pinger = ImPinger(self.world.attendance, self.cloud, self.clock, Metrics(), interval_s=INTERVAL_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await pinger.run(lambda: [*self.strangers, *self.users], self._effects)

    def _effects(self, effects: Iterable[Effect]) -> None:
        self.let_go += [effect.user_id for effect in effects if isinstance(effect, LetGo)]


def played(scene: Scene, seconds: float) -> Scene:
    """Play the scene in no time."""

    async def playing() -> None:
        try:
            await scene.play(seconds)
        finally:
            await scene.stores.close()

    in_no_time(playing())
    return scene


def test_everybody_is_asked_once_per_interval() -> None:
    """Each user at a place of his own in the interval."""
    scene = played(Scene(50, MoodyCloud()), 4 * INTERVAL_S - 1)
    assert [sent.text for sent in scene.cloud.sent] == ["ping={}"] * 4
    assert [sent.at for sent in scene.cloud.sent] == pytest.approx([0, 5, 10, 15])
    assert all(sent.user_ids == tuple(scene.users) for sent in scene.cloud.sent)


def test_a_crowd_is_spread_over_the_interval() -> None:
    """Two thousand users are ten calls of two hundred, half a second apart, and never two at once."""
    scene = played(Scene(2000, MoodyCloud()), INTERVAL_S - 0.1)
    assert [len(sent.user_ids) for sent in scene.cloud.sent] == [USERS_PER_CALL] * 10
    assert [sent.at for sent in scene.cloud.sent] == pytest.approx([n / 2 for n in range(10)])
    assert scene.cloud.most_at_once == 1


def test_a_slow_cloud_slows_the_rounds_and_no_more() -> None:
    """Calls run beside one another, as many as are allowed, and the next round waits for its turn."""
    scene = played(Scene(3000, MoodyCloud(takes_s=3.0)), 16.0)
    assert scene.cloud.most_at_once == CALLS_AT_ONCE
    first = [sent for sent in scene.cloud.sent if scene.users[0] in sent.user_ids]
    assert len(first) >= 2
    assert all(after.at - before.at >= INTERVAL_S - 0.01 for before, after in pairwise(first))


def test_what_was_not_taken_was_not_asked() -> None:
    """A cloud that is down leaves everybody unasked, and nobody is taken for silent."""
    cloud = MoodyCloud()
    cloud.is_down = True
    scene = played(Scene(3, cloud), 30.0)
    assert cloud.calls >= 6
    signs = [scene.world.signs.over_im(user_id) for user_id in scene.users]
    assert [sign and sign.asked_at for sign in signs] == [None] * 3


def test_what_was_taken_was_asked() -> None:
    """The time at which the cloud took the first ping is known."""
    scene = played(Scene(1, MoodyCloud(takes_s=0.5)), 12.0)
    signs = scene.world.signs.over_im(scene.users[0])
    assert signs is not None
    assert signs.asked_at == pytest.approx(1_700_000_000.5)


def test_who_is_gone_is_let_go_and_not_asked() -> None:
    """Somebody without a presence has been missed when he left."""
    scene = Scene(2, MoodyCloud())
    scene.strangers = ["nobody"]
    played(scene, 2.0)
    assert scene.let_go == ["nobody"]
    assert [sent.user_ids for sent in scene.cloud.sent] == [tuple(scene.users)]
