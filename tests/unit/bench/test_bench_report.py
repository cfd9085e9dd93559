"""What the bench tells people at the end."""

import io
import json

import pytest
from rich.console import Console

from qlive_app.bench.aims import Result, results
from qlive_app.bench.figures import Figures, Quantiles
from qlive_app.bench.memory import Memory
from qlive_app.bench.pk_load import CYCLE, STEPS
from qlive_app.bench.plan import PARTS, Outcome, Settings
from qlive_app.bench.record import as_json
from qlive_app.bench.report import tables

SETTINGS = Settings(parts=frozenset(PARTS), pairs=(50,), seconds=1.0, rounds=1, connections=10)


def figures(rate: float, *, load_busy: float = 0.5, steps: tuple[str, ...] = ("request",)) -> list[Figures]:
    return [Figures(rate, dict.fromkeys(steps, Quantiles(1.25, 9.5)), 50.0, 1.0, load_busy)]


def outcome(*, echo_load: float = 0.5) -> Outcome:
    rounds = {
        "W": figures(30_000, load_busy=echo_load),
        "pk-50": figures(1_000, steps=(CYCLE, *STEPS)),
        "H": figures(10_000),
        "list": figures(5_000),
        "room": figures(6_900),
    }
    return Outcome(rounds, Memory(10, login_kib=1.5, connection_kib=24.0))


def shown(result: Outcome) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(tables(result))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_results_are_shares_of_the_yardsticks() -> None:
    """A thousand cycles are half of a fifteenth of thirty thousand echoes; half of H is enough for the list."""
    found = results(outcome())
    assert {name: (round(each.value, 3), each.met) for name, each in found.items()} == {
        "pk-50": (0.5, False),
        "list": (0.5, True),
        "room": (0.69, False),
        "memory": (24.0, True),
    }


def test_a_terminal_of_80_columns_shows_everything() -> None:
    """Nothing is cut off: each measure is there with its result and its mark."""
    text = shown(outcome())
    assert "…" not in text
    for words in (
        "0.50 W/15 ✗",
        "0.50 H ✓",
        "0.69 H ✗",
        "24.00 KiB ✓",
        "start-pk → on-pk-offer",
        "1.25 / 9.50",
    ):
        assert words in text


def test_a_load_generator_at_its_limit_is_owned_up_to() -> None:
    """A figure that says more of the bench than of the server carries a remark."""
    assert "was the limit" not in shown(outcome())
    assert "was the limit of: W: echo" in shown(outcome(echo_load=0.97))


def test_a_part_alone_is_reported_alone() -> None:
    """Without the yardstick or the measure there is no ratio, and no empty table."""
    alone = Outcome({"H": figures(10_000)}, None)
    assert results(alone) == {}
    assert "PK steps" not in shown(alone)


def test_the_json_holds_machine_versions_and_every_round() -> None:
    """A later run can be compared with this one from the file alone."""
    document = json.loads(json.dumps(as_json(outcome(), SETTINGS)))
    assert document["measures"]["list"]["rounds"][0]["rate"] == 5_000
    assert document["results"]["pk-50"] == {
        "value": 0.5,
        "aim": 1.0,
        "unit": "W/15",
        "at_most": False,
        "met": False,
    }
    assert document["machine"]["cores"] >= 1
    assert {"python", "uvicorn", "litestar"} <= set(document["versions"])
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
