"""JSON is read as tolerantly, and written as exactly, as the shipped apps expect."""

import json
from contextlib import suppress
from http import HTTPStatus

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlive_core.signalling.lenient_json import (
    MalformedJson,
    WrongType,
    decode,
    decode_body,
    decode_object,
    encode_fields,
    encode_object,
    wire,
    wired,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@wired
class Sample:
    text: str = wire("theText")
    count: int = wire("count")
    flag: bool = wire("flag")
    maybe: str | None = wire("maybe", default=None)
    named: str = wire("newName", default="fallback", old_name="oldName", also="NEWNAME")


@attrs.frozen
class Plain:
    name: str = wire("roomName")


class TestDecodeObject:
    def test_keys_are_folded_and_the_last_duplicate_wins(self) -> None:
        """Spellings of one key are the same key, and the last one in the text counts."""
        assert decode_object('{"a":1,"A":2,"a":3,"rpcID":4}', trailing=False) == {"a": 3, "rpcid": 4}

    def test_null_is_the_empty_object(self) -> None:
        """The text null stands for an object without fields."""
        assert decode_object(" null\n", trailing=False) == {}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "[]",
            '"x"',
            "7",
            "true",
            "{",
            "{'a':1}",
            '{"a":1,}',
            '{"a":NaN}',
            '{"a":-Infinity}',
            '{"a":1e999}',
            '{"a":01}',
            '{"a":"\n"}',
            "\ufeff{}",
            '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
            '{"a":' + '{"a":' * 100_000,
            '{"a":' + "9" * 5_000 + "}",
        ],
        ids=lambda text: text[:12],
    )
    @pytest.mark.parametrize("trailing", [False, True])
    def test_what_is_no_object_is_malformed(self, text: str, *, trailing: bool) -> None:
        """Everything but an object or null comes out as the one error, hostile sizes included."""
        with pytest.raises(MalformedJson):
            decode_object(text, trailing=trailing)

    def test_text_after_the_value_is_ignored_only_where_it_may_be(self) -> None:
        """HTTP bodies may have text after the first value, signalling frames may not."""
        assert decode_object(' \r\n\t{"a":1} rest', trailing=True) == {"a": 1}
        with pytest.raises(MalformedJson):
            decode_object('{"a":1} rest', trailing=False)

    def test_lone_surrogates_become_replacement_characters(self) -> None:
        """A half of a pair, escaped or raw, in keys or nested values, cannot break UTF-8 later."""
        text = r'{"k\udc00":["\ud83d",{"n":"\ud83d\ude00"}],"raw":"' + '\ud800é"}'
        assert decode_object(text, trailing=False) == {"k\ufffd": ["\ufffd", {"n": "😀"}], "raw": "\ufffdé"}

    def test_an_escaped_backslash_before_u_is_left_alone(self) -> None:
        """Only real escapes are looked at, not a backslash followed by the letter u."""
        assert decode_object(r'{"a":"\\ud800"}', trailing=False) == {"a": r"\ud800"}

    @settings(max_examples=60, deadline=None)
    @given(st.text() | JSON.map(json.dumps), st.booleans())
    def test_any_text_gives_an_object_or_the_one_error(self, text: str, trailing: bool) -> None:
        """Whatever comes in, a dictionary that can be written as UTF-8 or MalformedJson comes out."""
        try:
            obj = decode_object(text, trailing=trailing)
        except MalformedJson:
            return
        assert json.dumps(obj, ensure_ascii=False).encode()


class TestDecodeBody:
    def test_bytes_that_are_no_utf8_are_replaced(self) -> None:
        """A body in another encoding is read with replacement characters, not refused."""
        assert decode_body(b'{"a":"\xff\xe4"}') == {"a": "\ufffd\ufffd"}

    @settings(max_examples=40, deadline=None)
    @given(st.binary())
    def test_any_bytes_give_an_object_or_the_one_error(self, raw: bytes) -> None:
        """No body raises anything but MalformedJson."""
        with suppress(MalformedJson):
            assert isinstance(decode_body(raw), dict)


class TestEncodeObject:
    def test_spelling_is_the_originals(self) -> None:
        """Compact, non-ASCII raw, markup and line separators as lower-case escapes."""
        assert (
            encode_object({"a": "<用户&>\u2028\u2029", "b": [1, None]})
            == r'{"a":"\u003c用户\u0026\u003e\u2028\u2029","b":[1,null]}'
        )

    def test_what_is_no_json_is_not_written(self) -> None:
        """NaN cannot slip into an answer."""
        with pytest.raises(ValueError, match="not JSON compliant"):
            encode_object({"a": float("nan")})

    @settings(max_examples=60, deadline=None)
    @given(st.dictionaries(st.text(), JSON, max_size=4))
    def test_reads_back_as_it_was(self, mapping: dict[str, object]) -> None:
        """Every JSON reader gets back what was written."""
        assert json.loads(encode_object(mapping)) == mapping


class TestFields:
    def test_absent_and_null_fields_have_their_empty_value(self) -> None:
        """A field that is absent or null is the zero of its type, or its default."""
        empty = Sample(text="", count=0, flag=False, maybe=None, named="fallback")
        assert decode(Sample, {}) == empty
        nulls = decode_object('{"theText":null,"count":null,"flag":null,"newName":null}', trailing=False)
        assert decode(Sample, nulls) == empty

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            ('{"theText":1}', "theText"),
            ('{"count":1.0}', "count"),
            ('{"count":true}', "count"),
            ('{"count":"1"}', "count"),
            ('{"count":9223372036854775808}', "count"),
            ('{"count":""}', "count"),
            ('{"flag":1}', "flag"),
            ('{"maybe":[]}', "maybe"),
            ('{"newName":{}}', "newName"),
            ('{"oldName":5}', "newName"),
        ],
    )
    def test_wrong_types_are_named(self, text: str, field: str) -> None:
        """JSON of another type is refused with the wire name of the field."""
        with pytest.raises(WrongType) as caught:
            decode(Sample, decode_object(text, trailing=False))
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('{"oldName":"o"}', "o"),
            ('{"newName":"","oldName":"o"}', "o"),
            ('{"newName":"n","oldName":"o"}', "n"),
            ('{"newName":"n","oldName":5}', "n"),
            ('{"newName":""}', "fallback"),
        ],
    )
    def test_the_old_name_stands_in_for_the_name(self, text: str, expected: str) -> None:
        """The older name counts only when the newer one is absent or empty."""
        assert decode(Sample, decode_object(text, trailing=False)).named == expected

    def test_integers_at_the_edge_of_64_bits_are_taken(self) -> None:
        """The whole range of the original's integers is accepted."""
        assert decode(Sample, {"count": -(2**63)}).count == -(2**63)
        assert decode(Sample, {"count": 2**63 - 1}).count == 2**63 - 1

    def test_classes_are_written_in_their_order(self) -> None:
        """Keys come in the order of the class, second names last, None as null."""
        sample = Sample(text="a<b", count=-1, flag=True, named="n")
        assert (
            encode_fields(sample)
            == r'{"theText":"a\u003cb","count":-1,"flag":true,"maybe":null,"newName":"n","NEWNAME":"n"}'
        )

    def test_members_of_an_int_enum_are_written_as_numbers(self) -> None:
        """A code from an enumeration goes out as its number."""
        assert '"count":404,' in encode_fields(Sample(text="", count=HTTPStatus.NOT_FOUND, flag=False))

    def test_plain_attrs_classes_can_use_wire(self) -> None:
        """A class that attrs itself made is decoded the same way."""
        assert decode(Plain, {"roomname": "x"}) == Plain("x")


COSTLY = {
    "objects": '{"a":[' + "{}," * 21_000 + "0]}",
    "objects in objects": '{"":' * 900 + "0" + "}" * 900 + '{"":' * 900,
    "many nests": '{"a":[' + ("[" * 900 + "]" * 900 + ",") * 36 + "0]}",
    "half characters": '{"a":[' + '{"\\ud800":0},' * 4500 + "0]}",
    "one more than may be": '{"a":[' + "[]," * 998 + "[]]}",
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_what_would_take_long_is_not_read(text: str) -> None:
    """Objects and arrays are what makes JSON dear: up to 200 ns a byte, where the rest takes 80 at most."""
    with pytest.raises(MalformedJson, match="too many"):
        decode_object(text, trailing=True)


def test_a_thousand_objects_are_read() -> None:
    """A hundred times what any app sends."""
    assert decode_object('{"a":[' + "[]," * 997 + "[]]}", trailing=False) == {"a": [[]] * 998}
