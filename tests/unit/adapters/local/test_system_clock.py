"""The process's own time: it never steps, and stands still while the process does."""

from hypothesis import given
from hypothesis import strategies as st

from qlive_adapters.local import BEAT_S, SystemClock


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self) -> None:
        self.passed = 1000.0
        self.shown = 1_700_000_000.0

    def wall(self) -> float:
        return self.shown

    def monotonic(self) -> float:
        return self.passed

    def run(self, seconds: float) -> None:
        self.passed += seconds
        self.shown += seconds


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-4000, 4000))))
def test_steps_of_the_machines_clock_change_nothing(history: list[tuple[float, float]]) -> None:
    """However often and far it is set, our time is the time that has passed; outsiders are told the machine's."""
    machine = Machine()
    clock = SystemClock(machine.wall, machine.monotonic)
    began = clock.now()
    assert began == machine.shown
    total = 0.0
    for seconds, step in history:
        machine.run(seconds)
        machine.shown += step
        total += seconds
        assert abs(clock.now() - began - total) < 0.001
        assert clock.wall() == machine.shown


@given(st.lists(st.tuples(st.floats(0, 4), st.booleans()), max_size=12))
def test_it_never_goes_back(history: list[tuple[float, bool]]) -> None:
    """Whether beats come in time or late, and whenever somebody asks: a revision begins with this time."""
    machine = Machine()
    clock = SystemClock(machine.wall, machine.monotonic)
    clock.beat()
    latest = clock.now()
    for seconds, beats in history:
        machine.run(seconds)
        if beats:
            clock.beat()
        assert clock.now() >= latest
        latest = clock.now()


def test_a_pause_does_not_count() -> None:
    """A process that was stopped goes on where it was, however long that took."""
    machine = Machine()
    clock = SystemClock(machine.wall, machine.monotonic)
    for _ in range(10):
        clock.beat()
        machine.run(BEAT_S)
    before = clock.now()
    machine.run(3600)
    assert 0 <= clock.now() - before < 1
    clock.beat()
    machine.run(1.5)  # merely busy
    assert abs(clock.now() - before - 1.5) < 1


def test_without_beats_all_time_counts() -> None:
    """A short-lived command need not beat."""
    machine = Machine()
    clock = SystemClock(machine.wall, machine.monotonic)
    before = clock.now()
    machine.run(3600)
    assert clock.now() - before == 3600


def test_it_goes_on_where_an_earlier_process_was() -> None:
    """The machine's clock was set back between the two lives."""
    machine = Machine()
    clock = SystemClock(machine.wall, machine.monotonic)
    clock.not_before(machine.shown + 3600)
    assert clock.now() == machine.shown + 3600
    clock.not_before(machine.shown)
    assert clock.now() == machine.shown + 3600
