"""Which path is answered by what."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import unquote

from attrs import frozen

from qlive_app.fakes.serving.wire import Answer, Request

Parameters: TypeAlias = Mapping[str, str]
Handler: TypeAlias = Callable[[Request, Parameters], Awaitable[Answer]]


@frozen
class _Route:
    method: str
    path: str
    pattern: re.Pattern[str]
    handler: Handler


class Routes:
    """A table of routes. In a path ``{name}`` stands for one segment, ``{name*}`` for all that is left."""

    def __init__(self) -> None:
        self._routes: list[_Route] = []

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Answer ``method`` on ``path`` by ``handler``."""
        pattern = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", path)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        self._routes.append(_Route(method, path, re.compile(pattern), handler))

    def listed(self) -> list[tuple[str, str]]:
        """Return the method and the path of every route."""
        return [(each.method, each.path) for each in self._routes]

    def find(self, request: Request) -> tuple[Handler, Parameters] | None:
        """Return who answers, with the decoded parts of the path; None if nobody does."""
        for route in self._routes:
            if route.method == request.method and (found := route.pattern.fullmatch(request.path)):
                return route.handler, {name: unquote(value) for name, value in found.groupdict().items()}
        return None
