"""From the document in a configuration file to settings, by the declarations of the keys."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import attrs

from qlive_app.config.keys import Key, Section, declared
from qlive_app.config.problems import Report
from qlive_app.config.settings import Settings

T = TypeVar("T")

_PLAIN_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
_LONGEST_QUOTE = 60


@attrs.define
class Reader:
    """Reads sections, reports what does not fit, and remembers in `given` which keys were set at all.

    A value in the file comes first, then the environment variable of the key, then the default. A key that
    does not fit is left at its default, so that reading goes on and finds the rest of the problems.
    """

    environ: Mapping[str, str]
    report: Report
    given: set[str] = attrs.Factory(set)

    def read(self, cls: type[T], document: object, path: str = "") -> T:
        """Make an instance of the section `cls` from what the file has at `path`."""
        entries = self._entries(document, path)
        self._warn_of_unknown(cls, entries, path)
        values = {}
        for attribute, name, declaration in declared(cls):
            if isinstance(declaration, Section):
                values[attribute] = self.read(declaration.type, entries.get(name), _join(path, name))
            else:
                values[attribute] = self._value(name, declaration, entries, path)
        return cls(**{name: value for name, value in values.items() if value is not attrs.NOTHING})

    def _entries(self, document: object, path: str) -> dict[str, object]:
        if isinstance(document, dict):
            # The original took keys in any mixture of capitals and small letters.
            return {name.lower(): value for name, value in document.items()}
        if document is not None:
            found = _describe(document)
            self.report.error(path, f"must be a section, not {found}", "write it as { ... } with keys inside")
        return {}

    def _value(self, name: str, key: Key, entries: dict[str, object], path: str) -> Any:
        for spelling in (name, *key.aliases):
            value = entries.get(spelling)
            if not key.is_unset(value):
                return self._fitting(_join(path, spelling), key, value, "")
        value = self.environ.get(key.variable, "")
        if value:
            return self._fitting(_join(path, name), key, value, key.variable)
        return attrs.NOTHING

    def _fitting(self, path: str, key: Key, value: object, variable: str) -> Any:
        self.given.add(path)
        try:
            return key.kind.read(value)
        except ValueError:
            # Not chained: the cause may quote the value.
            found = _describe(value, quote=key.kind.quotable, secret=key.secret)
            whose = f"the environment variable {variable} " if variable else ""
            remedy = f"unset {variable}" if variable else f"leave it out for the default, {key.default}"
            self.report.error(
                path, f"{whose}must be {key.kind.expected}, not {found}", f"correct it or {remedy}"
            )
            return attrs.NOTHING

    def _warn_of_unknown(self, cls: type[Any], entries: dict[str, object], path: str) -> None:
        known = {spelling for _, name, key in declared(cls) for spelling in _spellings(name, key)}
        for name in entries.keys() - known:
            nearest = _nearest(name, known, path)
            remedy = f'did you mean "{nearest}"?' if nearest else "remove it"
            self.report.warn(_join(path, _printable(name)), "is not a known key and has no effect", remedy)


def _nearest(name: str, siblings: set[str], path: str) -> str:
    """Return the path of the key that was meant, or nothing: a like-named sibling, or the same name elsewhere."""
    for sibling in get_close_matches(name, sorted(siblings), n=1):
        return _join(path, sibling)
    elsewhere = (each for each in _all_paths(Settings) if each.rpartition(".")[2] == name)
    return next(elsewhere, "")


def _all_paths(cls: type[Any], path: str = "") -> Iterator[str]:
    for _, name, declaration in declared(cls):
        yield _join(path, name)
        if isinstance(declaration, Section):
            yield from _all_paths(declaration.type, _join(path, name))


def _spellings(name: str, declaration: Key | Section) -> tuple[str, ...]:
    return (name, *declaration.aliases) if isinstance(declaration, Key) else (name,)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _printable(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name[:64])


def _describe(value: object, *, quote: bool = False, secret: bool = False) -> str:
    """Name a value that does not fit by its type; show it only where it cannot be a credential."""
    match value:
        case bool():
            return "true or false" if secret else json.dumps(value)
        case int() | float():
            return "a number" if secret or len(str(value)) > _LONGEST_QUOTE else str(value)
        case str():
            return json.dumps(value) if quote and len(value) <= _LONGEST_QUOTE else "what is there"
        case list():
            return "a list in [ ]"
        case _:
            return "a section in { }" if isinstance(value, dict) else "null"
