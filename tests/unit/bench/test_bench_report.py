"""What the bench tells people at the end."""

import io
import json

import pytest
from rich.console import Console

from qlive_app.bench.aims import Result, results
from qlive_app.bench.figures import Figures, Quantiles
from qlive_app.bench.memory import Memory
from qlive_app.bench.pk_load import CYCLE, STEPS
from qlive_app.bench.plan import PARTS, Name, Outcome, Settings
from qlive_app.bench.record import as_json
from qlive_app.bench.report import tables

SETTINGS = Settings(
    parts=frozenset(PARTS), pairs=(50,), seconds=1.0, rounds=1, connections=10, stores=("sqlite", "mongo")
)
PK_STEPS = (CYCLE, *STEPS)


def figures(
    rate: float,
    *,
    load_busy: float = 0.5,
    store_busy: float | None = None,
    steps: tuple[str, ...] = ("request",),
) -> list[Figures]:
    quantiles = dict.fromkeys(steps, Quantiles(1.25, 9.5))
    store_us = None if store_busy is None else 120.0
    return [Figures(rate, quantiles, 50.0, 1.0, load_busy, store_us, store_busy)]


def outcome(*, echo_load: float = 0.5, store_busy: float = 0.2) -> Outcome:
    rounds = {
        Name("W"): figures(30_000, load_busy=echo_load),
        Name("M"): figures(4_000, load_busy=0.0, store_busy=0.4),
        Name("pk-50", "sqlite"): figures(1_000, steps=PK_STEPS),
        Name("pk-50", "mongo"): figures(1_500, steps=PK_STEPS, store_busy=store_busy),
        Name("H"): figures(10_000),
        Name("list", "sqlite"): figures(5_000),
        Name("list", "mongo"): figures(3_000, store_busy=0.0),
        Name("room", "sqlite"): figures(6_900),
        Name("room", "mongo"): figures(6_100, store_busy=0.0),
    }
    memory = {"sqlite": Memory(10, 1.5, 24.0), "mongo": Memory(10, 1.5, 25.5)}
    return Outcome(rounds, memory, "6.0.1")


def shown(result: Outcome) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(tables(result))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_results_are_shares_of_the_yardsticks_of_each_store() -> None:
    """A thousand cycles are half of a fifteenth of thirty thousand echoes, and a quarter of M on MongoDB."""
    found = results(outcome())
    assert {name: (round(each.value, 3), each.unit, each.met) for name, each in found.items()} == {
        Name("pk-50", "sqlite"): (0.5, "W/15", False),
        Name("pk-50", "mongo"): (1.5, "M/4", True),
        Name("list", "sqlite"): (0.5, "H", True),
        Name("list", "mongo"): (0.3, "H", False),
        Name("room", "sqlite"): (0.69, "H", False),
        Name("room", "mongo"): (0.61, "H", True),
        Name("memory", "sqlite"): (24.0, "KiB", True),
        Name("memory", "mongo"): (25.5, "KiB", False),
    }


def test_a_terminal_of_80_columns_shows_everything() -> None:
    """Nothing is cut off: each measure is there on each store with its result and its mark."""
    text = shown(outcome())
    assert "…" not in text
    for words in (
        "0.50 W/15 ✗",
        "1.50 M/4 ✓",
        "0.50 H ✓",
        "0.61 H ✓",
        "24.00 KiB ✓",
        "25.50 KiB ✗",
        "start-pk → on-pk-offer",
        "PK steps on mongo",
        "1.25 / 9.50",
    ):
        assert words in text


def test_a_load_generator_at_its_limit_is_owned_up_to() -> None:
    """A figure that says more of the bench than of the server carries a remark."""
    assert "was the limit" not in shown(outcome())
    assert "was the limit of: W: echo" in shown(outcome(echo_load=0.97))


def test_a_core_that_mongod_and_the_load_fill_is_owned_up_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """On two cores neither of them looks busy alone; on three they are not in each other's way."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    assert "was full" not in shown(outcome())
    assert "was full during: PK, 50 pairs mongo" in shown(outcome(store_busy=0.45))
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1, 2})
    assert "was full" not in shown(outcome(store_busy=0.45))


def test_a_part_alone_is_reported_alone() -> None:
    """Without the yardstick or the measure there is no ratio, and no empty table."""
    alone = Outcome({Name("H"): figures(10_000)})
    assert results(alone) == {}
    assert "PK steps" not in shown(alone)


def test_the_json_holds_machine_versions_and_every_round() -> None:
    """A later run can be compared with this one from the file alone."""
    document = json.loads(json.dumps(as_json(outcome(), SETTINGS)))
    sqlite, mongo = document["stores"]["sqlite"], document["stores"]["mongo"]
    assert sqlite["measures"]["list"]["rounds"][0]["rate"] == 5_000
    assert mongo["measures"]["pk-50"]["typical"]["store_us"] == 120.0
    assert document["yardsticks"]["M"]["typical"]["rate"] == 4_000
    assert sqlite["results"]["pk-50"] == {
        "value": 0.5,
        "aim": 1.0,
        "unit": "W/15",
        "at_most": False,
        "met": False,
    }
    assert mongo["memory"]["connection_kib"] == 25.5
    assert document["machine"]["cores"] >= 1
    assert {"python", "uvicorn", "litestar", "pymongo"} <= set(document["versions"])
    assert document["versions"]["mongod"] == "6.0.1"
    assert document["settings"]["parts"] == sorted(PARTS)


@pytest.mark.parametrize(
    ("result", "met"),
    [
        (Result(0.4, 0.4, "H"), True),
        (Result(0.39, 0.4, "H"), False),
        (Result(25.0, 25.0, "KiB", at_most=True), True),
        (Result(25.1, 25.0, "KiB", at_most=True), False),
    ],
)
def test_an_aim_is_met_at_its_very_value(result: Result, met: bool) -> None:
    """Rates aim for at least, memory for at most the value."""
    assert result.met is met
