"""An authorised signalling connection, as an app has one."""

import asyncio
from collections.abc import Callable

from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.frames import TEXT, client_frame
from qlive_app.bench.websocket import WebSocket, open_websocket

_PING = b"ping={}"
_PONG = client_frame(TEXT, b"pong={}")
_AUTH = '{{"rpcID":"auth","token":"{token}"}}'


def message_frame(kind: str, body: str) -> bytes:
    """A signalling message, ready to be sent any number of times."""
    return client_frame(TEXT, f"{kind}={body}".encode())


class Signalling:
    """Answers the server's pings and calls ``on_message`` with kind and body of all else."""

    def __init__(self, socket: WebSocket) -> None:
        self.on_message: Callable[[bytes, bytes], None] = lambda _kind, _body: None
        self._pings = 0
        self._pinged = asyncio.Event()
        self.send = socket.send
        self.close = socket.close
        self.report_loss = socket.report_loss
        socket.on_text = self._received

    async def authorise(self, token: str) -> None:
        """Log this connection in; MeasurementError if the server says no."""
        answer: asyncio.Future[tuple[bytes, bytes]] = asyncio.get_running_loop().create_future()

        def heard(kind: bytes, body: bytes) -> None:
            if not answer.done():
                answer.set_result((kind, body))

        def lost(reason: str) -> None:
            if not answer.done():
                answer.set_exception(MeasurementError(reason))

        self.on_message = heard
        self.report_loss(lost)
        self.send(message_frame("auth", _AUTH.format(token=token)))
        kind, body = await answer
        if kind != b"auth-res" or b'"code":0' not in body:
            raise MeasurementError(f"not authorised: {kind.decode()}={body.decode()}")
        self.on_message = lambda _kind, _body: None

    async def pinged(self, times: int) -> None:
        """Wait until the server has sent so many pings on this connection."""
        while self._pings < times:
            self._pinged.clear()
            await self._pinged.wait()

    def _received(self, text: bytes) -> None:
        if text == _PING:
            self._pings += 1
            self._pinged.set()
            self.send(_PONG)
            return
        kind, _, body = text.partition(b"=")
        self.on_message(kind, body)


async def open_signalling(host: str, port: int, path: str, token: str) -> Signalling:
    """Connect and authorise."""
    signalling = Signalling(await open_websocket(host, port, path))
    await signalling.authorise(token)
    return signalling
