"""The configuration reference, made from the declarations of the keys."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from qlive_app.config.keys import Key, Section, declared, zero, zero_or_less
from qlive_app.config.settings import Settings


class ReferenceRow(NamedTuple):
    """One key: its path, the type and unit of its value, its default as JSON or in words, and what it does."""

    path: str
    type: str
    default: str
    doc: str


def reference_rows() -> list[ReferenceRow]:
    """List every key of the configuration, in the order of the sections."""
    return list(_rows(Settings, ""))


def render_markdown() -> str:
    """Render the reference as a Markdown table."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{row.path}` | {row.type} | {row.default} | {row.doc} |" for row in reference_rows()]
    return "\n".join(lines) + "\n"


def _rows(cls: type[Any], prefix: str) -> Iterator[ReferenceRow]:
    for _, name, declaration in declared(cls):
        path = prefix + name
        if isinstance(declaration, Section):
            yield from _rows(declaration.type, f"{path}.")
        else:
            yield ReferenceRow(path, _type(declaration), declaration.default, _meaning(declaration))


def _type(key: Key) -> str:
    return f"{key.kind.name}, {key.unit}" if key.unit else key.kind.name


def _meaning(key: Key) -> str:
    sentences = [key.doc]
    if key.means_default is zero:
        sentences.append("0 means the default.")
    if key.means_default is zero_or_less:
        sentences.append("0 and less mean the default.")
    sentences += [f"`{alias}` is accepted as well." for alias in key.aliases]
    if key.variable:
        sentences.append(f"When empty, taken from the environment variable `{key.variable}`.")
    return " ".join(sentences)
