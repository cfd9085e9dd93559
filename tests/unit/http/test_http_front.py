"""The layer around the router, over applications that do as little as they can."""

from typing import Any

import pytest
import structlog
from http_scopes import http_scope
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from qlive_app.http.call import CURRENT
from qlive_app.http.front import Front
from qlive_app.http.replies import Reply
from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import NoSuchRoom, StoreUnavailable


async def _no_body() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


class _Answer:
    """What came back, and the figures and log lines that it left."""

    def __init__(self, sent: list[Any], logs: list[Any], registry: CollectorRegistry) -> None:
        self.status: int = sent[0]["status"]
        self.headers = dict(sent[0]["headers"])
        self.body: bytes = b"".join(message.get("body", b"") for message in sent[1:])
        self.logs = logs
        self.counted = {
            tuple(sample.labels[name] for name in ("method", "path", "code"))
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name == "qlive_api_http_request_count_total"
        }

    @property
    def access(self) -> Any:
        """The line of the access log."""
        (line,) = [line for line in self.logs if line["event"] == "http request"]
        return line


async def _serve(app: ASGIApp, *, preflights: bool = False, **request: Any) -> _Answer:
    metrics = Metrics()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with capture_logs() as logs:
        front = Front(app, metrics, unobserved={"/metrics", "/healthz"}, preflights=preflights)
        await front(http_scope(**request), _no_body, send)
    return _Answer(sent, list(logs), metrics.registry)


def _routed(template: str | None, reply: ASGIApp) -> ASGIApp:
    """An application that answers as the router would."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if template is not None:
            scope["path_template"] = template
        await reply(scope, receive, send)

    return app


def _raising(error: BaseException) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error

    return app


FINE = Reply(b'"fine"')


@pytest.mark.parametrize("own", [b"mine", b""])
async def test_every_answer_carries_the_request_id(own: bytes) -> None:
    """The caller's own or a new one, the same in header, body and log."""
    for app, path in ((FINE, "/"), (FINE, "//"), (_raising(NoSuchRoom()), "/")):
        answer = await _serve(app, path=path, headers=[(b"x-reqid", own)])
        request_id = answer.headers[b"x-reqid"]
        assert request_id == (own or request_id)
        assert answer.access["request_id"] == request_id.decode()
        assert answer.status == 200 or b'"requestID":"' + request_id + b'"' in answer.body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "//v1/rooms"),
        ("GET", "/v1//rooms"),
        ("GET", "/v1/rooms//"),
        ("HEAD", "/v1/rooms"),
        ("OPTIONS", "/v1/rooms"),
        ("DELETE", "/v1/rooms"),
        ("PATCH", "/v1/rooms"),
        ("TRACE", "/v1/rooms"),
    ],
)
async def test_what_the_router_would_be_too_kind_to(method: str, path: str) -> None:
    """Doubled slashes, and methods that no route has, are not found."""
    answer = await _serve(FINE, method=method, path=path)
    assert answer.status == 404
    assert answer.body.startswith(b'{"code":404000,"requestID":"')
    assert answer.body.endswith(b'","summary":"not found","message":""}')
    assert answer.counted == {(method, "unmatched", "404")}


async def test_browsers_may_ask_first_where_origins_are_configured() -> None:
    """A preflight names its origin; any other OPTIONS stays unknown."""
    origin = [(b"origin", b"https://example.com")]
    assert (await _serve(FINE, method="OPTIONS", headers=origin, preflights=True)).status == 200
    assert (await _serve(FINE, method="OPTIONS", headers=origin)).status == 404
    assert (await _serve(FINE, method="OPTIONS", preflights=True)).status == 404


@pytest.mark.parametrize(
    ("template", "path", "label"),
    [
        ("/v1/rooms", "/v1/rooms", "/v1/rooms"),
        ("/v1/rooms", "/v1/rooms/", "/v1/rooms/"),
        ("/v1/rooms/{roomID}", "/v1/rooms/abc", "/v1/rooms/:roomID"),
        ("/v1/rooms/{roomID}", "/v1/rooms/abc/", "/v1/rooms/:roomID/"),
        ("/", "/", "/"),
        (None, "/secret/path", "unmatched"),
    ],
)
async def test_figures_name_routes_not_paths(template: str | None, path: str, label: str) -> None:
    """Dashboards of the original go on working, and no caller can make up new labels."""
    answer = await _serve(_routed(template, FINE), path=path)
    assert answer.counted == {("GET", label, "200")}


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/healthz/"])
async def test_operators_requests_leave_no_trace(path: str) -> None:
    """Polling for health and metrics would drown what users do."""
    answer = await _serve(FINE, path=path)
    assert (answer.status, answer.counted, answer.logs) == (200, set(), [])


@pytest.mark.parametrize(("status", "level"), [(200, "debug"), (304, "debug"), (404, "info"), (503, "error")])
async def test_the_access_log_says_who_asked_what_and_no_more(status: int, level: str) -> None:
    """One line with a level after its status; never the query, a header or a body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        CURRENT.get().user_id = "ann"
        await Reply(b"SECRET", status)(scope, receive, send)

    headers = [(b"authorization", b"Bearer SECRET")]
    answer = await _serve(_routed("/v1/x", app), path="/v1/x", query="phone=SECRET", headers=headers)
    line = dict(answer.access)
    assert (line.pop("log_level"), line.pop("status")) == (level, status)
    assert line.pop("ms") >= 0
    assert line.pop("request_id")
    assert line == {"event": "http request", "method": "GET", "path": "/v1/x", "user_id": "ann"}


async def test_an_unknown_path_is_logged_as_it_came() -> None:
    """Under one label in the figures, but an operator wants to know what was asked."""
    line = (await _serve(FINE, path="/nothing", query="a=b")).access
    assert (line["path"], "user_id" in line) == ("/nothing", False)


async def test_an_escaped_error_is_answered_and_logged() -> None:
    """The caller gets the usual shape and no word of the error; the log gets the traceback."""
    answer = await _serve(_raising(ZeroDivisionError("SECRET")))
    assert answer.status == 500
    assert answer.body.startswith(b'{"code":500000,')
    assert b"SECRET" not in answer.body
    (line,) = [line for line in answer.logs if line["event"] == "request failed"]
    assert isinstance(line["exc_info"], ZeroDivisionError)
    assert answer.counted == {("GET", "unmatched", "500")}


async def test_an_error_after_the_first_byte_adds_no_second_answer() -> None:
    """What was begun cannot be taken back; the server will see that it is not complete."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await FINE(scope, receive, send)
        raise StoreUnavailable

    answer = await _serve(app)
    assert (answer.status, answer.body) == (200, b'"fine"')
    assert "unavailable" in [line["event"] for line in answer.logs]


async def test_log_lines_within_a_request_carry_its_id() -> None:
    """Also those of use cases, which know nothing of requests; afterwards nothing is left over."""
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(structlog.contextvars.get_contextvars())
        await FINE(scope, receive, send)

    await _serve(app, headers=[(b"x-reqid", b"mine")])
    assert seen == [{"request_id": "mine"}]
    assert structlog.contextvars.get_contextvars() == {}


async def test_what_is_not_http_is_passed_on() -> None:
    """Start and stop of the server are the router's business."""
    kinds: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        kinds.append(scope["type"])

    front = Front(app, Metrics(), unobserved=(), preflights=False)
    scope: Any = {"type": "lifespan"}
    await front(scope, _no_body, _no_body)  # type: ignore[arg-type]
    assert kinds == ["lifespan"]
