"""Writes the references that follow from the code: the table of configuration keys, and the AsyncAPI document.

`make docs` runs it. A test fails when what is in the repository is not what it would write.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from qlive_app.config import render_markdown
from qlive_core.signalling import asyncapi_document

DOCS = Path(__file__).parent
BEGIN = "<!-- The table is written by make_reference.py. -->\n"
END = "<!-- End of the table. -->\n"
SIGNALLING_URL = "ws://localhost:8082/qlive"


def documents() -> Mapping[Path, str]:
    """Return every generated file with what it must contain."""
    configuration = DOCS / "configuration.md"
    return {
        configuration: with_table(configuration.read_text(encoding="utf-8"), render_markdown()),
        DOCS / "asyncapi.json": asyncapi_json(),
    }


def with_table(page: str, table: str) -> str:
    """Return the page with ``table`` between the marks. Raises ValueError unless it has both, once."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in after or END in after:
        raise ValueError("the page needs the marks around the table, once")
    return f"{before}{begin}\n{table}\n{end}{after}"


def asyncapi_json() -> str:
    """Return the signalling document as text, for the server that ``make run`` starts."""
    document = asyncapi_document(version=version("qlive"), url=SIGNALLING_URL)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def main() -> None:
    """Write all of them."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
