"""Who may call Qiniu's APIs: the check of the ``Authorization`` header."""

import hmac
from datetime import UTC, datetime

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.qiniu.signatures import authorization, v2_text
from qlive_app.fakes.serving.wire import Answer, Request, json_answer

MAX_SKEW_S = 15 * 60
_DATE = "%Y%m%dT%H%M%SZ"


def refusal(request: Request, keys: Keys, now: float) -> Answer | None:
    """Return how the vendor refuses a request, None if it is let in."""
    given = request.header("Authorization")
    if given is None:
        return json_answer(401, {"error": "token not specified"})
    if not given.startswith(f"Qiniu {keys.key}:"):
        return _bad_token(f"expected 'Qiniu {keys.key}:...', got {given!r}")
    wanted = authorization("Qiniu", keys, request)
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        return _bad_token(f"the signature should be over {v2_text(request).decode(errors='replace')!r}")
    date = request.header("X-Qiniu-Date")
    if date is not None and not _is_fresh(date, now):
        return json_answer(403, {"error": "request time is too skewed"}, why=f"X-Qiniu-Date is {date}")
    return None


def _bad_token(why: str) -> Answer:
    return json_answer(401, {"error": "bad token"}, why=why)


def _is_fresh(date: str, now: float) -> bool:
    try:
        signed = datetime.strptime(date, _DATE).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(signed.timestamp() - now) <= MAX_SKEW_S
