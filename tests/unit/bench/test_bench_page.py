"""The page and the picture that the documents make of a run."""

import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from qlive_app.bench.figures import Figures, Quantiles
from qlive_app.bench.memory import Memory
from qlive_app.bench.plan import PARTS, Name, Outcome, Settings
from qlive_app.bench.record import as_json

DOCS = Path(__file__).parents[3] / "docs"
SETTINGS = Settings(
    parts=frozenset(PARTS), pairs=(50,), seconds=2.0, rounds=1, connections=10, stores=("sqlite", "mongo")
)
OLD = "# Page\n\n<!-- figures -->\nold figures\n<!-- end of figures -->\n\nAfter.\n"


@pytest.fixture
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "make_performance.py"))


def figures(rate: float, *, store_busy: float | None = None) -> list[Figures]:
    store_us = None if store_busy is None else 120.0
    return [Figures(rate, {"cycle": Quantiles(1.25, 9.5)}, 50.0, 1.0, 0.5, store_us, store_busy)]


def run(store_busy: float = 0.3) -> dict[str, object]:
    rates = {
        Name("W"): figures(30_000),
        Name("M"): figures(4_000, store_busy=0.3),
        Name("H"): figures(10_000),
        Name("pk-50", "sqlite"): figures(2_400),
        Name("pk-50", "mongo"): figures(900, store_busy=store_busy),
        Name("list", "sqlite"): figures(5_000),
        Name("list", "mongo"): figures(5_100, store_busy=0.0),
    }
    memory = {"sqlite": Memory(10, 1.5, 24.0), "mongo": Memory(10, 1.5, 24.5)}
    return as_json(Outcome(rates, memory, "6.0.1"), SETTINGS)


def test_the_stores_stand_side_by_side(script: dict[str, Any]) -> None:
    """Each row has both, with the aim of each beside its result and mongod's share of the work."""
    page = script["page"](OLD, run())
    assert "| PK, 50 pairs | 1.20 W/15 ✓ | ≥ 1 | 0.90 M/4 ✗ | ≥ 1 |" in page
    assert "| PK, 50 pairs | 2,400 | 900 | 1.2 / 9.5 | 1.2 / 9.5 | 50 | 50 + 120 |" in page
    assert "mongod 6.0.1" in page


def test_only_what_is_between_the_markers_is_replaced(script: dict[str, Any]) -> None:
    """The words around the figures stay, and a second time changes nothing."""
    once = script["page"](OLD, run())
    assert once.startswith("# Page\n\n<!-- figures -->\n")
    assert once.endswith("<!-- end of figures -->\n\nAfter.\n")
    assert "old figures" not in once
    assert script["page"](once, run()) == once


def test_a_page_without_markers_is_left_alone(script: dict[str, Any]) -> None:
    """Figures are not put just anywhere."""
    with pytest.raises(ValueError, match="lacks"):
        script["page"]("# Page\n", run())


def test_figures_that_the_bench_limited_are_marked(script: dict[str, Any]) -> None:
    """The page says what a reader must not take for qlive's own limit."""
    assert "was full" not in script["page"](OLD, run())
    assert "was full during: PK, 50 pairs on MongoDB." in script["page"](OLD, run(store_busy=0.45))


def test_a_machine_that_was_not_quiet_is_owned_up_to(script: dict[str, Any]) -> None:
    """A yardstick that is half as fast in one round casts doubt on all figures; one that is steady does not."""
    steady = as_json(Outcome({Name("W"): [*figures(100), *figures(90)]}), SETTINGS)
    assert not any("other work" in remark for remark in script["_remarks"](steady))
    uneven = as_json(Outcome({Name("W"): [*figures(100), *figures(50)]}), SETTINGS)
    assert any("other work" in remark for remark in script["_remarks"](uneven))


def test_the_picture_has_a_bar_for_each_rate_and_its_number(script: dict[str, Any]) -> None:
    """Two stores at two measures and the bare route; the lengths are in proportion on one scale."""
    root = ET.fromstring(script["svg"](run()))
    bars = [each for each in root.findall(".//{*}rect") if each.get("height") == "22"]
    assert [each.get("class") for each in bars] == ["sqlite", "mongo", "sqlite", "mongo", "plain"]
    widths = [float(each.get("width", "0")) for each in bars]
    assert widths[0] / widths[1] == pytest.approx(2_400 / 900, rel=0.01)
    assert widths[4] / widths[2] == pytest.approx(10_000 / 5_000, rel=0.01)
    assert {"2,400", "900", "5,000", "5,100", "10,000"} <= {each.text for each in root.findall(".//{*}text")}


def test_the_page_in_the_repository_can_take_figures(script: dict[str, Any]) -> None:
    """It has the markers, and stands beside a picture that can be read."""
    assert "1.20 W/15" in script["page"]((DOCS / "performance.md").read_text(encoding="utf-8"), run())
    assert ET.parse(DOCS / "performance.svg").getroot().get("role") == "img"
