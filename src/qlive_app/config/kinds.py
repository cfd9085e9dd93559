"""The kinds of value that a key can take: each knows how to read itself from JSON and how to name itself."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import attrs

from qlive_app.config.address import Address

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ROUTE = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+")


@attrs.frozen(kw_only=True)
class Kind(Generic[T]):
    """What a key accepts.

    `expected` completes the sentence "must be ..."; `read` raises `ValueError` for everything else.
    `blank` is the value by which a file leaves the key empty. `quotable` kinds may have a wrong text shown
    in an error message; the others may hold a credential.
    """

    name: str
    expected: str
    read: Callable[[object], T]
    blank: object = None
    quotable: bool = False

    def is_blank(self, value: object) -> bool:
        """Whether `value` says nothing: then the environment or the default speaks."""
        return value is None or (type(value) is type(self.blank) and value == self.blank)


def _text(value: object) -> str:
    if not isinstance(value, str) or _CONTROL.search(value):
        raise ValueError("not a plain text")
    value.encode()  # half of a surrogate pair can be written in JSON, but nowhere else
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not true or false")  # noqa: TRY004 - a kind has one way of refusing
    return value


def _any(value: object) -> object:
    return value


TEXT = Kind(name="text", expected="a text without control characters", read=_text, blank="")
FLAG = Kind(name="true or false", expected="true or false", read=_flag)
IGNORED = Kind(name="anything", expected="anything", read=_any)


def whole_number(lowest: int | None, highest: int) -> Kind[int]:
    """A whole number within the bounds, both included."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("not a whole number")  # noqa: TRY004 - a kind has one way of refusing
        if value > highest or (lowest is not None and value < lowest):
            raise ValueError("out of range")
        return value

    bounds = f"of at most {highest}" if lowest is None else f"from {lowest} to {highest}"
    return Kind(name="whole number", expected=f"a whole number {bounds}", read=read)


def duration(lowest_s: float, highest_s: float, *, or_less: bool = False) -> Kind[float]:
    """A time in seconds within the bounds, fractions allowed; `or_less` drops the lower bound."""

    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError("not a number")  # noqa: TRY004 - a kind has one way of refusing
        if not (value <= highest_s and (or_less or value >= lowest_s)):
            raise ValueError("out of range")
        return value

    bounds = f"of at most {highest_s}" if or_less else f"from {lowest_s} to {highest_s}"
    return Kind(name="number", expected=f"a number of seconds {bounds}", read=read)


def one_of(options: tuple[str, ...]) -> Kind[str]:
    """One of a few words."""

    def read(value: object) -> str:
        if value not in options:
            raise ValueError("not one of the options")
        return str(value)

    names = " or ".join(f'"{option}"' for option in options)
    return Kind(name=names, expected=names, read=read, blank="", quotable=True)


def _url(text: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(text)
    # Asking for the port is what makes the standard library check it.
    if parts.scheme not in schemes or not parts.hostname or parts.port == 0 or " " in text:
        raise ValueError("not such a URL")
    return text


def base_url(assumed_scheme: str = "") -> Kind[str]:
    """The address of a web server; it loses slashes at its end, for paths will be put behind it."""

    def read(value: object) -> str:
        text = _text(value)
        if assumed_scheme and "://" not in text:
            text = f"{assumed_scheme}://{text}"
        return _url(text, ("http", "https")).rstrip("/")

    return Kind(name="URL", expected="a URL that starts with http:// or https://", read=read, blank="")


SOCKET_URL = Kind(
    name="URL",
    expected="a URL that starts with ws:// or wss://",
    read=lambda value: _url(_text(value), ("ws", "wss")),
    blank="",
)


def _address(value: object) -> Address:
    return Address.parse(_text(value))


ADDRESS = Kind(
    name="address",
    expected='an address such as ":8080", "127.0.0.1:8080" or "[::1]:8080"',
    read=_address,
    blank="",
    quotable=True,
)


def _route(value: object) -> str:
    if not _ROUTE.fullmatch(_text(value)):
        raise ValueError("not a path")
    return str(value).rstrip("/")


ROUTE = Kind(
    name="URL path",
    expected='a path such as "/metrics", of letters, digits, ".", "_", "~" and "-"',
    read=_route,
    blank="",
    quotable=True,
)


def list_of(item: Kind[T], plural: str) -> Kind[tuple[T, ...]]:
    """A list in which every element is of the kind `item`."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError("not a list")  # noqa: TRY004 - a kind has one way of refusing
        if any(item.is_blank(element) for element in value):
            raise ValueError("has an empty element")
        return tuple(item.read(element) for element in value)

    return Kind(
        name=f"list of {plural}", expected=f"a list in which each is {item.expected}", read=read, blank=[]
    )


def _origin(value: object) -> str:
    if not _ORIGIN.fullmatch(_text(value)):
        raise ValueError("not an origin")
    return str(value)


def _network(value: object) -> Network:
    return ipaddress.ip_network(_text(value), strict=False)


ORIGIN = Kind(
    name="origin", expected='"*" or an origin such as "https://example.com"', read=_origin, blank=""
)
NETWORK = Kind(
    name="network", expected='an IP address or a network such as "10.0.0.0/8"', read=_network, blank=""
)


def _text_by_text(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or any(TEXT.is_blank(code) for code in value.values()):
        raise ValueError("not a table of texts")
    return MappingProxyType({_text(name): _text(code) for name, code in value.items()})


TEXT_BY_TEXT = Kind(
    name="table of texts",
    expected='a table such as {"13800000001": "123456"} that has a text for each name',
    read=_text_by_text,
    blank={},
)
