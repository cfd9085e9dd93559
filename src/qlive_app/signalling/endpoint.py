"""The signalling port's application: one WebSocket route, and plain refusals for everything else."""

from typing import Any, cast

from litestar import Litestar, WebSocket, websocket
from litestar.types import ASGIApp, Receive, Scope, Send

from qlive_app.config import Settings
from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_app.signalling.commands import SignalCommands
from qlive_app.signalling.hub import Hub
from qlive_app.signalling.session import SignalSession
from qlive_core.signalling import ConnectionLimits


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Return what a connection is allowed."""
    conf = settings.websocket_conf
    return ConnectionLimits(
        authorize_timeout_s=conf.authorize_timeout_ms / 1000,
        ping_interval_s=conf.ping_ticker_s,
        pong_timeout_s=conf.pong_timeout_s,
        max_message_bytes=conf.max_message_bytes,
        messages_per_s=conf.message_rate_per_s,
        burst=conf.message_burst,
        bytes_per_s=conf.byte_rate_per_s,
        burst_bytes=conf.byte_burst,
    )


def create_signalling_app(
    services: Services, settings: Settings, commands: SignalCommands, hub: Hub, metrics: Metrics
) -> ASGIApp:
    """Return the application that serves signalling at ``websocket_conf.serve_uri``.

    Any origin is welcome and no subprotocol is chosen, as the apps expect.
    """
    limits = connection_limits(settings)
    outbox_max = settings.websocket_conf.pump_write_queue
    route = settings.websocket_conf.serve_uri

    @websocket(route)
    async def signalling(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        session = SignalSession(
            socket,
            services=services,
            commands=commands,
            hub=hub,
            metrics=metrics,
            limits=limits,
            outbox_max=outbox_max,
        )
        try:
            await session.run()
        finally:
            del socket.receive, socket.send  # Litestar's wrappers, which hold the socket that holds them

    app = Litestar([signalling], openapi_config=None, logging_config=None)
    return _only_signalling(app, route)


def _only_signalling(app: Litestar, route: str) -> ASGIApp:
    """Answer what is not signalling as the original did, in plain text."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        kind = str(scope["type"])
        if kind == "lifespan" or (kind == "websocket" and scope["path"] == route):
            await app(scope, receive, send)
        elif kind == "websocket":
            await _refuse(send, "websocket.http.response", 404, b"404 page not found\n")
            scope["state"]["wire"].refused()
        elif scope["path"] == route:
            await _refuse(send, "http.response", 400, b"Bad Request\n")
        else:
            await _refuse(send, "http.response", 404, b"404 page not found\n")

    return guarded


async def _refuse(send: Send, response: str, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send(cast("Any", {"type": f"{response}.start", "status": status, "headers": headers}))
    await send(cast("Any", {"type": f"{response}.body", "body": body, "more_body": False}))
