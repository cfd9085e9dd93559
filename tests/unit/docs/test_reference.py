"""The documents against the code and the files that they speak of."""

import doctest
import re
import runpy
from pathlib import Path

import pytest

from qlive_app.config import reference_rows

ROOT = Path(__file__).parents[3]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def _read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made where such pages are shown."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_references_are_those_of_the_code() -> None:
    """The table of keys and the AsyncAPI document are what `make docs` would write."""
    documents = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))["documents"]()
    stale = [path.name for path, text in documents.items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every link and picture within the repository names a file that is there, and a heading that it has."""
    text = re.sub(r"^```.*?^```", "", _read(page), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", READMES)
def test_the_library_example_runs(page: str) -> None:
    """What the README shows of the library is what Python answers."""
    failed, attempted = doctest.testfile(str(ROOT / page), module_relative=False, encoding="utf-8")
    assert attempted > 0
    assert failed == 0


@pytest.mark.parametrize("page", READMES)
def test_the_keys_that_matter_have_their_defaults(page: str) -> None:
    """The short table of the README has the keys and defaults of the full one."""
    defaults = {row.path: row.default for row in reference_rows()}
    shown = re.findall(r"^\| `([a-z_.]+)` \| `([^`]*)` \|", _read(page), re.MULTILINE)
    assert len(shown) >= 10
    assert [(key, defaults.get(key)) for key, _ in shown] == shown


def test_both_languages_tell_the_same() -> None:
    """The two READMEs have the same headings in number and rank, and the same commands."""
    shapes = []
    for page in READMES:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", _read(page), re.MULTILINE | re.DOTALL)
        prose = re.sub(r"^```.*?^```", "", _read(page), flags=re.MULTILINE | re.DOTALL)
        commands = [re.sub(r"\s*#.*", "", body) for language, body in blocks if language == "sh"]
        shapes.append(([len(rank) for rank in re.findall(r"^(#+) ", prose, re.MULTILINE)], commands))
    assert shapes[0] == shapes[1]
