"""Pages of the room list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_app.http.paging import PageRequest, page_request, read_cursor, write_cursor
from qlive_core.errors import BadRequest


@given(st.floats(allow_nan=False, allow_infinity=False), st.text("0123456789abcdefghijklmnopqrstuvwxyz"))
def test_a_cursor_stands_for_its_position(created_at: float, room_id: str) -> None:
    """What a client hands back is exactly where its page ended, and needs no escaping in a URL."""
    cursor = write_cursor((created_at, room_id))
    assert read_cursor(cursor) == (created_at, room_id)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_whatever_is_no_cursor_is_a_bad_request(text: str) -> None:
    """An invented cursor is refused or, if it happens to be one, read; nothing else happens."""
    try:
        position = read_cursor(text)
    except BadRequest as error:
        assert error.detail == "invalid cursor"  # noqa: PT017 - not every text is refused
    else:
        assert read_cursor(write_cursor(position)) == position


@pytest.mark.parametrize("cursor", ["", "x", "bmFuIGE", "aW5mIGE", "MS4w", "房", "MS4wIGE=\n", "MS4wIGE!"])
def test_known_bad_cursors(cursor: str) -> None:
    """Not a number, infinite, without a room, not base64: none is a cursor."""
    with pytest.raises(BadRequest):
        page_request({"cursor": cursor})


@pytest.mark.parametrize("limit", ["", "0", "201", "-1", "+5", "1.5", " 5", "abc", "1000", "٣"])
def test_a_limit_is_a_number_from_1_to_200(limit: str) -> None:
    """Any other limit is refused."""
    with pytest.raises(BadRequest, match="invalid limit"):
        page_request({"limit": limit})


def test_pages_are_opt_in() -> None:
    """Old apps, which know no pages, get everything; a cursor alone brings pages of 50."""
    assert page_request({"can_pk": "true"}) is None
    assert page_request({"limit": "200"}) == PageRequest(200, None)
    assert page_request({"cursor": write_cursor((1.5, "a"))}) == PageRequest(50, (1.5, "a"))
