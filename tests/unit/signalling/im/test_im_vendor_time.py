"""Times of the IM cloud, whose clock is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.signalling.im.vendor_time import VendorTime

NOW = 1_700_000_000.0
MANY = 8


@pytest.mark.parametrize("ahead", [-3600.0, -60.0, -2.0, 0.0, 0.3, 2.0, 4.9])
def test_the_first_message_is_as_old_as_it_is(ahead: float) -> None:
    """Our clock may be so many seconds ahead of the cloud's, or behind it."""
    assert VendorTime().ours(NOW - ahead, NOW) == pytest.approx(NOW)


@given(
    st.floats(-4000, 4000), st.lists(st.floats(0.01, 0.5), min_size=MANY, max_size=40), st.floats(5.0, 250.0)
)
def test_what_comes_late_is_known_to_be_old(ahead: float, ways: list[float], late: float) -> None:
    """Once a few messages have come in time, whatever the difference of the clocks."""
    times = VendorTime()
    now = NOW
    for way in ways:
        now += 1
        assert times.ours(now - way - ahead, now) <= now
    now += 1
    assert times.ours(now - late - ahead, now) == pytest.approx(now - late + min(ways), abs=0.01)


def test_a_difference_that_changes_is_learnt_anew() -> None:
    """The cloud's clock is set, and minutes later its times mean what they say again."""
    times = VendorTime()
    for n in range(1500):
        now = NOW + n
        seen = times.ours(now - (0.1 if n < 100 else 30.1), now)
    assert seen == pytest.approx(now)
