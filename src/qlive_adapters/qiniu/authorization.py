"""The ``Authorization`` header of requests to Qiniu, and of those that Qiniu sends to us.

Two schemes are in use. ``Qiniu`` covers method, path, host, content type, the ``X-Qiniu-`` headers and mostly the
body; all APIs that qlive calls take it. ``QBox`` is older and covers path and form bodies; storage calls back
with it.

Source: the vendor's page on access tokens and its SDKs, which agree where the content type is exactly
``application/json`` or a form's, where paths need no percent-encoding and where no header is repeated.
"""

import time
from collections.abc import Generator, Mapping

import httpx
from attrs import field, frozen

from qlive_adapters.qiniu.signing import Credentials
from qlive_core.ports.world import Clock

_FORM = "application/x-www-form-urlencoded"
_PREFIX = "x-qiniu-"


def _lower_case_names(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@frozen(kw_only=True)
class Signable:
    """What of a request can be signed.

    ``target`` is path and query as they are sent, ``host`` the value of the Host header, with its port if it has
    one. Names of headers may be in any case; a content type counts only if it is sent.
    """

    method: str
    target: str
    host: str
    headers: Mapping[str, str] = field(converter=_lower_case_names)
    body: bytes

    @property
    def content_type(self) -> str:
        """The content type, empty if none is sent."""
        return self.headers.get("content-type", "")


def qiniu_covers_body(request: Signable) -> bool:
    """Tell whether a ``Qiniu`` signature covers the body."""
    return request.content_type not in ("", "application/octet-stream")


def qiniu_text(request: Signable) -> bytes:
    """Return what the ``Qiniu`` scheme signs."""
    lines = [f"{request.method} {request.target}", f"Host: {request.host}"]
    if request.content_type:
        lines.append(f"Content-Type: {request.content_type}")
    signed = {_title(name): value for name, value in request.headers.items() if _is_signed(name)}
    lines += (f"{name}: {signed[name]}" for name in sorted(signed))
    head = "\n".join(lines).encode() + b"\n\n"
    return head + request.body if qiniu_covers_body(request) else head


def _is_signed(name: str) -> bool:
    return name.startswith(_PREFIX) and name != _PREFIX


def _title(name: str) -> str:
    """Return how the name of a header is signed, whatever case it is sent in."""
    return "-".join(part.capitalize() for part in name.split("-"))


def qiniu_authorization(credentials: Credentials, request: Signable) -> str:
    """Return the header of the ``Qiniu`` scheme."""
    return f"Qiniu {credentials.sign(qiniu_text(request))}"


def qbox_covers_body(request: Signable) -> bool:
    """Tell whether a ``QBox`` signature covers the body."""
    return request.content_type == _FORM


def qbox_text(request: Signable) -> bytes:
    """Return what the ``QBox`` scheme signs."""
    head = f"{request.target}\n".encode()
    return head + request.body if qbox_covers_body(request) else head


def qbox_authorization(credentials: Credentials, request: Signable) -> str:
    """Return the header of the ``QBox`` scheme."""
    return f"QBox {credentials.sign(qbox_text(request))}"


class QiniuAuth(httpx.Auth):
    """Dates and signs every request; the vendor refuses dates that are more than 15 minutes off."""

    requires_request_body = True

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Sign the request as it will be sent."""
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock.wall()))
        request.headers["X-Qiniu-Date"] = date
        request.headers["Authorization"] = qiniu_authorization(
            self._credentials,
            Signable(
                method=request.method,
                target=request.url.raw_path.decode("ascii"),
                host=request.headers["Host"],
                headers=request.headers,
                body=request.content,
            ),
        )
        yield request
