"""A server that takes any request which Qiniu's own library would have signed likewise, and answers as told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import qiniu
from attrs import Factory, define, frozen

ACCESS_KEY, SECRET_KEY = "qlive-test-ak", "qlive-test-sk"


@frozen
class Reply:
    """An answer; without one the server says nothing at all, or hangs up."""

    status: int
    body: Any = None


Behaviour = Reply | Literal["silent", "hang up"]


@frozen
class Received:
    """A request that was signed as it has to be."""

    method: str
    target: str
    content: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


@define
class ScriptedQiniu:
    """Answers by ``script``, in order, and then everything with 200 and an empty object."""

    port: int = 0
    script: deque[Behaviour] = Factory(deque)
    received: list[Received] = Factory(list)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            qiniu.utils.canonical_mime_header_key(name): value
            for name, _, value in (line.partition(": ") for line in head[1:])
        }
        content = await reader.readexactly(int(headers.get("Content-Length", "0")))
        reply = self._answer(method, target, headers, content)
        if not isinstance(reply, Reply):
            if reply == "silent":
                await reader.read()
            return False
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        writer.write(
            b"HTTP/1.1 %d \r\nX-Reqid: req-1\r\nContent-Length: %d\r\n\r\n%s"
            % (reply.status, len(body), body)
        )
        await writer.drain()
        return True

    def _answer(self, method: str, target: str, headers: dict[str, str], content: bytes) -> Behaviour:
        mac = qiniu.QiniuMacAuth(ACCESS_KEY, SECRET_KEY)
        token = mac.token_of_request(
            method,
            headers["Host"],
            self.url + target,
            mac.qiniu_headers(headers),
            headers.get("Content-Type"),
            content,
        )
        if "X-Qiniu-Date" not in headers or headers["Authorization"] != f"Qiniu {token}":
            return Reply(401, {"error": "bad token"})
        self.received.append(Received(method, target, content))
        return self.script.popleft() if self.script else Reply(200, {})


@asynccontextmanager
async def scripted_qiniu() -> AsyncIterator[ScriptedQiniu]:
    """Listen on a free port."""
    cloud = ScriptedQiniu()
    server = await asyncio.start_server(cloud.serve, "127.0.0.1", 0)
    async with server:
        cloud.port = server.sockets[0].getsockname()[1]
        yield cloud
