"""The pictures in the documentation are those of the tables."""

import importlib.util
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

DOCS = Path(__file__).parents[3] / "docs"
MACHINES = ("pk", "presence", "seat")


@pytest.fixture(scope="module")
def diagrams() -> ModuleType:
    """Return the generator, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("make_diagrams", DOCS / "make_diagrams.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name", [f"{name}-machine.{ending}" for name in MACHINES for ending in ("svg", "md")]
)
def test_the_committed_files_are_fresh(diagrams: ModuleType, name: str) -> None:
    """What is committed is what the tables give; run `python docs/make_diagrams.py` when this fails."""
    fresh: dict[Path, str] = diagrams.files()
    assert (DOCS / name).read_text(encoding="utf-8") == fresh[Path(diagrams.DOCS) / name]


def test_there_is_nothing_else(diagrams: ModuleType) -> None:
    """Every machine's picture that lies in the folder is one of those that are made."""
    assert {path.name for path in DOCS.glob("*-machine.*")} == {path.name for path in diagrams.files()}


@pytest.mark.parametrize("name", MACHINES)
def test_every_cell_of_the_table_is_in_the_picture(diagrams: ModuleType, name: str) -> None:
    """No transition is lost on the way: each event of each state has its label."""
    table = getattr(diagrams, name).TABLE
    picture = ET.fromstring((DOCS / f"{name}-machine.svg").read_text(encoding="utf-8"))
    labels = [text.text or "" for text in picture.iter() if text.get("class") == "label"]
    for event in {event for row in table.values() for event in row}:
        shown = sum(label.split(" (")[0] == event.value for label in labels)
        assert shown >= sum(event in row for row in table.values())
