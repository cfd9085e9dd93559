"""The side of the bench that asks the MongoDB yardstick for a slice."""

from qlive_app.bench.http_client import open_http, request_bytes
from qlive_app.bench.mongo_yardstick import RUN_PATH
from qlive_app.bench.slices import Work


async def updates(host: str, port: int, seconds: float) -> Work:
    """Let the yardstick work for so long. The load is made in its process, so this one is idle meanwhile."""
    connection = await open_http(host, port)
    try:
        done = await connection.call(request_bytes("GET", f"{RUN_PATH}?seconds={seconds}"))
    finally:
        connection.close()
    return Work(**done)
