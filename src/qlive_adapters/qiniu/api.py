"""What the vendor's JSON APIs have in common.

Refusals have statuses above 599 as well as those of HTTP, and ``{"error": text}`` in the body, some with a
``message`` beside it. 573 is the vendor's older word for 429.
"""

import msgspec

from qlive_adapters.outgoing import Answer, Outcome, Request, Unsuccessful

_LIMITED = frozenset({429, 573})
_encode_json = msgspec.json.Encoder().encode


class _Refusal(msgspec.Struct):
    error: str = ""
    message: str = ""


_decode_refusal = msgspec.json.Decoder(_Refusal).decode


def get(path: str) -> Request:
    """Ask for something."""
    return Request("GET", path)


def delete(path: str) -> Request:
    """Have something removed."""
    return Request("DELETE", path)


def post(path: str, body: object) -> Request:
    """Have something done; the content type is exactly what the vendor signs bodies of."""
    return Request("POST", path, _encode_json(body), {"Content-Type": "application/json"})


def is_success(answer: Answer) -> bool:
    """Tell whether the vendor did what it was asked."""
    return 200 <= answer.status < 300


def vendors_words(answer: Answer) -> str:
    """Return what the vendor says about a refusal, empty if nothing. For the log and never for users."""
    try:
        said = _decode_refusal(answer.content)
    except msgspec.DecodeError:
        return ""
    return f"{said.error} {said.message}".strip()


def refusal(answer: Answer) -> Unsuccessful:
    """Return what to raise for an answer that is no success and means nothing else to the caller."""
    return Unsuccessful(_outcome(answer.status), f"{answer.status} {vendors_words(answer)}".strip())


def done(answer: Answer) -> None:
    """Read an answer in which nothing but success matters. Raises Unsuccessful."""
    if not is_success(answer):
        raise refusal(answer)


def _outcome(status: int) -> Outcome:
    if status in _LIMITED:
        return Outcome.LIMITED
    return Outcome.FAILED if 500 <= status < 600 else Outcome.REFUSED
