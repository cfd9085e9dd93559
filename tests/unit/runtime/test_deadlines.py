"""Deadlines: looked at when they come, in order, and not at all once they are disarmed."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlive_app.runtime.deadlines import Deadlines
from qlive_app.runtime.metrics import Metrics
from qlive_core.effects import Arm, DeadlineKind, Disarm, Effect, Outcome
from qlive_core.errors import StoreUnavailable

KIND = DeadlineKind.PK_OFFER
START = 1_700_000_000.0
keys = st.sampled_from("abcd")
moments = st.integers(-3, 3)


class HandClock:
    """Shows what the test sets."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.now()


class Looks:
    """Counts what is looked at; ``failing`` looks fail first."""

    def __init__(self, failing: int = 0) -> None:
        self.at: list[str] = []
        self.failing = failing
        self.looked = asyncio.Event()

    async def expire(self, key: str) -> Outcome[bool]:
        self.at.append(key)
        self.looked.set()
        if self.failing:
            self.failing -= 1
            raise StoreUnavailable("away")
        return Outcome(True)


def ignored(_effects: Iterable[Effect]) -> None:
    """Carry out nothing."""


@contextmanager
def at_work(deadlines: Deadlines, looks: Looks) -> Iterator[None]:
    """Let the timer run."""
    task = asyncio.ensure_future(deadlines.run({KIND: looks.expire}, ignored))
    try:
        yield
    finally:
        task.cancel()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), keys, moments)))
def test_what_is_due_and_armed_is_looked_at_once(history: list[tuple[bool, str, int]]) -> None:
    """Whatever was armed and disarmed before, in order of time; the rest is not."""

    async def play() -> None:
        deadlines, looks = Deadlines(HandClock(), Metrics()), Looks()
        armed: set[tuple[float, str]] = set()
        for arms, key, moment in history:
            arm = Arm(KIND, key, START + moment)
            if arms:
                deadlines.arm(arm)
                armed.add((arm.at, key))
            else:
                deadlines.disarm(Disarm(arm))
                armed.discard((arm.at, key))
        deadlines.arm(Arm(KIND, "last", START))
        with at_work(deadlines, looks):
            while "last" not in looks.at:
                await looks.looked.wait()
                looks.looked.clear()
        due = sorted((at, key) for at, key in armed if at <= START)
        assert [key for key in looks.at if key != "last"] == [key for _, key in due]

    asyncio.run(play())


async def test_a_sooner_deadline_is_not_slept_through() -> None:
    """What is armed while the timer waits for something later is looked at in its own time."""
    clock, looks = HandClock(), Looks()
    deadlines = Deadlines(clock, Metrics())
    deadlines.arm(Arm(KIND, "later", START + 0.9))
    with at_work(deadlines, looks):
        await asyncio.sleep(0)
        deadlines.arm(Arm(KIND, "now", START))
        async with asyncio.timeout(0.5):
            await looks.looked.wait()
    assert looks.at == ["now"]


async def test_a_look_that_failed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away loses no deadline."""
    monkeypatch.setattr("qlive_app.runtime.deadlines._RETRY_S", 0.0)
    looks = Looks(failing=2)
    deadlines = Deadlines(HandClock(), Metrics())
    deadlines.arm(Arm(KIND, "a", START))
    with at_work(deadlines, looks):
        async with asyncio.timeout(5):
            while len(looks.at) < 3:
                await looks.looked.wait()
                looks.looked.clear()
    assert looks.at == ["a", "a", "a"]
