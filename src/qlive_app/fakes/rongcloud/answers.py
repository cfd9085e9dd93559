"""Answers in RongCloud's form: a code in the body besides the HTTP status."""

from qlive_app.fakes.serving.wire import Answer, json_answer

# HTTP status by code. Source: the vendor's documentation of status codes.
STATUSES = {
    404: 404,
    1000: 500,
    1001: 401,
    1002: 400,
    1003: 400,
    1004: 401,
    1005: 400,
    1008: 429,
    1009: 430,
    1015: 200,
    1050: 504,
    2007: 403,
}
_CODES = {status: code for code, status in STATUSES.items() if status not in (200, 400, 401)}


class Wrong(Exception):
    """A call is refused with a code; the text says why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def ok(body: dict[str, object] | None = None, *, why: str = "") -> Answer:
    """Return a success."""
    return json_answer(200, {"code": 200, **(body or {})}, why=why)


def failure(code: int, reason: str) -> Answer:
    """Return a failure with the status that belongs to its code."""
    return json_answer(STATUSES[code], {"code": code, "errorMessage": reason}, why=f"{code} {reason}")


def of_status(status: int, reason: str) -> Answer:
    """Return a failure with the code that goes with a status."""
    code = _CODES.get(status, 1000 if status >= 500 else 1002)
    return json_answer(status, {"code": code, "errorMessage": reason}, why=reason)
