"""Which host is used: the first until it fails, and no chasing around when all are bad."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qlive_adapters.outgoing.hosts import SWAP_INTERVAL_S, Hosts


def test_stays_with_the_other_one() -> None:
    """A host that failed is left for good, until the other one fails."""
    hosts = Hosts(["a", "b"])
    assert (hosts.current, hosts.several, hosts.after("a"), hosts.after("b")) == ("a", True, "b", "a")
    hosts.failed("a", 0.0)
    assert hosts.current == "b"
    hosts.failed("b", SWAP_INTERVAL_S - 0.1)
    assert hosts.current == "b"
    hosts.failed("b", SWAP_INTERVAL_S)
    assert hosts.current == "a"


def test_late_news_of_the_left_host() -> None:
    """Calls that were under way to the host that was left do not drive anybody back to it."""
    hosts = Hosts(["a", "b"])
    hosts.failed("a", 0.0)
    hosts.failed("a", SWAP_INTERVAL_S + 1)
    assert hosts.current == "b"


def test_an_only_host() -> None:
    """With one host there is nothing to choose."""
    hosts = Hosts(["a"])
    hosts.failed("a", 0.0)
    assert (hosts.current, hosts.several, hosts.after("a")) == ("a", False, "a")


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 20)), max_size=30),
)
def test_swaps_are_seldom(count: int, failures: list[tuple[int, float]]) -> None:
    """Whatever fails and when, two swaps are at least the interval apart, and each leaves the host that failed."""
    names = ["a", "b", "c", "d"][:count]
    hosts = Hosts(names)
    now, swaps = 0.0, []
    for index, pause in failures:
        now += pause
        before, failed = hosts.current, names[index % count]
        hosts.failed(failed, now)
        if hosts.current != before:
            assert (failed, hosts.current) == (before, hosts.after(before))
            swaps.append(now)
    assert all(later - earlier >= SWAP_INTERVAL_S for earlier, later in pairwise(swaps))
