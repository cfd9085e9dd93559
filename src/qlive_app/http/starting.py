"""While the process starts: operators are answered, users wait a little.

A start may take minutes, when a large collection has to get its indexes. Who watches over processes must see that this one
lives, and a load balancer that it is not ready.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from qlive_app.http.call import Call
from qlive_app.http.errors import error_body, row_of
from qlive_app.http.replies import Reply
from qlive_core.errors import StoreUnavailable

PATIENCE_S = 3.0
"""How long a request waits: longer than an ordinary start takes, so that a restart fails nobody's request."""


class Starting:
    """Calls ``app`` once ``open`` has been called, and before that for the paths in ``answered`` alone."""

    def __init__(self, app: ASGIApp, *, answered: Collection[str]) -> None:
        self._app = app
        self._answered = frozenset(answered) | {f"{path}/" for path in answered}
        self._open = asyncio.Event()

    def open(self) -> None:
        """Let everybody in."""
        self._open.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._open.is_set() and scope["type"] == ScopeType.HTTP:
            await self._wait(scope["path"])
            if not self._open.is_set() and scope["path"] not in self._answered:
                error, call = StoreUnavailable("starting"), Call(scope, receive)
                await Reply(error_body(error, call.request_id), row_of(type(error)).status)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)

    async def _wait(self, path: str) -> None:
        if path not in self._answered:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._open.wait()
