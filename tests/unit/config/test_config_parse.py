"""The file format: JSON with comments."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.config import ParseError, parse

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.text(alphabet='#"\\/ {}[]:,')
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
COMMENTS = st.text(
    alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12
).map(lambda words: f" #{words}\n")
GAPS = COMMENTS | st.sampled_from(["", " ", "\n", "\r\n", "\t"])


def tokens(document: object) -> Iterator[str]:
    """Cut a document into the JSON tokens between which comments may stand."""
    if isinstance(document, dict):
        yield from (
            "{",
            *(token for i, pair in enumerate(document.items()) for token in member(i, *pair)),
            "}",
        )
    elif isinstance(document, list):
        yield "["
        for i, element in enumerate(document):
            yield from [","] if i else []
            yield from tokens(element)
        yield "]"
    else:
        yield json.dumps(document)


def member(i: int, name: str, value: object) -> Iterator[str]:
    """Cut one member of an object into tokens."""
    yield from [","] if i else []
    yield from (json.dumps(name, ensure_ascii=False), ":")
    yield from tokens(value)


@given(document=DOCUMENTS, data=st.data())
def test_comments_change_nothing(document: object, data: st.DataObject) -> None:
    """Any document reads the same with comments between any two of its tokens."""
    text = "".join(data.draw(GAPS) + token for token in tokens(document)) + data.draw(GAPS)
    assert parse(text) == document


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('# first line\n{"a": 1}', {"a": 1}),
        ('{"a": 1 # trailing\n}', {"a": 1}),
        ('{"a": "#1 # no comment"} # end', {"a": "#1 # no comment"}),
        (r'{"a": "\"#\\"} # "quoted"', {"a": '"#\\'}),
        ('{"a": 1, # "b": 2,\n "c": 3}\r\n# crlf\r\n', {"a": 1, "c": 3}),
        ("[1] # no line end", [1]),
    ],
)
def test_hash_signs(text: str, document: object) -> None:
    """A hash sign starts a comment, except inside a string."""
    assert parse(text) == document


@pytest.mark.parametrize(
    ("text", "line", "column", "named"),
    [
        ('{"a": 1, "a": 2}', 1, 10, 'the key "a"'),
        ('{"sms": {}, # {"sms": 1}\n  "SMS": {}}', 2, 3, 'the key "SMS"'),
        ('{"x": {"b": 1,\n"b": [{"a": 1}]}}', 2, 1, 'the key "b"'),
        ('{"fixed_codes": {"13800000001": "1", "13800000001": "2"}}', 1, 38, "a key"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(text: str, line: int, column: int, named: str) -> None:
    """Only one could count, and the other, a section perhaps, would be dropped without a word."""
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.reason.startswith(f"{named} is there twice")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,}', "the comma before"),
        ('{"a": [1,]}', "a comma is one too many"),
        ('{"a": 1 "b": 2}', "a comma is missing"),
        ('{"a" 1}', "a colon is missing"),
        ('{"a": 1} x', "there is more text"),
        ('{"a": "x', "lacks its closing quote"),
        ('{"a": "x\ty"}', "control character"),
        ('{"a": "C:\\new\\x"}', "backslash"),
        ("{a: 1}", "a key in double quotes"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(text: str, said: str) -> None:
    """And never in those of a JSON library."""
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert said in caught.value.reason
    assert "delimiter" not in caught.value.reason


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('# one\n{ # two\n  "a": 1 # three\n  "b": 2\n}', 4, 3),
        ('{"a": "x#y" "b"}', 1, 13),
        ('{"a": "open # string\n}', 1, 21),
        ('# nothing but\n{"a": NaN}', 2, 7),
        ('{"NaN": 1, "b": -Infinity}', 1, 17),
        ("", 1, 1),
        ("# only a comment", 1, 17),
    ],
)
def test_errors_name_the_place(text: str, line: int, column: int) -> None:
    """An error has the line and the column that the operator's editor shows."""
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_depth_is_refused() -> None:
    """Brackets without end are an error, not a crash."""
    with pytest.raises(ParseError, match="nested too deeply"):
        parse("[" * 100_000)


def test_endless_integer() -> None:
    """An integer of absurd length reads as a number that no key accepts."""
    assert parse("9" * 5000) == float("inf")


@given(st.text() | st.text(alphabet='{}[]"#\\:,\n 1aN'))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Whatever the file holds, it is a document or a `ParseError` within the text."""
    try:
        parse(text)
    except ParseError as error:
        assert 1 <= error.line <= text.count("\n") + 1  # noqa: PT017 - either outcome is fine
