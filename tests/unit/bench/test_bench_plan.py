"""What a run measures, and in which order."""

import pytest

from qlive_app.bench.plan import PARTS, Name, Settings


def order(parts: set[str], *stores: str) -> list[str]:
    settings = Settings(
        parts=frozenset(parts), pairs=(1, 50), seconds=1.0, rounds=1, connections=10, stores=stores
    )
    return [f"{name.measure} {name.store}".rstrip() for name in settings.measures]


def test_both_stores_take_turns_at_each_measure() -> None:
    """The stores are compared slice by slice, each beside the yardstick that it is held to."""
    assert order(set(PARTS), "sqlite", "mongo") == [
        "W",
        "M",
        "pk-1 sqlite",
        "pk-1 mongo",
        "pk-50 sqlite",
        "pk-50 mongo",
        "H",
        "list sqlite",
        "list mongo",
        "room sqlite",
        "room mongo",
    ]


@pytest.mark.parametrize(
    ("parts", "stores", "expected"),
    [
        ({"pk"}, ("sqlite",), ["W", "pk-1 sqlite", "pk-50 sqlite"]),
        ({"pk"}, ("mongo",), ["M", "pk-1 mongo", "pk-50 mongo"]),
        ({"room"}, ("mongo",), ["H", "room mongo"]),
        ({"yardsticks"}, ("sqlite", "mongo"), ["W", "M", "H"]),
        ({"memory"}, ("mongo",), []),
    ],
)
def test_a_part_brings_its_yardstick_and_no_other(
    parts: set[str], stores: tuple[str, ...], expected: list[str]
) -> None:
    """Nobody waits for what is not asked for, and no figure lacks what it is held against."""
    assert order(parts, *stores) == expected


def test_progress_is_told_once_for_each_slice_and_weighing() -> None:
    """A warming-up and a round of each measure, the start, and a weighing for each store."""
    settings = Settings(
        parts=frozenset({"pk", "memory"}),
        pairs=(50,),
        seconds=1.0,
        rounds=1,
        connections=10,
        stores=("sqlite", "mongo"),
    )
    assert Name("pk-50", "mongo") in settings.measures
    assert settings.steps == 4 * 2 + 1 + 2
