"""Qiniu's signatures, written down from the vendor's rules a second time, for the sake of whoever checks.

The adapters sign with code of their own; nothing is shared with them, so that one mistake cannot hide in both.
"""

import base64
import hashlib
import hmac
import json
import re
from typing import Any

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.serving.wire import FORM, Request

_PREFIX = "x-qiniu-"


class BadToken(Exception):
    """A token or signature is not one of ours; the text says why, for the person who watches."""


def digest(secret: str, data: bytes) -> str:
    """Return the signature of data, as text."""
    return base64.urlsafe_b64encode(hmac.new(secret.encode(), data, hashlib.sha1).digest()).decode()


def v2_text(request: Request) -> bytes:
    """Return what an ``Authorization: Qiniu`` signs of a request.

    Source: the vendor's documentation of the "Qiniu" token and its Python SDK.
    """
    media = request.header("Content-Type")
    lines = [f"{request.method} {request.target.removesuffix('?')}", f"Host: {request.header('Host')}"]
    if media is not None:
        lines.append(f"Content-Type: {media}")
    own = ((name.title(), value) for name, value in request.headers if name.lower().startswith(_PREFIX))
    lines += [f"{name}: {value}" for name, value in sorted(own) if len(name) > len(_PREFIX)]
    body = request.body if media is not None and media != "application/octet-stream" else b""
    return "\n".join([*lines, "", ""]).encode() + body


def qbox_text(request: Request) -> bytes:
    """Return what an ``Authorization: QBox`` signs: no method, no host, and only the body of a form."""
    body = request.body if request.header("Content-Type") == FORM else b""
    return request.target.encode() + b"\n" + body


def authorization(scheme: str, keys: Keys, request: Request) -> str:
    """Return the header that signs a request by ``Qiniu`` or by ``QBox``."""
    text = v2_text(request) if scheme == "Qiniu" else qbox_text(request)
    return f"{scheme} {keys.key}:{digest(keys.secret, text)}"


def opened(token: str, keys: Keys) -> dict[str, Any]:
    """Return the claims in a token of the form ``key:signature:data``. Raises BadToken."""
    parts = token.split(":")
    if len(parts) != 3:
        raise BadToken("not of the form key:signature:data")
    key, signature, data = parts
    if key != keys.key:
        raise BadToken(f"unknown key {key!r}")
    if not hmac.compare_digest(signature.encode(), digest(keys.secret, data.encode()).encode()):
        raise BadToken("the signature does not fit the data")
    try:
        claims = json.loads(decoded(data))
    except ValueError as exc:
        raise BadToken("the data is not JSON in URL-safe base64 with its padding") from exc
    if not isinstance(claims, dict):
        raise BadToken("the data is not a JSON object")
    return claims


def decoded(text: str) -> bytes:
    """Decode URL-safe base64 that keeps its padding. Raises ValueError for everything else."""
    # The library would drop what does not belong to the alphabet without a word.
    if re.fullmatch(r"[A-Za-z0-9_-]*={0,2}", text) is None:
        raise ValueError("not URL-safe base64")
    return base64.urlsafe_b64decode(text)
