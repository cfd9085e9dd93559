"""Rounds of comparing: everybody in his turn, suspects in every round, and healing at the second look."""

from collections.abc import Iterable, Iterator

import pytest
from core.sky import Sky
from core.world import World
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.config import Reconcile
from qlive_app.runtime.metrics import Metrics
from qlive_app.runtime.reconciling import Reconciling, Rotation
from qlive_core.effects import Effect
from qlive_core.errors import ProviderUnavailable

keys = st.lists(st.sampled_from("abcdefgh"), unique=True).map(sorted)


@pytest.fixture
def sky() -> Iterator[Sky]:
    """Return a sky over an empty world."""
    world = World()
    yield Sky(world)
    world.close()


@given(keys, st.integers(1, 4))
def test_everybody_has_his_turn(known: list[str], count: int) -> None:
    """In as many rounds as it takes, each is looked at, never more at once than wanted."""
    rotation, seen = Rotation(), set()
    for _ in range(-(-len(known) // count)):
        turn = rotation.next(known, count, ())
        assert len(turn) <= count
        seen |= set(turn)
    assert seen == set(known)


@given(keys, st.sets(st.sampled_from("abcdefghxyz")))
def test_suspects_are_in_every_round(known: list[str], suspects: set[str]) -> None:
    """Those who are there still."""
    assert suspects & set(known) <= set(Rotation().next(known, 1, suspects))


def drifts(metrics: Metrics, fate: str) -> float:
    """Return how many differences had that fate."""
    return sum(
        sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name == "qlive_drift_total" and sample.labels["fate"] == fate
    )


class Rounds:
    """Rounds over a sky, one room and one user at a time."""

    def __init__(self, sky: Sky) -> None:
        self.metrics = Metrics()
        self.effects: list[Effect] = []
        conf = Reconcile(rooms_per_round=1, users_per_round=1)
        self._reconciling = Reconciling(sky.reconciler, conf, self.metrics)

    def _run(self, effects: Iterable[Effect]) -> None:
        self.effects += effects

    async def make(self, number: int = 1) -> None:
        """Make so many rounds."""
        for _ in range(number):
            await self._reconciling.round(self._run)


async def test_what_is_seen_once_is_left_alone(sky: Sky) -> None:
    """Somebody on his way out is no stranger a round later."""
    ann, anns = await sky.world.host(1)
    bob = await sky.world.user(2)
    await sky.chats.open(anns, "room 1")
    rounds = Rounds(sky)
    sky.rtc.inside[anns] = {ann, bob}
    await rounds.make()
    sky.rtc.inside[anns] = {ann}
    await rounds.make(3)
    assert (drifts(rounds.metrics, "found"), drifts(rounds.metrics, "healed")) == (1, 0)


async def test_what_is_seen_twice_is_healed(sky: Sky) -> None:
    """Also when there are more rooms than a round looks at."""
    rooms = [(await sky.world.host(n))[1] for n in range(1, 4)]
    bob = await sky.world.user(9)
    for room in rooms:
        await sky.chats.open(room, room)
        sky.rtc.inside[room] = {bob}
    rounds = Rounds(sky)
    await rounds.make(len(rooms) + 1)
    assert sky.rtc.inside == {room: set() for room in rooms}
    assert (drifts(rounds.metrics, "found"), drifts(rounds.metrics, "healed")) == (3, 3)


async def test_a_cloud_that_does_not_answer_is_no_drift(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is put out, or given up, for a cloud's silence; the others are looked at all the same."""

    async def silent(room_id: str) -> frozenset[str]:
        raise ProviderUnavailable("rtc")

    _, anns = await sky.world.host(1)
    monkeypatch.setattr(sky.rtc, "members", silent)
    rounds = Rounds(sky)
    await rounds.make(2)
    assert sky.chats.open_rooms == {anns: "room 1"}
