"""Who may call RongCloud's API: the check of the four headers, and of the form of a call.

Written down from the vendor's rules a second time; nothing is shared with the adapter.
"""

import hashlib
import hmac

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.rongcloud.answers import Wrong
from qlive_app.fakes.serving.wire import FORM, Request

SUFFIX = ".json"
_LONGEST_REQUEST_ID = 36


def signature(secret: str, nonce: str, timestamp: str) -> str:
    """Return the plain SHA-1, not an HMAC, over secret, nonce and time, as lower-case hex.

    Source: the vendor's documentation of its server API and of its calls back, which sign likewise.
    """
    return hashlib.sha1(f"{secret}{nonce}{timestamp}".encode()).hexdigest()  # noqa: S324 -- the vendor's


def check(request: Request, keys: Keys, *, nonce_max: int) -> None:
    """Raise Wrong if a call is not let in."""
    if request.method != "POST" or not request.path.endswith(SUFFIX):
        raise Wrong(
            404, f"{request.method} {request.path} is not a call; calls are POST and end with {SUFFIX}"
        )
    given, nonce, timestamp = (_header(request, name) for name in ("Signature", "Nonce", "Timestamp"))
    if _header(request, "App-Key") != keys.key:
        raise Wrong(1001, f"App-Key is {_header(request, 'App-Key')!r}, not {keys.key!r}")
    if not 1 <= len(nonce) <= nonce_max:
        raise Wrong(1004, f"Nonce of {len(nonce)} characters; 1 to {nonce_max}")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise Wrong(1004, f"Timestamp {timestamp!r} is not a number")
    if not hmac.compare_digest(given.encode(), signature(keys.secret, nonce, timestamp).encode()):
        raise Wrong(1004, f"Signature is not sha1(secret + {nonce!r} + {timestamp!r}) in lower-case hex")
    if len(request.header("X-Request-ID") or "") > _LONGEST_REQUEST_ID:
        raise Wrong(1002, f"X-Request-ID is longer than {_LONGEST_REQUEST_ID}")
    if request.media_type != FORM:
        raise Wrong(1002, f"Content-Type is {request.header('Content-Type')!r}, not {FORM}")


def _header(request: Request, name: str) -> str:
    """The value of one of the headers, which go by two names; empty if it was not sent."""
    return request.header(name) or request.header(f"RC-{name}") or ""
