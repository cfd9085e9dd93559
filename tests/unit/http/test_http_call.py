"""What a request says apart from its body."""

import re

import pytest
from http_scopes import http_scope

from qlive_app.http.call import Call
from qlive_core.errors import NotLoggedIn


async def _nothing() -> None:
    raise AssertionError("nobody reads a body here")


def _call(*headers: tuple[bytes, bytes], query: str = "") -> Call:
    return Call(http_scope(headers=headers, query=query), _nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize("own", [b"my-req-id", b"x", b"x" * 64, b"a b;c=~!"])
def test_a_request_id_of_ones_own_is_taken_over(own: bytes) -> None:
    """Printable ASCII of at most 64 characters."""
    assert _call((b"x-reqid", own)).request_id == own.decode()


@pytest.mark.parametrize("own", [b"", b"x" * 65, b"a\tb", b"caf\xc3\xa9", b"\x7f", b" \t"])
def test_an_unfit_request_id_is_replaced(own: bytes) -> None:
    """What could garble a log or a header gives way to a new one of 16 characters."""
    assert re.fullmatch(r"[\w-]{16}", _call((b"x-reqid", own)).request_id)


def test_blanks_around_a_request_id_are_no_part_of_it() -> None:
    """The HTTP parser leaves those behind a header's value."""
    assert _call((b"x-reqid", b" a b\t ")).request_id == "a b"


def test_request_ids_differ() -> None:
    """Two requests without ids of their own are not taken for one."""
    assert _call().request_id != _call().request_id


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (b"Bearer abc", "abc"),
        (b"Bearer abc \t", "abc"),
        (b"Bearer  abc", " abc"),
        (b"Bearer a b", "a b"),
        (b"Bearer \xff", "\xff"),
    ],
)
def test_the_token_is_what_stands_behind_bearer(header: bytes, token: str) -> None:
    """Exactly one blank belongs to the scheme; blanks at the end are no part of the header."""
    assert _call((b"authorization", header)).token() == token


@pytest.mark.parametrize(
    "header", [b"", b"Bearer", b"Bearer ", b"bearer abc", b"Basic abc", b"abc", b"Bearerabc"]
)
def test_anything_else_is_not_logged_in(header: bytes) -> None:
    """Android sends an empty header before it has a token."""
    with pytest.raises(NotLoggedIn) as refused:
        _call((b"authorization", header)).token()
    assert refused.value.detail == "user not logged in"


def test_a_cookie_is_no_token() -> None:
    """Only the header counts."""
    with pytest.raises(NotLoggedIn):
        _call((b"cookie", b"qlive-login-token=abc")).token()


def test_of_repeated_parameters_the_first_counts() -> None:
    """As the original reads them; empty ones are there, and bad escapes are no error."""
    call = _call(query="a=1&a=2&b=&c&d=%E6%88%BF+x&e=%zz&f=%ff")
    assert call.query() == {"a": "1", "b": "", "c": "", "d": "房 x", "e": "%zz", "f": "\ufffd"}
