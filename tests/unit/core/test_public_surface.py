"""What other Python services import."""

import doctest
from importlib.resources import files
from types import ModuleType

import pytest

import qlive_core
import qlive_core.signalling

SURFACES = [
    pytest.param(qlive_core, id="qlive_core"),
    pytest.param(qlive_core.signalling, id="qlive_core.signalling"),
]


@pytest.mark.parametrize("surface", SURFACES)
def test_the_surface_is_sorted_and_complete(surface: ModuleType) -> None:
    """Every promised name is there, once, where a reader looks for it."""
    assert surface.__all__ == sorted(set(surface.__all__))
    assert [name for name in surface.__all__ if not hasattr(surface, name)] == []


def test_everything_on_the_surface_says_what_it_is() -> None:
    """Every class and function that qlive_core offers has a docstring of its own."""
    offered = {name: getattr(qlive_core, name) for name in qlive_core.__all__}
    assert [name for name, each in offered.items() if callable(each) and not each.__doc__] == []


@pytest.mark.parametrize("surface", SURFACES)
def test_the_example_in_the_docs_runs(surface: ModuleType) -> None:
    """What the documentation shows is what happens."""
    results = doctest.testmod(surface)
    assert results.attempted > 0
    assert results.failed == 0


def test_type_checkers_read_the_annotations() -> None:
    """The package carries the marker without which mypy treats it as untyped."""
    assert files(qlive_core).joinpath("py.typed").is_file()
