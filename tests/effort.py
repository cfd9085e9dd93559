"""How hard the long property tests try: a little on every change, much harder where there is time."""

import os

_FACTOR = int(os.environ.get("QLIVE_TEST_EFFORT", "1"))


def examples(number: int) -> int:
    """Return how many examples to try where ``number`` are enough for a glance."""
    return number * _FACTOR
