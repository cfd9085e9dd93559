"""Errors, as apps see them."""

import json
from collections.abc import Iterator

import pytest

from qlive_app.http.errors import INTERNAL, TABLE, Row, error_body, row_of
from qlive_core import errors
from qlive_core.usecases.races import Contended

# No use case behind HTTP raises these; signalling has numbers of its own for them.
SIGNALLING_ONLY = {
    errors.InvalidParameter,
    errors.RoomTypeUnfit,
    errors.NotYourPk,
    errors.RoomBusy,
    errors.NotInPk,
    errors.InvalidSeat,
    errors.NotYourRoom,
    errors.NoSuchUser,
    errors.NotInRoom,
    errors.AppUnfit,
    errors.SeatTaken,
    errors.AlreadyJoined,
    errors.NotJoined,
}


def _leaves(cls: type[errors.QliveError]) -> Iterator[type[errors.QliveError]]:
    children = cls.__subclasses__()
    if not children:
        yield cls
    for child in children:
        yield from _leaves(child)


def test_every_refusal_has_its_row() -> None:
    """No refusal that HTTP can meet is forgotten, and none that it cannot meet has a row."""
    refusals = {cls for cls in _leaves(errors.Refused) if cls.__module__ == errors.__name__}
    assert refusals - TABLE.keys() == SIGNALLING_ONLY


def test_no_two_kinds_of_error_share_a_code() -> None:
    """Apps act on the code, so it names one kind of error; it begins with the status."""
    codes = [row.code for row in TABLE.values()]
    assert len(set(codes)) == len(codes)
    assert all(row.code // 1000 == row.status for row in TABLE.values())


@pytest.mark.parametrize(
    ("error", "row"),
    [
        (errors.WrongSmsCode(), Row(401, 401002, "wrong sms code")),
        (errors.BadToken(), Row(401, 401003, "bad token")),
        (errors.NoSuchRoom(), Row(404, 404002, "no such room")),
        (errors.UserWatching(), Row(409, 409004, "user is watching")),
        (errors.UserJoined(), Row(409, 409005, "user joined")),
        (errors.RoomLimitReached(), Row(503, 503001, "room number limit exeeded")),
        (errors.StoreUnavailable(), Row(503, 503002, "service busy")),
        (Contended(), Row(503, 503002, "service busy")),
        (errors.ProviderUnavailable("sms"), Row(502, 502001, "service of a provider unavailable")),
        (errors.NotInPk(), INTERNAL),
        (ZeroDivisionError(), INTERNAL),
    ],
)
def test_codes_that_apps_act_on(error: Exception, row: Row) -> None:
    """Status, code and summary are those that the shipped apps know."""
    assert row_of(type(error)) == row


def test_an_error_has_four_keys_in_order() -> None:
    """Apps of iOS tell success from failure by keys alone: an error has these and no other."""
    body = error_body(errors.InvalidRoomName("invalid room name <x>"), "my-id")
    assert body == (
        b'{"code":400004,"requestID":"my-id","summary":"invalid room name",'
        b'"message":"invalid room name \\u003cx\\u003e"}'
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("secret"),
        errors.StoreUnavailable("secret"),
        errors.ProviderUnavailable("secret"),
        errors.NotInPk("secret"),
    ],
)
def test_what_is_not_the_callers_fault_is_not_told(error: Exception) -> None:
    """Texts of failures are for the log; the caller hears the summary."""
    assert json.loads(error_body(error, "x"))["message"] == ""
