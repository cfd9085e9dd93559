"""The declaration of keys: an attrs field per key that carries everything the file, checks and reference need."""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, get_args

import attrs

from qlive_app.config import kinds
from qlive_app.config.address import Address
from qlive_app.config.kinds import Kind, Network

T = TypeVar("T")

_METADATA = "qlive"
_TEN_YEARS_S = 315_360_000
_SHORTEST_S = 0.01


@attrs.frozen(kw_only=True)
class Key:
    """What is known of one key beside its name and value.

    `default` is the default as JSON, or in words where it depends on other keys. `means_default` picks the
    numbers that stand for the default, for the original read a timeout of 0 so.
    """

    kind: Kind[Any]
    doc: str
    default: str
    unit: str = ""
    aliases: tuple[str, ...] = ()
    variable: str = ""
    secret: bool = False
    means_default: Callable[[float], bool] | None = None

    def is_unset(self, value: object) -> bool:
        """Whether `value`, as found in a file, leaves the key to the environment or to its default."""
        if self.means_default is not None and isinstance(value, int | float) and not isinstance(value, bool):
            return self.means_default(value)
        return self.kind.is_blank(value)


@attrs.frozen
class Section:
    """A key that holds further keys, namely those of the attrs class `type`."""

    type: type[Any]
    doc: str


def declared(cls: type[Any]) -> Iterator[tuple[str, str, Key | Section]]:
    """Yield attribute, name in the file and declaration of each key of a section, in order."""
    for field in attrs.fields(cls):
        # An attribute whose name would be a Python keyword carries an underscore at its end.
        yield field.name, field.name.rstrip("_"), field.metadata[_METADATA]


def zero(number: float) -> bool:
    """Say that 0 means the default."""
    return number == 0


def zero_or_less(number: float) -> bool:
    """Say that 0 and every negative number mean the default."""
    return number <= 0


def section(cls: type[T], doc: str) -> T:
    """Declare a section within a section."""
    field: T = attrs.field(factory=cls, metadata={_METADATA: Section(cls, doc)})
    return field


def text(
    default: str, doc: str, *, aliases: tuple[str, ...] = (), variable: str = "", secret: bool = False
) -> str:
    """Declare a text; a `secret` one is kept out of `repr` and of every message."""
    return _key(kinds.TEXT, default, doc, aliases=aliases, variable=variable, secret=secret)


def flag(doc: str) -> bool:
    """Declare a switch that is off by default."""
    return _key(kinds.FLAG, default=False, doc=doc)


def number(
    default: int,
    doc: str,
    *,
    lowest: int | None = 1,
    highest: int = 1_000_000_000,
    unit: str = "",
    means_default: Callable[[float], bool] | None = None,
) -> int:
    """Declare a whole number within bounds."""
    kind = kinds.whole_number(lowest, highest)
    return _key(kind, default, doc, unit=unit, means_default=means_default)


def seconds(default: float, doc: str, *, means_default: Callable[[float], bool] | None = None) -> float:
    """Declare a duration; fractions of a second are allowed."""
    kind = kinds.duration(_SHORTEST_S, _TEN_YEARS_S, or_less=means_default is zero_or_less)
    return _key(kind, default, doc, unit="s", means_default=means_default)


def derived_seconds(derive: Callable[[Any], float], default: str, doc: str) -> float:
    """Declare a duration whose default `derive` takes from keys declared before it, and `default` words."""
    kind = kinds.duration(_SHORTEST_S, _TEN_YEARS_S)
    return _derived(Key(kind=kind, doc=doc, default=default, unit="s", means_default=zero), derive)


def port(default: int, doc: str) -> int:
    """Declare a TCP port of another machine or proxy; 0 means the default."""
    return number(default, doc, highest=65535, means_default=zero)


def address(default: str, doc: str) -> Address:
    """Declare an address to listen on."""
    return _key(kinds.ADDRESS, Address.parse(default), doc)


def route(default: str, doc: str) -> str:
    """Declare the path of a URL."""
    return _key(kinds.ROUTE, default, doc)


def web_url(default: str, doc: str, *, assumed_scheme: str = "") -> str:
    """Declare the base URL of a web server; an `assumed_scheme` may be left out of it."""
    return _key(kinds.base_url(assumed_scheme), default, doc)


def socket_url(default: str, doc: str, *, aliases: tuple[str, ...] = ()) -> str:
    """Declare the URL of a WebSocket endpoint."""
    return _key(kinds.SOCKET_URL, default, doc, aliases=aliases)


def web_urls(default: tuple[str, ...], doc: str) -> tuple[str, ...]:
    """Declare a list of base URLs of web servers."""
    return _key(kinds.list_of(kinds.base_url(), "URLs"), default, doc)


def texts(default: tuple[str, ...], doc: str) -> tuple[str, ...]:
    """Declare a list of texts."""
    return _key(kinds.list_of(kinds.TEXT, "texts"), default, doc)


def origins(doc: str) -> tuple[str, ...]:
    """Declare a list of web origins, empty by default."""
    return _key(kinds.list_of(kinds.ORIGIN, "origins"), (), doc)


def networks(doc: str) -> tuple[Network, ...]:
    """Declare a list of IP networks, empty by default."""
    return _key(kinds.list_of(kinds.NETWORK, "networks"), (), doc)


def secret_table(doc: str) -> Mapping[str, str]:
    """Declare a table from texts to secret texts, empty by default."""
    empty: Mapping[str, str] = MappingProxyType({})
    return _key(kinds.TEXT_BY_TEXT, empty, doc, secret=True)


def ignored(doc: str) -> object:
    """Declare a key that is accepted whatever it holds, and has no effect."""
    return _key(kinds.IGNORED, None, doc)


def choice(options: Any, default: str, doc: str) -> Any:
    """Declare a word out of those of a `Literal` type."""
    return _key(kinds.one_of(get_args(options)), default, doc)


def derived_choice(options: Any, derive: Callable[[Any], str], default: str, doc: str) -> Any:
    """Declare a choice whose default `derive` takes from keys declared before it, and `default` words."""
    return _derived(Key(kind=kinds.one_of(get_args(options)), doc=doc, default=default), derive)


def _key(kind: Kind[T], default: T, doc: str, **details: Any) -> T:
    key = Key(kind=kind, doc=doc, default=json.dumps(default, default=_as_json), **details)
    field: T = attrs.field(default=default, repr=not key.secret, metadata={_METADATA: key})
    return field


def _derived(key: Key, derive: Callable[[Any], T]) -> T:
    field: T = attrs.field(default=attrs.Factory(derive, takes_self=True), metadata={_METADATA: key})
    return field


def _as_json(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
