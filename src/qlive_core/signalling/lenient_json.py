"""JSON as the shipped apps write it, read with the original server's tolerance and written in its spelling.

Two layers, used by HTTP bodies and by signalling alike:

* *text*: ``decode_object`` and ``decode_body`` turn a text into a dictionary, ``encode_object`` turns a mapping
  into a text. Keys match case-insensitively, the last duplicate wins, ``null`` stands for ``{}``. Whatever a
  client sends, the only thing that comes out instead is ``MalformedJson``.
* *fields*: a class made by ``wired`` says with ``wire`` how each of its fields is called on the wire; ``decode``
  fills such a class from a dictionary and ``encode_fields`` writes it, keys in the order of the class.
"""

import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform

import attrs

__all__ = [
    "BOOLEAN",
    "INTEGER",
    "STRING",
    "MalformedJson",
    "Shape",
    "WireField",
    "WrongType",
    "decode",
    "decode_body",
    "decode_object",
    "encode_fields",
    "encode_object",
    "wire",
    "wire_fields",
    "wired",
]

T = TypeVar("T")


class MalformedJson(ValueError):
    """The text is not a JSON object (nor ``null``)."""


class WrongType(ValueError):
    """A field holds JSON of another type than it must; ``field`` is its name on the wire."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} has the wrong type")
        self.field = field


# --- text ---------------------------------------------------------------------------------------------------------


def _refuse_constant(literal: str) -> object:
    # Python's reader takes NaN and Infinity, which are not JSON.
    raise MalformedJson(f"{literal} is not JSON")


def _finite(literal: str) -> float:
    # 1e999 would be read as infinity, which could never be written back.
    number = float(literal)
    if math.isinf(number):
        raise MalformedJson("number out of range")
    return number


def _folded(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # On the pairs as they came: of "a", "A", "a" the third must win.
    return {key.casefold(): value for key, value in pairs}


_DECODER = json.JSONDecoder(object_pairs_hook=_folded, parse_constant=_refuse_constant, parse_float=_finite)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CONTAINERS_MAX = 1000
"""Opening brackets in one text. No app sends ten; each costs as much as fifty bytes of plain text."""
_NOT_BLANK = re.compile(r"[^ \t\r\n]|\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKUP = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def decode_object(text: str, *, trailing: bool) -> dict[str, object]:
    """Read one JSON object; all keys come casefolded.

    With ``trailing``, text after the first JSON value is ignored (as in HTTP bodies), else refused. A lone
    surrogate, which could never be written as UTF-8, is read as U+FFFD. Raises ``MalformedJson``, and only that.
    """
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    if text.count("{") + text.count("[") > _CONTAINERS_MAX:
        raise MalformedJson("too many objects and arrays")
    try:
        value = _read(text, trailing=trailing)
        if "\\u" in text:
            value = _without_surrogates(value)
    except (ValueError, RecursionError) as error:
        # ValueError: bad syntax, but also an integer of more digits than Python converts.
        # RecursionError: a few thousand opening brackets.
        raise MalformedJson("not a JSON object") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedJson("not a JSON object")
    return value


def decode_body(raw: bytes) -> dict[str, object]:
    """Read the body of an HTTP request; what is not UTF-8 is read as U+FFFD. Raises ``MalformedJson``."""
    return decode_object(raw.decode("utf-8", "replace"), trailing=True)


def encode_object(mapping: Mapping[str, object]) -> str:
    """Write compact JSON: non-ASCII text raw, the characters ``< > &`` U+2028 U+2029 as escapes."""
    return _escape_markup(_ENCODER.encode(mapping))


def _read(text: str, *, trailing: bool) -> object:
    if not trailing:
        return _DECODER.decode(text)
    start = _NOT_BLANK.search(text)
    return _DECODER.raw_decode(text, start.start() if start else 0)[0]


def _without_surrogates(value: object) -> object:
    # The reader joins escaped pairs, so any surrogate that is left stands alone.
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _without_surrogates(item) for key, item in value.items()}
    return value


def _escape_markup(text: str) -> str:
    # JSON's own punctuation has none of these characters, so the finished text can be escaped as a whole. Looking
    # first is several times cheaper than translating every text.
    if (
        "<" in text
        or ">" in text
        or "&" in text
        or (not text.isascii() and ("\u2028" in text or "\u2029" in text))
    ):
        return text.translate(_MARKUP)
    return text


# --- fields -------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Shape:
    """What a field may hold on the wire and how it is read and written.

    ``read`` takes a decoded JSON value other than null and raises ``TypeError`` if it is of the wrong type;
    ``write`` gives JSON text; ``zero`` is the value of a field that is absent or null; ``schema`` is JSON Schema.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], str]
    zero: object
    schema: Mapping[str, object]


def _read_str(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _read_int(value: object) -> int:
    # bool is an int to Python but not to JSON; beyond 64 bits the original refuses too, and so would a store.
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    raise TypeError


def _read_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError


def _write_bool(value: object) -> str:
    return "true" if value else "false"


STRING = Shape(
    read=_read_str,
    write=json.encoder.encode_basestring,
    zero="",
    schema=types.MappingProxyType({"type": "string"}),
)
# int's own repr also for members of an IntEnum, which must be written as numbers.
INTEGER = Shape(
    read=_read_int, write=int.__repr__, zero=0, schema=types.MappingProxyType({"type": "integer"})
)
BOOLEAN = Shape(
    read=_read_bool, write=_write_bool, zero=False, schema=types.MappingProxyType({"type": "boolean"})
)
_SHAPES: Mapping[object, Shape] = {str: STRING, int: INTEGER, bool: BOOLEAN}


@attrs.frozen(kw_only=True)
class _Wire:
    """The part of a field's description that its author writes."""

    name: str
    old_name: str | None
    also: str | None
    omit_empty: bool
    shape: Shape | None
    max_characters: int | None
    example: object
    doc: str


def wire(
    name: str,
    *,
    default: Any = attrs.NOTHING,
    old_name: str | None = None,
    also: str | None = None,
    omit_empty: bool = False,
    shape: Shape | None = None,
    max_characters: int | None = None,
    example: object = None,
    doc: str = "",
) -> Any:
    """A field of a ``wired`` class that is called ``name`` on the wire.

    ``default`` stands in when the field is absent or null; without it that is the type's zero value. ``old_name``
    is an older name, read when ``name`` is absent or empty. ``also`` is a second key under which the value is written
    again, after all others. ``omit_empty`` leaves the field out when it is None or "" (never for 0 or false).
    ``shape`` is needed when the annotation is other than str, int, bool or one of these or None.
    ``max_characters`` of a text, ``example`` and ``doc`` are for the generated documents.
    """
    described = _Wire(
        name=name,
        old_name=old_name,
        also=also,
        omit_empty=omit_empty,
        shape=shape,
        max_characters=max_characters,
        example=example,
        doc=doc,
    )
    return attrs.field(default=default, metadata={_Wire: described})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(wire,))
def wired(cls: type[T]) -> type[T]:
    """Make a frozen, slotted class whose fields are all passed by keyword and declared with ``wire``."""
    return attrs.frozen(kw_only=True)(cls)


@attrs.frozen(kw_only=True)
class WireField:
    """All that is known about one field of a ``wired`` class."""

    attribute: str
    name: str
    key: str
    old_key: str | None
    also: str | None
    shape: Shape
    empty: Any
    required: bool
    omit_empty: bool
    max_characters: int | None
    example: object
    doc: str

    @property
    def schema(self) -> dict[str, object]:
        """What the field may hold, as JSON Schema."""
        bound = {} if self.max_characters is None else {"maxLength": self.max_characters}
        return {**self.shape.schema, **bound}

    def read_from(self, obj: Mapping[str, object]) -> Any:
        """The field's value in an object with casefolded keys. Raises ``WrongType``."""
        value = obj.get(self.key)
        if self.old_key is not None and (value is None or value == ""):
            value = obj.get(self.old_key)
        if value is None:
            return self.empty
        try:
            return self.shape.read(value)
        except TypeError:
            raise WrongType(self.name) from None


def wire_fields(cls: type) -> tuple[WireField, ...]:
    """The fields of a ``wired`` class in the order in which they are written."""
    return _plan(cls).fields


def decode(cls: type[T], obj: Mapping[str, object]) -> T:
    """Fill a ``wired`` class from an object with casefolded keys; unknown keys are ignored. Raises ``WrongType``."""
    return cls(**{field.attribute: field.read_from(obj) for field in _plan(cls).fields})


def encode_fields(instance: object) -> str:
    """Write an instance of a ``wired`` class as compact JSON, spelt as ``encode_object`` does."""
    parts = []
    for attribute, prefix, write, omit_empty in _plan(type(instance)).writers:
        value = getattr(instance, attribute)
        if value is None:
            if not omit_empty:
                parts.append(f"{prefix}null")
        elif value != "" or not omit_empty:
            parts.append(prefix + write(value))
    return _escape_markup("{" + ",".join(parts) + "}")


def _wire_field(attribute: "attrs.Attribute[Any]", hint: object) -> WireField:
    described: _Wire = attribute.metadata[_Wire]
    shape = described.shape or _shape_of(hint)
    required = attribute.default is attrs.NOTHING
    return WireField(
        attribute=attribute.name,
        name=described.name,
        key=described.name.casefold(),
        old_key=described.old_name.casefold() if described.old_name else None,
        also=described.also,
        shape=shape,
        empty=shape.zero if required else attribute.default,
        required=required,
        omit_empty=described.omit_empty,
        max_characters=described.max_characters,
        example=described.example,
        doc=described.doc,
    )


def _shape_of(hint: object) -> Shape:
    if hint in _SHAPES:
        return _SHAPES[hint]
    inner = [arm for arm in typing.get_args(hint) if arm is not types.NoneType]
    return attrs.evolve(_SHAPES[inner[0]], zero=None)


@attrs.frozen
class _Plan:
    """What decoding and encoding need to know of a class, worked out once."""

    fields: tuple[WireField, ...]
    writers: tuple[tuple[str, str, Callable[[Any], str], bool], ...]


_PLANS: dict[type, _Plan] = {}


def _plan(cls: type) -> _Plan:
    plan = _PLANS.get(cls)
    if plan is None:
        plan = _PLANS[cls] = _make_plan(cls)
    return plan


def _make_plan(cls: type) -> _Plan:
    hints = typing.get_type_hints(cls)
    fields = tuple(_wire_field(attribute, hints[attribute.name]) for attribute in attrs.fields(cls))
    keys = [(field.name, field) for field in fields] + [(field.also, field) for field in fields if field.also]
    return _Plan(
        fields,
        tuple((field.attribute, f'"{key}":', field.shape.write, field.omit_empty) for key, field in keys),
    )
