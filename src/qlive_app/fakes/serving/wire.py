"""An HTTP call as it was received, byte for byte as signatures need it, and what is answered."""

import json
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from attrs import field, frozen

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@frozen(slots=False)
class Request:
    """One call. ``target`` is path and query as sent, not decoded; header names keep their case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return the value of a header, whatever the case of its name; None if it was not sent."""
        wanted = name.lower()
        return next((value for each, value in self.headers if each.lower() == wanted), None)

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case; empty if none was sent."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """The query; of a key that is given twice, the last value."""
        return {key: values[-1] for key, values in _fields(self.target.partition("?")[2]).items()}

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form body, each with all its values."""
        return _fields(self.body.decode(errors="replace")) if self.media_type == FORM else {}

    def field(self, name: str, default: str = "") -> str:
        """Return the last value of a form field."""
        return self.form.get(name, [default])[-1]

    def fields(self, name: str) -> list[str]:
        """Return all values of a form field."""
        return self.form.get(name, [])

    def json(self) -> Any:
        """Return the body as JSON; raise ValueError if it is none."""
        return json.loads(self.body)


def _fields(text: str) -> dict[str, list[str]]:
    return parse_qs(text, keep_blank_values=True)


@frozen
class Answer:
    """What is answered. ``why`` is for the person who watches, and never sent."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    why: str = field(default="", kw_only=True)

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return self.status < 300


def json_answer(status: int, body: object, *, why: str = "") -> Answer:
    """Return an answer whose body is JSON."""
    return Answer(status, json.dumps(body, ensure_ascii=False).encode(), why=why)


def reason_phrase(status: int) -> str:
    """Return the standard phrase of a status; the clouds use numbers that have none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
