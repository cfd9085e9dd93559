"""The yardsticks' server: the stack that qlive runs on, doing as little as it can.

``python -m qlive_app.bench.yardstick PORT`` serves a JSON route on ``/h`` and a WebSocket echo on ``/w``.
"""

import asyncio
import sys
from typing import Any

import uvicorn
import uvloop
from litestar import Litestar, WebSocket, get, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect

HTTP_PATH = "/h"
ECHO_PATH = "/w"


@get(HTTP_PATH)
async def hello() -> dict[str, str]:
    return {"hello": "world"}


@websocket(ECHO_PATH)
async def echo(socket: WebSocket[Any, Any, State]) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


def serve(application: Litestar, port: int) -> None:
    """Serve a yardstick until SIGTERM, with the settings that qlive's own servers have."""
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    serve(Litestar([hello, echo], openapi_config=None), int(sys.argv[1]))
