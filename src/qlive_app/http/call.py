"""One HTTP request, as the handlers see it."""

from contextvars import ContextVar
from urllib.parse import parse_qsl

from litestar.types import HTTPScope, Receive

from qlive_app.runtime.requests import request_id
from qlive_core.errors import NotLoggedIn

_BEARER = b"Bearer "


class Call:
    """What a request says apart from its body.

    `path` is the path as it came, with the slash at its end if there was one. `user_id` is empty until the
    caller is known.
    """

    __slots__ = ("_authorization", "path", "receive", "request_id", "scope", "user_id")

    def __init__(self, scope: HTTPScope, receive: Receive) -> None:
        given = authorization = None
        for name, value in scope["headers"]:
            if name == b"authorization" and authorization is None:
                authorization = value
            elif name == b"x-reqid" and given is None:
                given = value
        self.scope = scope
        self.receive = receive
        self.path = scope["path"]
        self.request_id = request_id(given)
        self.user_id = ""
        self._authorization = authorization

    def token(self) -> str:
        """Return the bearer token. Raises NotLoggedIn if there is none, whatever else the header says."""
        value = (self._authorization or b"").strip(b" \t")
        if not value.startswith(_BEARER):
            raise NotLoggedIn("user not logged in")
        return value[len(_BEARER) :].decode("latin-1")

    def query(self) -> dict[str, str]:
        """Return the query parameters; of repeated ones the first counts."""
        text = self.scope["query_string"].decode("utf-8", "replace")
        return dict(reversed(parse_qsl(text, keep_blank_values=True))) if text else {}

    def path_parameter(self, name: str) -> str:
        """Return what stands in the path in place of `{name}`."""
        return str(self.scope["path_params"][name])

    def headers(self) -> dict[str, str]:
        """Return the headers under their names in lower case; of repeated ones the first counts."""
        return {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in reversed(list(self.scope["headers"]))
        }

    def header(self, wanted: bytes) -> bytes | None:
        """Return the first header of that name (lower case)."""
        return next((value for name, value in self.scope["headers"] if name == wanted), None)


CURRENT: ContextVar[Call] = ContextVar("call")
"""The call that is being served. Handlers that took it as an argument would cost twice as much to be called."""
