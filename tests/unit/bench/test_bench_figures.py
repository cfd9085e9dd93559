"""The bench's arithmetic: what its percentiles, medians and ratios mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.bench.figures import Figures, Quantiles, boil_down, quantile, rate_ratio, typical
from qlive_app.bench.slices import Work


def figures(rate: float, p99_ms: float = 2.0) -> Figures:
    return Figures(rate, {"step": Quantiles(1.0, p99_ms), "other": Quantiles(3.0, 4.0)}, 50.0, 1.0, 0.5)


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_the_first_value_that_covers_the_share(values: list[float], share: float) -> None:
    """At least the share of the values is no larger than the quantile, and fewer are smaller than it."""
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-9
    assert sum(value < found for value in ordered) < share * len(ordered)


def test_the_slowest_of_a_hundred_is_beyond_the_p99() -> None:
    """One outlier in a hundred operations does not make the p99, a second one does."""
    assert quantile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert quantile([1.0] * 98 + [9.0] * 2, 0.99) == 9.0


def test_a_slice_becomes_rates_milliseconds_and_cost_per_operation() -> None:
    """Two hundred operations in two seconds that took one second of processor time cost 5000 µs each."""
    work = Work(200, 2.0, {"step": [0.003, 0.001, 0.002]})
    boiled = boil_down(work, server_cpu_s=1.0, load_cpu_s=0.5)
    assert boiled == Figures(100.0, {"step": Quantiles(2.0, 3.0)}, 5000.0, 0.5, 0.25)


def test_the_store_has_a_cost_of_its_own_where_it_is_a_process_of_its_own() -> None:
    """Without one its cost is unknown, not nothing, in each slice and over the rounds."""
    work = Work(200, 2.0, {"step": [0.001]})
    beside = boil_down(work, server_cpu_s=1.0, load_cpu_s=0.5, store_cpu_s=0.4)
    assert beside.store_us == pytest.approx(2000.0)
    assert beside.store_busy == pytest.approx(0.2)
    assert typical([beside]) == beside
    within = boil_down(work, server_cpu_s=1.0, load_cpu_s=0.5)
    assert (typical([within]).store_us, typical([within]).store_busy) == (None, None)


def test_one_disturbed_round_of_three_does_not_count() -> None:
    """The typical figures are those of the round in the middle, each figure by itself."""
    assert typical([figures(90, 3.0), figures(5, 70.0), figures(100, 2.0)]) == figures(90, 3.0)


def test_rates_are_compared_within_their_round() -> None:
    """A machine that is half as fast in one round slows both sides, so the ratio stays what it is."""
    own, yardstick = [figures(40), figures(20), figures(44)], [figures(100), figures(50), figures(100)]
    assert rate_ratio(own, yardstick) == pytest.approx(0.4)


def test_rounds_that_do_not_pair_up_are_refused() -> None:
    """A ratio over rounds that the yardstick did not run in would be a lie."""
    with pytest.raises(ValueError, match="shorter"):
        rate_ratio([figures(1), figures(1)], [figures(1)])
