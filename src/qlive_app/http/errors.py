"""How errors look over HTTP: one table from the core's classes to status, code and summary."""

from collections.abc import Mapping
from typing import Any

import structlog
from attrs import frozen
from litestar import Request, Response
from litestar.exceptions import HTTPException

from qlive_app.http.answers import ErrorAnswer
from qlive_app.http.call import CURRENT
from qlive_app.http.replies import JSON
from qlive_app.runtime.requests import request_id
from qlive_core import errors
from qlive_core.signalling.lenient_json import encode_fields

_log = structlog.get_logger("qlive.http")


@frozen
class Row:
    """One kind of error. Apps act on `code` and show `summary`."""

    status: int
    code: int
    summary: str


_MESSAGE_MAX = 300

INTERNAL = Row(500, 500000, "internal server error")

TABLE: Mapping[type[errors.QliveError], Row] = {
    errors.BadRequest: Row(400, 400000, "bad request"),
    errors.InvalidPhoneNumber: Row(400, 400001, "invalid phone number"),
    errors.InvalidRoomName: Row(400, 400004, "invalid room name"),
    errors.UnsupportedLoginType: Row(400, 400005, "unsupported login type"),
    errors.UnsupportedRoomType: Row(400, 400007, "unsupported room type"),
    errors.Unauthenticated: Row(401, 401000, "unauthorized"),
    errors.NotLoggedIn: Row(401, 401001, "not logged in"),
    errors.WrongSmsCode: Row(401, 401002, "wrong sms code"),
    errors.BadToken: Row(401, 401003, "bad token"),
    errors.OwnsAnotherRoom: Row(403, 403003, "can only create one room"),
    errors.NotFound: Row(404, 404000, "not found"),
    errors.NoSuchRoom: Row(404, 404002, "no such room"),
    errors.RoomNameTaken: Row(409, 409002, "room name already used"),
    errors.UserBroadcasting: Row(409, 409003, "user is live broadcasting"),
    errors.UserWatching: Row(409, 409004, "user is watching"),
    errors.UserJoined: Row(409, 409005, "user joined"),
    errors.SmsCodeLimited: Row(429, 429001, "send sms code request limited"),
    errors.ProviderUnavailable: Row(502, 502001, "service of a provider unavailable"),
    errors.RoomLimitReached: Row(503, 503001, "room number limit exeeded"),  # as apps know it
    errors.Unavailable: Row(503, 503002, "service busy"),
}


def row_of(error_class: type[BaseException]) -> Row:
    """Return the row of an error class, or of the nearest class above it; INTERNAL if there is none."""
    return next((TABLE[c] for c in error_class.__mro__ if c in TABLE), INTERNAL)


def error_body(error: BaseException, request_id: str) -> bytes:
    """Return the body that tells of an error. Only what is refused says more than its summary."""
    row = row_of(type(error))
    # Details may repeat what was asked for, which may be long.
    message = error.detail[:_MESSAGE_MAX] if isinstance(error, errors.Refused) and row is not INTERNAL else ""
    answer = ErrorAnswer(code=row.code, request_id=request_id, summary=row.summary, message=message)
    return encode_fields(answer).encode()


def not_a_request() -> tuple[str, bytes, dict[str, str]]:
    """Return content type, body and headers of the answer to what is not HTTP, or more than a request may be."""
    reqid = request_id(None)
    return JSON, error_body(errors.BadRequest("not an HTTP request"), reqid), {"x-reqid": reqid}


def answer_error(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer whatever the router or a handler raised."""
    if isinstance(error, HTTPException) and error.status_code < 500:
        error = _as_ours(error)
    note(error)
    row = row_of(type(error))
    return Response(error_body(error, CURRENT.get().request_id), status_code=row.status, media_type=JSON)


def note(error: Exception) -> None:
    """Log what an operator should know of; what is merely refused is in the access log."""
    if isinstance(error, errors.Unavailable):
        _log.error("unavailable", error=error.code, detail=str(error), cause=repr(error.__cause__))
    elif row_of(type(error)) is INTERNAL:
        _log.error("request failed", exc_info=error)


def _as_ours(error: HTTPException) -> errors.Refused:
    # A path without that method is, to its caller, no path at all.
    if error.status_code in (404, 405):
        return errors.NotFound()
    return errors.BadRequest(error.detail)
