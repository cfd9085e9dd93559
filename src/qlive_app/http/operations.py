"""What a route is: the declaration from which both its handler and its documentation are made."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from attrs import field, frozen
from litestar import route
from litestar.handlers import HTTPRouteHandler

from qlive_app.http.bodies import read_body
from qlive_app.http.call import CURRENT, Call
from qlive_app.http.replies import Reply
from qlive_app.services import Services
from qlive_core.errors import QliveError

Run = Callable[..., Awaitable[Reply]]


@frozen(kw_only=True)
class Parameter:
    """A parameter of the query or, as `within` says, of the path."""

    name: str
    doc: str
    within: Literal["query", "path"] = "query"
    required: bool = False
    schema: Mapping[str, object] = field(factory=lambda: {"type": "string"})


@frozen(kw_only=True)
class Operation:
    """One method of one path.

    `run` is called with the call and, if there is a `body` class, the body; `before_body` can refuse before the
    body is read. `authorised` operations are for users who are logged in. The rest is what the document says:
    the class of the answer (None for an empty JSON text), the errors beside those that follow from the
    above, and answers of other statuses. `media_type` is for answers that are not JSON.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    name: str
    summary: str
    tag: str
    run: Run
    doc: str = ""
    authorised: bool = True
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    before_body: Callable[[Call], None] | None = None
    answer: type | None = None
    media_type: str = "application/json"
    refusals: tuple[type[QliveError], ...] = ()
    other_answers: Mapping[int, type] = field(factory=dict)


def route_handler(operation: Operation, services: Services) -> HTTPRouteHandler:
    """Return the handler that the router calls."""
    run, body, before_body = operation.run, operation.body, operation.before_body
    authorised = operation.authorised

    async def handle() -> Reply:
        call = CURRENT.get()
        if authorised:
            call.user_id = await services.sessions.authenticate(call.token())
            await services.attendance.sign_of_life(call.user_id)
        if before_body is not None:
            before_body(call)
        if body is None:
            return await run(call)
        return await run(call, await read_body(call.receive, body))

    return route(_typed(operation.path), http_method=operation.method, name=operation.name)(handle)


def _typed(path: str) -> str:
    """Return the path in the router's spelling, which wants a type for each parameter."""
    return path.replace("}", ":str}")
