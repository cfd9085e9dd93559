"""A WebSocket client made by hand: it sends the handshakes of the apps and sees every bit of what comes back."""

import asyncio
import json
from enum import IntEnum
from typing import Any, Self

from attrs import frozen

from contract.wire.client import PATIENCE_S, Json
from contract.wire.server import RunningServer

_FIN, _RESERVED, _MASKED = 0x80, 0x70, 0x80
_MASK = b"\x37\xfa\x21\x3d"


class Opcode(IntEnum):
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@frozen
class Frame:
    """One frame of the server."""

    opcode: Opcode
    payload: bytes

    @property
    def text(self) -> str:
        return self.payload.decode()

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2], "big")


def android_handshake(server: RunningServer) -> str:
    """OkHttp's: it names no origin and offers compression."""
    return (
        "GET /qlive HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Extensions: permessage-deflate\r\nHost: 127.0.0.1:{server.ws_port}\r\n"
        "Accept-Encoding: gzip\r\nUser-Agent: okhttp/4.8.1\r\n\r\n"
    )


def ios_handshake(server: RunningServer) -> str:
    """jetfire's: subprotocols without a blank, its own address as origin, and a header in odd case."""
    return (
        f"GET /qlive HTTP/1.1\r\nHost: 127.0.0.1:{server.ws_port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Protocol: chat,superchat\r\nSec-Websocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: {server.ws_url}\r\n\r\n"
    )


ACCEPT_OF_BOTH = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class RawSocket:
    """A connection of an app. It answers neither pings nor close frames. `head` is the answer to the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self._reader = reader
        self._writer = writer
        self.head = head

    @classmethod
    async def open(cls, server: RunningServer, handshake: str) -> Self:
        """Connect and shake hands; AssertionError if the server does not want to."""
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ws_port)
        writer.write(handshake.encode())
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 101 "), head
        return cls(reader, writer, head)

    def send(self, kind: str, body: Json | str) -> None:
        """Send a message; a text is sent as it is."""
        self.send_frame(Opcode.TEXT, f"{kind}={body if isinstance(body, str) else json.dumps(body)}".encode())

    def send_frame(self, opcode: Opcode, payload: bytes = b"") -> None:
        """Send a frame, masked as clients must."""
        length = bytes([_MASKED | min(len(payload), 126)])
        if len(payload) > 125:
            length += len(payload).to_bytes(2, "big")
        masked = bytes(byte ^ _MASK[index % 4] for index, byte in enumerate(payload))
        self._writer.write(bytes([_FIN | opcode]) + length + _MASK + masked)

    async def frame(self, timeout_s: float = PATIENCE_S) -> Frame | None:
        """Return the next frame, or None at the end of the TCP connection.

        Whatever comes must be what jetfire can read: in one piece, no reserved bit, no mask.
        """
        async with asyncio.timeout(timeout_s):
            try:
                first, second = await self._reader.readexactly(2)
                assert (first & (_FIN | _RESERVED), second & _MASKED) == (_FIN, 0), (
                    f"{first:08b} {second:08b}"
                )
                length = second
                if length > 125:
                    length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8), "big")
                return Frame(Opcode(first & 0x0F), await self._reader.readexactly(length))
            except (asyncio.IncompleteReadError, ConnectionError):
                return None

    async def text(self) -> str:
        """Return the next frame, which has to be a text."""
        frame = await self.frame()
        assert frame is not None, "the connection is over"
        assert frame.opcode is Opcode.TEXT, frame
        return frame.text

    async def expect(self, kind: str) -> Json:
        """Return the body of the next message but for pings, which has to be of this kind."""
        while (text := await self.text()) == "ping={}":
            pass
        found, _, body = text.partition("=")
        assert found == kind, f"{text} instead of {kind}"
        parsed: Any = json.loads(body)
        assert isinstance(parsed, dict)
        return parsed

    async def auth(self, token: str) -> Json:
        """Authenticate and return the answer."""
        self.send("auth", {"token": token, "rpcID": "0"})
        return await self.expect("auth-res")

    def drop(self) -> None:
        """Lose the connection without a word."""
        self._writer.transport.abort()
