"""The text of a configuration file: JSON in which `#` starts a comment that runs to the end of its line.

Comments are blanked out rather than cut away, so that the JSON parser counts the lines and columns of the
very file that the operator has open in the editor.
"""

import json
import re

_TOKEN = re.compile(
    r"""
    (?P<string> "(?: [^"\\\n] | \\. )*"? )  # may lack its end: that is for the JSON parser to report
    | (?P<comment> \#[^\n]* )
    | (?P<constant> NaN | -?Infinity )  # Python's JSON parser would take these; JSON has no such values
    """,
    re.VERBOSE,
)

_KEY = re.compile(r"[A-Za-z_]{1,64}")
"""A name that can be a key, and neither a phone number nor a secret."""

# How Python's JSON parser begins its complaints, and what the operator can do with them.
_REASONS = {
    "Expecting property name": 'a key in double quotes is missing here, or the comma before the "}" is one too many',
    "Illegal trailing comma": "the comma is one too many",
    "Expecting value": "a value is missing here, or a comma is one too many",
    "Expecting ',' delimiter": "a comma is missing here",
    "Expecting ':' delimiter": "a colon is missing here",
    "Extra data": 'there is more text behind the last "}"',
    "Unterminated string": "a text lacks its closing quote",
    "Invalid control character": "a text has a line break or another control character in it",
    "Invalid \\": "a text has a backslash that means nothing; write two for one",
}

# The interpreter refuses to read longer integers; none that a setting could mean is near this length.
_LONGEST_INTEGER = 4000


class ParseError(ValueError):
    """The text is not JSON with comments. `line` and `column` count from 1, in the text as it was given."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.line = line
        self.column = column
        self.reason = reason


def parse(text: str) -> object:
    """Return the JSON document in `text`, or raise `ParseError`, also if a section has a key twice."""
    plain = _TOKEN.sub(_plain_json, text)
    try:
        return json.loads(plain, parse_int=_integer, object_pairs_hook=_section)
    except json.JSONDecodeError as error:
        # `from None`: the decoder's own error carries the whole text, secrets included.
        raise ParseError(error.lineno, error.colno, _in_plain_words(error.msg)) from None
    except _Repeated as error:
        raise _repeated(plain, error.name) from None
    except RecursionError:
        raise ParseError(1, 1, "brackets are nested too deeply") from None


class _Repeated(Exception):
    """A section has this key twice."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _section(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make a section; keys that differ in capitals alone are the same key."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name.lower() in seen:
            raise _Repeated(name)
        seen.add(name.lower())
    return dict(pairs)


def _repeated(plain: str, name: str) -> ParseError:
    """Return the error for a key that is there twice, at the last place where it stands."""
    places = [
        found.start() for found in re.finditer(rf"{re.escape(json.dumps(name))}\s*:", plain, re.IGNORECASE)
    ]
    at = places[-1] if places else 0
    line_start = plain.rfind("\n", 0, at) + 1
    shown = f'the key "{name}"' if _KEY.fullmatch(name) else "a key"
    reason = f"{shown} is there twice in one section, and only one can count"
    return ParseError(plain.count("\n", 0, at) + 1, at - line_start + 1, reason)


def _in_plain_words(reason: str) -> str:
    return next((words for start, words in _REASONS.items() if reason.startswith(start)), reason.lower())


def _plain_json(token: re.Match[str]) -> str:
    if token["string"]:
        return token["string"]
    return (" " if token["comment"] else "?") * len(token[0])


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
