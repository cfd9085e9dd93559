"""Whoever starts waits longer for a store than a user would: its disk may still be busy with what the start made it do."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STARTING = 20.0
"""How many times as long as usual each call may take during a start. What one call reads does not grow."""

_factor: ContextVar[float] = ContextVar("patience", default=1.0)


@contextmanager
def patiently() -> Iterator[None]:
    """Give every call from here to a store more time."""
    token = _factor.set(STARTING)
    try:
        yield
    finally:
        _factor.reset(token)


def patience() -> float:
    """Return how many times as long as usual a call may take here."""
    return _factor.get()
