"""What every answer of the API has in common."""

from typing import Any

import httpx

ERROR_KEYS = ["code", "requestID", "summary", "message"]


def refusal(answer: httpx.Response, status: int, code: int) -> dict[str, Any]:
    """Check that the answer is this refusal in the shape that apps look for, and return its body.

    iOS tells success from failure by keys alone, so an error body holds exactly these and no other.
    """
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body: dict[str, Any] = answer.json()
    assert list(body) == ERROR_KEYS
    assert body["code"] == code, body
    assert body["requestID"] == answer.headers["x-reqid"]
    return body


def done(answer: httpx.Response) -> None:
    """Check that the answer is the success that has nothing to say."""
    assert (answer.status_code, answer.text) == (200, '""')
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
