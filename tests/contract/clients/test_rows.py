"""Every row has a test that carries its name."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent

ROWS = {
    "test_http_rows": {f"H{number}" for number in range(1, 30)} - {"H22", "H23"},
    "test_voice_rows": {"H22", "H23"},
    "test_websocket_rows": {f"W{number}" for number in range(1, 23)},
    "test_im_rows": {f"I{number}" for number in range(1, 15)},
    "test_mended_rows": {"B2", "B9", "B10"},
}
"""Which module has the tests of which rows. A module may have tests of further rows, if they are listed somewhere."""

_NAME = re.compile(r"test_([HWIB]\d+)_[a-z0-9_]+")


def test_every_row_has_a_test() -> None:
    """A row without a test is a need that the next change may forget."""
    assert {row for module, rows in ROWS.items() for row in rows - _tested_rows(module)} == set()


def test_every_test_names_a_row() -> None:
    """A test that no row asks for belongs elsewhere."""
    known = set[str]().union(*ROWS.values())
    modules = {path.stem for path in HERE.glob("test_*_rows.py")}
    assert modules == ROWS.keys()
    for module in modules:
        assert _tested_rows(module) <= known


def _tested_rows(module: str) -> set[str]:
    """Return the rows that the names of a module's tests begin with."""
    names = [
        node.name
        for node in ast.parse((HERE / f"{module}.py").read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    matches = {name: _NAME.fullmatch(name) for name in names}
    unnamed = [name for name, match in matches.items() if match is None]
    assert not unnamed, f"{module}: {unnamed}"
    return {match[1] for match in matches.values() if match}
