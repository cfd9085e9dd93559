"""What RongCloud calls us with: whether it is RongCloud, and what it says.

Source: the vendor's documentation and its SealTalk server. The vendor repeats, and then pauses, what is not
answered with 200; so nothing here raises, and what cannot be read is a value of its own.
"""

import enum
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from attrs import frozen

from qlive_adapters.rongcloud.signing import Application

TEXT_MESSAGE = "RC:TxtMsg"

_FIELDS_MAX = 16_000  # a thousand statuses in the form variant, with whatever the vendor adds to them
_MILLISECONDS_FROM = 10**11  # in seconds the year 5138, in milliseconds 1973
_NUMBER_LIMIT = 10**18  # none of the vendor's is longer, and Python does not write out the longest
_TIMESTAMP = re.compile(r"[0-9]{1,15}", re.ASCII)
_STATUS_FIELD = re.compile(r"([0-9]{1,4})\[(\w{1,32})\]", re.ASCII)
# "1" is offline, "2" is logged out.
_ONLINE = {"0": True, "1": False, "2": False}


class Proof(enum.Enum):
    """Whether a callback is RongCloud's."""

    GENUINE = "genuine"
    FORGED = "forged"
    """The signature is missing or wrong, or is for another application."""
    STALE = "stale"
    """Signed rightly, but at a time too far from now: somebody may be repeating what he overheard."""


@frozen
class ImMessage:
    """A message that a user sent over IM.

    ``to`` is a user, a group or a chat room, as ``channel`` (``PERSON``, ``TEMPGROUP`` for chat rooms, ...)
    says. ``kind`` is the vendor's name for the type of message. ``text`` is there if it is a text message whose
    content can be read. ``sent_at`` is in Unix seconds, if known; ``uid`` is unique, or "" .
    """

    sender: str
    to: str
    channel: str
    kind: str
    text: str | None
    sent_at: float | None
    uid: str


@frozen
class ImStatus:
    """A user came online or went offline on one of his devices, ``at`` Unix seconds if that is known."""

    user_id: str
    online: bool
    at: float | None


@frozen
class Malformed:
    """Something that cannot be read, and what is wrong with it, in our own words."""

    problem: str


def verify(
    application: Application,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    now: float,
    max_age_s: float,
) -> Proof:
    """Tell whether a callback is genuine by its query or, without a signature there, by its headers.

    Names of headers are in lower case. ``now`` is in Unix seconds; the callback's time may be ``max_age_s``
    seconds before or after it.
    """
    if "signature" in query:
        key, nonce, signature = query.get("appKey"), query.get("nonce", ""), query["signature"]
        timestamp = query.get("timestamp") or query.get("signTimestamp", "")
    else:
        key, nonce = headers.get("rc-app-key"), headers.get("rc-nonce", "")
        timestamp, signature = headers.get("rc-timestamp", ""), headers.get("rc-signature", "")
    # Older callbacks do not name the application.
    if key is not None and key != application.key:
        return Proof.FORGED
    expected = application.signature(nonce, timestamp) if nonce and timestamp else ""
    if not expected or not hmac.compare_digest(_octets(signature.lower()), expected.encode("ascii")):
        return Proof.FORGED
    signed_at = _seconds(timestamp)
    if signed_at is None or abs(now - signed_at) > max_age_s:
        return Proof.STALE
    return Proof.GENUINE


def parse_message(body: bytes) -> ImMessage | Malformed:
    """Read a message of the full message routing, be it a form, as documented, or JSON."""
    if _is_json(body):
        document = _json(body)
        if not isinstance(document, dict):
            return Malformed("not a JSON object")
        fields = document
    else:
        pairs = _form(body)
        if pairs is None:
            return Malformed("not a form")
        fields = dict(reversed(pairs))
    sender, to, kind = (_text(fields.get(name)) for name in ("fromUserId", "toUserId", "objectName"))
    if not (sender and to and kind):
        return Malformed("no sender, no target or no type")
    return ImMessage(
        sender=sender,
        to=to,
        channel=_text(fields.get("channelType")),
        kind=kind,
        text=_said(fields.get("content")) if kind == TEXT_MESSAGE else None,
        sent_at=_seconds(_text(fields.get("msgTimestamp"))),
        uid=_text(fields.get("msgUID")),
    )


def parse_statuses(body: bytes) -> tuple[ImStatus | Malformed, ...]:
    """Read users' online statuses, be it a JSON array or the older form with keys such as ``0[userid]``."""
    if not _is_json(body):
        pairs = _form(body)
        return (Malformed("not a form"),) if pairs is None else tuple(map(_status, _gathered(pairs)))
    document = _json(body)
    if isinstance(document, dict):
        document = [document]
    if not isinstance(document, list):
        return (Malformed("not a JSON array"),)
    return tuple(map(_status, document))


def _status(entry: object) -> ImStatus | Malformed:
    if not isinstance(entry, dict):
        return Malformed("not a JSON object")
    user_id = _text(entry.get("userid")) or _text(entry.get("userId"))
    online = _ONLINE.get(_text(entry.get("status")))
    if not user_id or online is None:
        return Malformed("no user or no known status")
    return ImStatus(user_id, online, _seconds(_text(entry.get("time"))))


def _gathered(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the entries of a form whose keys are ``number[field]``, in their order."""
    entries: dict[int, dict[str, str]] = {}
    for name, value in pairs:
        if match := _STATUS_FIELD.fullmatch(name):
            entries.setdefault(int(match[1]), {}).setdefault(match[2], value)
    return [entries[number] for number in sorted(entries)]


def _said(content: object) -> str | None:
    """Return the text in a text message's content, which is JSON in a text or, in JSON bodies, as it is."""
    if isinstance(content, str):
        content = _json(content.encode("utf-8", "replace"))
    said = content.get("content") if isinstance(content, dict) else None
    return said if isinstance(said, str) else None


def _is_json(body: bytes) -> bool:
    """Tell JSON from forms by its beginning: content types are not to be relied on."""
    return body.lstrip()[:1] in {b"{", b"["}


def _json(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _form(body: bytes) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return None


def _text(value: object) -> str:
    """Return a text or a whole number as a text, and "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _NUMBER_LIMIT:
        return str(value)
    return value if isinstance(value, str) else ""


def _seconds(timestamp: str) -> float | None:
    """Read Unix seconds or milliseconds, told apart by their magnitude."""
    if not _TIMESTAMP.fullmatch(timestamp):
        return None
    number = int(timestamp)
    return number / 1000 if number >= _MILLISECONDS_FROM else float(number)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
