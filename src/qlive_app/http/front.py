"""The layer around the router: request ids, figures, the access log, and the last word about errors.

It is on the way of every request and therefore plain ASGI without anything that could be done once.
"""

import asyncio
import re
from collections.abc import Awaitable, Collection
from time import perf_counter
from typing import cast

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from qlive_app.http.call import CURRENT, Call
from qlive_app.http.errors import error_body, note, row_of
from qlive_app.http.replies import Reply
from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import NotFound, Unavailable

UNMATCHED = "unmatched"
"""One label for all paths that do not exist: there are too many of them."""

_METHODS = frozenset({"GET", "POST", "PUT"})
_API = re.compile(r"/v1(/|\Z)")
_PARAMETER = re.compile(r"\{(\w+)\}")


class Front:
    """Calls `app` for each request. `unobserved` paths are neither counted nor logged.

    With `preflights`, browsers may ask by OPTIONS what they are allowed to do.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, *, unobserved: Collection[str], preflights: bool
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._unobserved = frozenset(unobserved) | {f"{path}/" for path in unobserved}
        self._preflights = preflights
        self._routes: dict[tuple[str, bool], str] = {}
        # Bound once: a logger that is looked up anew costs more than all the rest of this layer.
        self._log = structlog.get_logger("qlive.http").bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        if scope["method"] == "HEAD" and not _API.match(scope["path"]):
            # Tools such as `wget --spider` ask so; the server leaves the body out. Apps never do: there it is unknown.
            scope = cast("HTTPScope", {**scope, "method": "GET"})
        call = Call(scope, receive)
        reqid = (b"x-reqid", call.request_id.encode("ascii"))
        status = 0

        def stamped(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], reqid]
            return send(message)

        current = CURRENT.set(call)
        bound = bind_contextvars(request_id=call.request_id)
        try:
            if self._exists(call, scope["method"]):
                await self._app(scope, receive, stamped)
            else:
                await _refuse(NotFound(), call, receive, stamped)
        except asyncio.CancelledError:
            # The shutdown waits no longer for this request. Nothing comes after us, so the task may just end.
            if not status:
                await _refuse(Unavailable("shutting down"), call, receive, stamped)
        except Exception as error:  # noqa: BLE001 - nothing is behind us but the server, which would show it
            note(error)
            if not status:
                await _refuse(error, call, receive, stamped)
        finally:
            if call.path not in self._unobserved:
                self._record(call, status, perf_counter() - started)
            reset_contextvars(**bound)
            CURRENT.reset(current)

    def _exists(self, call: Call, method: str) -> bool:
        """Tell whether it is worth asking the router, which is too kind to doubled slashes and to OPTIONS."""
        if "//" in call.path:
            return False
        if method in _METHODS:
            return True
        return method == "OPTIONS" and self._preflights and call.header(b"origin") is not None

    def _record(self, call: Call, status: int, seconds: float) -> None:
        method = call.scope["method"]
        route = self._route(call)
        self._metrics.observe_http(method, route, status, seconds)
        who = {"user_id": call.user_id} if call.user_id else {}
        log = self._log.debug if status < 400 else self._log.info if status < 500 else self._log.error
        log(
            "http request",
            method=method,
            path=call.path if route is UNMATCHED else route,
            status=status,
            ms=round(seconds * 1000, 2),
            request_id=call.request_id,
            **who,
        )

    def _route(self, call: Call) -> str:
        """Return the route as dashboards know it: `/v1/rooms/:roomID`, slash variants apart."""
        template = call.scope.get("path_template")
        if template is None:
            return UNMATCHED
        key = (template, call.path.endswith("/") and call.path != "/")
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = _PARAMETER.sub(r":\1", template) + "/" * key[1]
        return route


async def _refuse(error: Exception, call: Call, receive: Receive, send: Send) -> None:
    reply = Reply(error_body(error, call.request_id), row_of(type(error)).status)
    await reply(call.scope, receive, send)
