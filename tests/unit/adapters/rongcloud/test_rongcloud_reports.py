"""What RongCloud's callbacks let us hear: requests to us, signs of life, and nothing of what we say ourselves."""

import json
from urllib.parse import urlencode

import pytest

from qlive_adapters.rongcloud import Application, RongCloudReports
from qlive_core.ports.clouds import HeardOverIm, UnreadableReport

REPORTS = RongCloudReports(Application("key", "secret"), system_user_id="qlive-system", max_age_s=300)


def message(**fields: str) -> bytes:
    """Return the report of a private text to the system user, with ``fields`` put over it."""
    usual = {
        "fromUserId": "ann",
        "toUserId": "qlive-system",
        "objectName": "RC:TxtMsg",
        "content": json.dumps({"content": "ping={}"}),
        "channelType": "PERSON",
        "msgTimestamp": "1700000000123",
        "msgUID": "UID-1",
    }
    return urlencode({**usual, **fields}).encode()


def test_a_private_text_to_the_system_user_is_said_to_us() -> None:
    """With its time in seconds and its id."""
    assert REPORTS.messages(message()) == (HeardOverIm("ann", 1_700_000_000.123, "UID-1", "ping={}"),)


@pytest.mark.parametrize(
    "fields",
    [
        {"channelType": "TEMPGROUP"},
        {"toUserId": "bob"},
        {"objectName": "RC:Chatroom:Welcome"},
        {"content": "no json"},
    ],
)
def test_anything_else_is_a_sign_of_life(fields: dict[str, str]) -> None:
    """Its words are none of ours."""
    assert REPORTS.messages(message(**fields)) == (HeardOverIm("ann", 1_700_000_000.123, "UID-1"),)


def test_our_own_words_are_not_heard() -> None:
    """Neither messages of the system user nor its comings."""
    assert REPORTS.messages(message(fromUserId="qlive-system")) == ()
    assert REPORTS.statuses(b'[{"userid":"qlive-system","status":"0"}]') == ()


def test_who_comes_is_heard_and_who_goes_is_not() -> None:
    """Entries that cannot be read do not spoil the others."""
    entries = [
        {"userid": "ann", "status": "0", "time": 1_700_000_000_000},
        {"userid": "bob", "status": "1"},
        {"userid": "cy", "status": "2"},
        {"userid": "dee", "status": 0},
        {"nothing": "known"},
    ]
    heard = REPORTS.statuses(json.dumps(entries).encode())
    assert heard[:2] == (HeardOverIm("ann", 1_700_000_000.0), HeardOverIm("dee", None))
    assert [type(each) for each in heard[2:]] == [UnreadableReport]


def test_what_cannot_be_read_says_why() -> None:
    """In our own words."""
    (unreadable,) = REPORTS.messages(b"fromUserId=SECRET")
    assert isinstance(unreadable, UnreadableReport)
    assert "SECRET" not in unreadable.problem
