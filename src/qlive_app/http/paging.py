"""Pages of the room list: `limit`, and a `cursor` that only we read."""

import base64
import binascii
import math
import re
from collections.abc import Mapping

from attrs import frozen

from qlive_core.errors import BadRequest
from qlive_core.usecases.directory import PAGE_LIMIT_MAX

DEFAULT_LIMIT = 50

_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)
Position = tuple[float, str]


@frozen
class PageRequest:
    """Which page is wanted: up to `limit` rooms older than `after`."""

    limit: int
    after: Position | None


def page_request(query: Mapping[str, str]) -> PageRequest | None:
    """Return the page that a query asks for, None if it asks for no page but for everything.

    Raises BadRequest if a parameter is not valid.
    """
    limit, cursor = query.get("limit"), query.get("cursor")
    if limit is None and cursor is None:
        return None
    return PageRequest(
        DEFAULT_LIMIT if limit is None else _limit(limit), None if cursor is None else read_cursor(cursor)
    )


def write_cursor(position: Position) -> str:
    """Return the cursor of the page that begins behind a room's position."""
    created_at, room_id = position
    return base64.urlsafe_b64encode(f"{created_at!r} {room_id}".encode()).decode("ascii").rstrip("=")


def read_cursor(cursor: str) -> Position:
    """Return the position that a cursor stands for. Raises BadRequest for what is no cursor of ours."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        created_at, blank, room_id = text.partition(" ")
        position = float(created_at), room_id
    except (binascii.Error, ValueError):
        raise BadRequest("invalid cursor") from None
    if not blank or not math.isfinite(position[0]):
        raise BadRequest("invalid cursor")
    return position


def _limit(text: str) -> int:
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= PAGE_LIMIT_MAX:
        raise BadRequest("invalid limit")
    return int(text)
