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
    """Return the JSON document in `text`, or raise `ParseError`. Of keys that repeat, the last one wins."""
    try:
        return json.loads(_TOKEN.sub(_plain_json, text), parse_int=_integer)
    except json.JSONDecodeError as error:
        # `from None`: the decoder's own error carries the whole text, secrets included.
        raise ParseError(error.lineno, error.colno, error.msg) from None
    except RecursionError:
        raise ParseError(1, 1, "brackets are nested too deeply") from None


def _plain_json(token: re.Match[str]) -> str:
    if token["string"]:
        return token["string"]
    return (" " if token["comment"] else "?") * len(token[0])


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
