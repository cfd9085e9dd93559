"""Who calls us in RongCloud's name, and what is said; nothing that is sent makes reading it fail."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlive_adapters.rongcloud.callbacks import (
    ImMessage,
    ImStatus,
    Malformed,
    Proof,
    parse_message,
    parse_statuses,
    verify,
)
from qlive_adapters.rongcloud.signing import Application

APPLICATION = Application("qlive-rc-appkey", "qlive-rc-secret")
NOW = 1_700_000_000.0
MESSAGE = {
    "fromUserId": "user0001",
    "toUserId": "qlive-system",
    "objectName": "RC:TxtMsg",
    "content": '{"content":"ping={}","user":{"id":"user0001"},"extra":""}',
    "channelType": "PERSON",
    "msgTimestamp": "1700000000123",
    "msgUID": "5FGT-7VA9-G4DD-4V5P",
    "sensitiveType": "0",
    "source": "Android",
}
READ = ImMessage(
    sender="user0001",
    to="qlive-system",
    channel="PERSON",
    kind="RC:TxtMsg",
    text="ping={}",
    sent_at=1_700_000_000.123,
    uid="5FGT-7VA9-G4DD-4V5P",
)


def signed(timestamp: str, nonce: str = "14314") -> dict[str, str]:
    """Return the query of a genuine callback."""
    signature = APPLICATION.signature(nonce, timestamp)
    return {"appKey": APPLICATION.key, "nonce": nonce, "timestamp": timestamp, "signature": signature}


def proof(query: dict[str, str], headers: dict[str, str] | None = None, now: float = NOW) -> Proof:
    """Verify with the usual application and five minutes of tolerance."""
    return verify(APPLICATION, query, headers or {}, now=now, max_age_s=300)


@pytest.mark.parametrize("timestamp", ["1700000000", "1700000000000"])
@pytest.mark.parametrize(
    ("late_s", "expected"),
    [(0, Proof.GENUINE), (300, Proof.GENUINE), (301, Proof.STALE), (-301, Proof.STALE)],
)
def test_time(timestamp: str, late_s: float, expected: Proof) -> None:
    """Seconds and milliseconds are both taken, as long as they are near enough to now, before or after."""
    assert proof(signed(timestamp), now=NOW + late_s) is expected


def test_headers_stand_in_for_the_query() -> None:
    """Without a signature in the query, the headers are looked at; a wrong one in the query is wrong."""
    query = signed("1700000000000")
    headers = {f"rc-{name}": query[name] for name in ("nonce", "timestamp", "signature")}
    assert proof({}, headers) is Proof.GENUINE
    assert proof({}, headers | {"rc-app-key": "other"}) is Proof.FORGED
    assert proof({"signature": "0" * 40}, headers) is Proof.FORGED


def test_upper_case_is_as_good() -> None:
    """Hexadecimal digits may be in upper case."""
    query = signed("1700000000000")
    assert proof(query | {"signature": query["signature"].upper()}) is Proof.GENUINE


def test_half_a_character() -> None:
    """Undecodable bytes, which some parsers hand on as lone surrogates, are as wrong as any others."""
    assert proof(signed("1700000000000") | {"nonce": "\udc80"}) is Proof.FORGED
    assert proof(signed("1700000000000") | {"signature": "\udc80"}) is Proof.FORGED


@pytest.mark.parametrize("missing", ["nonce", "timestamp", "signature"])
def test_nothing_may_be_missing(missing: str) -> None:
    """Without any of its parts a signature proves nothing, whatever the rest."""
    assert proof({name: value for name, value in signed("1700000000000").items() if name != missing}) is (
        Proof.FORGED
    )


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(max_size=45)
            for name in ("appKey", "nonce", "timestamp", "signTimestamp", "signature")
        },
    )
)
def test_nobody_guesses(query: dict[str, str]) -> None:
    """Whatever stands in a query that was not signed with the secret, it is forged."""
    assert proof(query) is Proof.FORGED


@given(st.text(max_size=20))
def test_strange_times_are_stale(timestamp: str) -> None:
    """A time that is signed and makes no sense is not now."""
    assert proof(signed(timestamp or "x")) is Proof.STALE


def test_message_as_form() -> None:
    """The documented form; fields that nobody knows are no matter."""
    assert parse_message(urlencode(MESSAGE).encode()) == READ


@pytest.mark.parametrize(
    "changed",
    [{}, {"msgTimestamp": 1_700_000_000_123}, {"content": {"content": "ping={}"}}],
    ids=["texts", "number", "object"],
)
def test_message_as_json(changed: dict[str, object]) -> None:
    """JSON bodies are read as well, with numbers and objects as such."""
    assert parse_message(json.dumps(MESSAGE | changed).encode()) == READ


@pytest.mark.parametrize(
    "content", ["", "ping={}", "[]", "null", '{"content":1}', '{"content":', "[" * 5000, '{"content":null}']
)
def test_content_that_cannot_be_read(content: str) -> None:
    """A text message whose content is not as agreed is a message without a text."""
    message = parse_message(urlencode(MESSAGE | {"content": content}).encode())
    assert isinstance(message, ImMessage)
    assert (message.sender, message.text) == ("user0001", None)


def test_other_kinds_have_no_text() -> None:
    """Only text messages are read for a text."""
    message = parse_message(urlencode(MESSAGE | {"objectName": "RC:Chatroom:Welcome"}).encode())
    assert isinstance(message, ImMessage)
    assert (message.kind, message.text) == ("RC:Chatroom:Welcome", None)


@pytest.mark.parametrize("time", ["", "soon", "-1", "9" * 40, "1e9"])
def test_times_that_cannot_be_read(time: str) -> None:
    """A message with a bad time is a message whose time is not known."""
    message = parse_message(urlencode(MESSAGE | {"msgTimestamp": time}).encode())
    assert isinstance(message, ImMessage)
    assert message.sent_at is None


@pytest.mark.parametrize("missing", ["fromUserId", "toUserId", "objectName"])
def test_messages_of_nobody(missing: str) -> None:
    """Who, to whom and what are needed."""
    fields = {name: value for name, value in MESSAGE.items() if name != missing}
    assert isinstance(parse_message(urlencode(fields).encode()), Malformed)
    assert isinstance(parse_message(json.dumps(fields).encode()), Malformed)


def test_statuses_as_json() -> None:
    """An array of who came and who went; what cannot be read does not spoil the rest."""
    body = [
        {"userid": "u1", "status": "0", "os": "iOS", "time": 1_700_000_000_000, "clientIp": "1.2.3.4:567"},
        {"userid": "u2", "status": 1, "time": "1700000001"},
        {"userid": "u3", "status": "2"},
        {"userid": "u4", "status": "9"},
        "u5",
        {"status": "0"},
    ]
    statuses = parse_statuses(json.dumps(body).encode())
    assert statuses[:3] == (
        ImStatus("u1", online=True, at=1_700_000_000.0),
        ImStatus("u2", online=False, at=1_700_000_001.0),
        ImStatus("u3", online=False, at=None),
    )
    assert [type(status) for status in statuses[3:]] == [Malformed] * 3


def test_a_thousand_statuses_as_form() -> None:
    """With every field that the vendor is known to send, and more."""
    names = ("userid", "status", "os", "time", "clientIp", "sessionId", "extra")
    fields = {f"{n}[{name}]": "0" if name == "status" else f"{n}" for n in range(1000) for name in names}
    statuses = parse_statuses(urlencode(fields).encode())
    assert [status.user_id for status in statuses if isinstance(status, ImStatus)] == [
        str(n) for n in range(1000)
    ]


def test_statuses_as_form() -> None:
    """The older form, whose keys carry the position of the entry."""
    body = "1[userid]=u2&0[status]=0&0[userid]=u1&0%5Bos%5D=iOS&1[status]=1&x=y"
    assert parse_statuses(body.encode()) == (
        ImStatus("u1", online=True, at=None),
        ImStatus("u2", online=False, at=None),
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*MESSAGE, "userid", "status", "time"]) | st.text(), inner, max_size=5
        )
    ),
    max_leaves=10,
)


@given(st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_nothing_makes_reading_fail(body: bytes) -> None:
    """Any body at all gives a message or says that it is none, and so does every status."""
    assert isinstance(parse_message(body), ImMessage | Malformed)
    assert all(isinstance(status, ImStatus | Malformed) for status in parse_statuses(body))


@pytest.mark.parametrize(
    "body",
    [b"&".join([b"a=b"] * 6000), b'{"fromUserId":%s}' % (b"9" * 5000), b"[" * 5000, b"", b"[", b"{}"],
    ids=["many fields", "long number", "deep", "empty", "cut", "hollow"],
)
def test_monsters(body: bytes) -> None:
    """What is built to hurt is malformed."""
    assert isinstance(parse_message(body), Malformed)
    assert all(isinstance(status, Malformed) for status in parse_statuses(body))
