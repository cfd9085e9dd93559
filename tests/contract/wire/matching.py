"""Compares what the server says with what the original said: byte for byte, but for names given anew.

Ids, tokens, request ids, ports and times differ from run to run. Each rule for them stands here; everything
else, the order of keys and the absence of blanks too, has to be the same.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from typing import Any

from .differences import SESSION_TOKEN
from .server import AVATARS, RTC_ACCESS_KEY, RTC_SECRET_KEY, RTC_TOKEN_LIFE_S

_ID = re.compile(r"[0-9a-z]{12}|[0-9a-z]{16}")
_ID_KEYS = frozenset(
    {
        "id",
        "room",
        "roomID",
        "rtcRoom",
        "relayRtcRoom",
        "userID",
        "pkRoomID",
        "pkAnchorID",
        "reqRoomID",
        "reqUserID",
    }
)
_RECORDED_PORT = "18082"
_CLOCKS_DIFFER_S = 5


class Mismatch(AssertionError):
    """The server said something else than it should have."""


class Object(list[tuple[str, Any]]):
    """A JSON object with its keys in order."""


class Bindings:
    """Which live value stands for which recorded one; learned from the answers, used for what is sent."""

    def __init__(self, ws_port: int) -> None:
        self._live: dict[str, str] = {}
        self._avatars: dict[str, str] = {}
        self._ws_port = ws_port

    def live(self, text: str) -> str:
        """Return a recorded text with all names as they are now."""
        for recorded, live in self._live.items():
            text = text.replace(recorded, live)
        return text

    def expect(self, text: str, live_text: str) -> None:
        """Compare two JSON texts. Raises Mismatch."""
        recorded, live = _parsed(text), _parsed(live_text)
        self._compare("", recorded, live)
        compact = json.dumps(_plain(live), ensure_ascii=False, separators=(",", ":"))
        _same("the text", compact, live_text)

    def _compare(self, path: str, recorded: Any, live: Any, owner: str = "") -> None:
        _same(f"{path}: the type", type(recorded).__name__, type(live).__name__)
        if isinstance(recorded, Object):
            _same(f"{path}: the keys", [key for key, _ in recorded], [key for key, _ in live])
            owner = next((str(value) for key, value in live if key in ("id", "reqUserID")), "")
            for (key, was), (_, now) in zip(recorded, live, strict=True):
                self._compare(f"{path}.{key}", was, now, owner)
        elif isinstance(recorded, list):
            _same(f"{path}: the length", len(recorded), len(live))
            for index, (was, now) in enumerate(zip(recorded, live, strict=True)):
                self._compare(f"{path}[{index}]", was, now)
        elif isinstance(recorded, str):
            self._compare_text(path, recorded, live, owner)
        else:
            _same(path, recorded, live)

    def _compare_text(self, path: str, recorded: str, live: str, owner: str) -> None:
        key = path.rpartition(".")[2]
        if key == "requestID":
            _demand(path, bool(live), live)
        elif key == "token":
            _demand(path, SESSION_TOKEN.fullmatch(live) is not None, live)
            self._live[recorded] = live
        elif key == "avatar":
            _demand(path, live in AVATARS, live)
            _same(f"{path}: {owner}'s", self._avatars.setdefault(owner, live), live)
        elif key == "wsURL":
            _same(path, recorded.replace(_RECORDED_PORT, str(self._ws_port)), live)
        elif key in ("rtcRoomToken", "relayRtcRoomToken"):
            self._compare_rtc_token(path, recorded, live)
        elif key in _ID_KEYS and recorded not in self._live and _ID.fullmatch(recorded):
            self._learn_id(path, recorded, live)
        else:
            _same(path, self.live(recorded), live)

    def _learn_id(self, path: str, recorded: str, live: str) -> None:
        fits = _ID.fullmatch(live) is not None and len(live) == len(recorded)
        _demand(path, fits and live not in self._live.values(), live)
        self._live[recorded] = live

    def _compare_rtc_token(self, path: str, recorded: str, live: str) -> None:
        expected, claims = rtc_claims(recorded), verified_rtc_claims(live)
        _same(f"{path}: the claims", list(expected), list(claims))
        expires_in = claims.pop("expireAt") - time.time()
        _demand(f"{path}: expires in", abs(expires_in - RTC_TOKEN_LIFE_S) <= _CLOCKS_DIFFER_S, expires_in)
        del expected["expireAt"]
        _same(path, {name: self.live(value) for name, value in expected.items()}, claims)


def rtc_claims(token: str) -> dict[str, Any]:
    """Return what an RTC room token says, without looking at its signature."""
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.rpartition(":")[2]))
    return claims


def verified_rtc_claims(token: str) -> dict[str, Any]:
    """Return what an RTC room token says. Raises Mismatch if the key pair did not sign it."""
    payload = token.rpartition(":")[2]
    digest = hmac.digest(RTC_SECRET_KEY.encode(), payload.encode(), hashlib.sha1)
    signature = base64.urlsafe_b64encode(digest).decode()
    _same("the RTC token", f"{RTC_ACCESS_KEY}:{signature}:{payload}", token)
    return rtc_claims(token)


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=Object)


def _plain(value: Any) -> Any:
    if isinstance(value, Object):
        return {key: _plain(item) for key, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _same(what: str, expected: Any, found: Any) -> None:
    if expected != found:
        raise Mismatch(f"{what} should be {expected!r} and is {found!r}")


def _demand(what: str, holds: bool, found: Any) -> None:
    if not holds:
        raise Mismatch(f"{what} cannot be {found!r}")
