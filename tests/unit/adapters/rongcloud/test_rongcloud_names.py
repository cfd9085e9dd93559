"""Names are cut to what the vendor takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_adapters.rongcloud.tokens import display_name


@given(st.text(max_size=200))
def test_limits(nickname: str) -> None:
    """Whatever a nickname is made of, its beginning is used, within both limits."""
    name = display_name(nickname)
    assert nickname.startswith(name)
    assert len(name.encode()) <= 128
    assert len(name.encode("utf-16-le")) <= 128


@pytest.mark.parametrize(
    ("nickname", "name"),
    [("a" * 65, "a" * 64), ("爱" * 50, "爱" * 42), ("😀" * 40, "😀" * 32), ("Bob", "Bob")],
)
def test_no_shorter_than_needed(nickname: str, name: str) -> None:
    """Only what is too long is cut, between characters."""
    assert display_name(nickname) == name
