"""Clients that speak the protocol and check nothing but what they are asked to."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Json = dict[str, Any]
Frame = str | bytes

PATIENCE_S = 30.0
NO_CLOSE_FRAME = 1006
"""What the client's library gives as the code when TCP ends without a close frame."""


class ApiClient:
    """The HTTP API as one caller; `token` is sent if there is one. Answers come back as they are."""

    def __init__(self, http: httpx.AsyncClient, token: str = "") -> None:
        self._http = http
        self.token = token

    async def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send `body` as JSON, or as it is when it is text or bytes."""
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await self._http.request(method, path, content=content, headers=sent | dict(headers or {}))

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.request("POST", path, body)

    async def get(self, path: str) -> httpx.Response:
        return await self.request("GET", path)

    async def send_sms_code(self, phone: str) -> httpx.Response:
        return await self.post(f"/v1/send_sms_code?phone_number={phone}")

    async def login(self, phone: str, code: str) -> httpx.Response:
        return await self.post("/v1/login?logintype=smscode", {"phoneNumber": phone, "smsCode": code})

    async def logout(self) -> httpx.Response:
        return await self.post("/v1/logout")

    async def create_room(self, name: str, room_type: str = "pk") -> httpx.Response:
        return await self.post("/v1/rooms", {"roomName": name, "roomType": room_type})

    async def close_room(self, room_id: str) -> httpx.Response:
        return await self.post("/v1/close_room", {"roomID": room_id})

    async def refresh_room(self, room_id: str) -> httpx.Response:
        return await self.post("/v1/refresh_room", {"roomID": room_id})

    async def rename_room(self, room_id: str, name: str) -> httpx.Response:
        return await self.request("PUT", f"/v1/rooms/{room_id}", {"roomName": name})

    async def enter_room(self, room_id: str) -> httpx.Response:
        return await self.post("/v1/enter_room", {"roomID": room_id})

    async def leave_room(self, room_id: str) -> httpx.Response:
        return await self.post("/v1/leave_room", {"roomID": room_id})

    async def rooms(self, query: str = "") -> httpx.Response:
        return await self.get(f"/v1/rooms{query}")

    async def room(self, room_id: str) -> httpx.Response:
        return await self.get(f"/v1/rooms/{room_id}")


class SignalClient:
    """One signalling connection, read in the background so that it answers pings while nobody looks.

    With `hears_pings` the server's pings are handed out like every other frame.
    """

    def __init__(self, connection: ClientConnection, *, answers_pings: bool, hears_pings: bool) -> None:
        self.connection = connection
        self.answers_pings = answers_pings
        self._hears_pings = hears_pings
        self._heard: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str, *, answers_pings: bool = True, hears_pings: bool = False) -> Self:
        """Connect, without authentication."""
        connection = await connect(url, compression=None, ping_interval=None, max_size=None, proxy=None)
        return cls(connection, answers_pings=answers_pings, hears_pings=hears_pings)

    async def auth(self, token: str, rpc_id: str = "auth") -> Json:
        """Authenticate and return the answer, which has to be the very next frame."""
        await self.send("auth", {"rpcID": rpc_id, "token": token})
        return await self.expect("auth-res")

    async def send(self, kind: str, body: Json | None = None) -> None:
        await self.send_raw(f"{kind}={json.dumps(body or {}, ensure_ascii=False)}")

    async def send_raw(self, frame: Frame) -> None:
        await self.connection.send(frame)

    async def call(self, kind: str, **fields: Any) -> Json:
        """Send a request and return its answer, which has to be the next frame but for pings."""
        await self.send(kind, {"rpcID": f"{kind}-1", **fields})
        answer = await self.expect(f"{kind}-res")
        assert answer.get("rpcID") == f"{kind}-1", answer
        return answer

    async def confirm(self) -> None:
        """Let the server know that all it said was heard, so that it says nothing again to a later connection."""
        await self.send("ping")
        await self.expect("pong")

    async def receive(self, timeout_s: float = PATIENCE_S) -> Frame | None:
        """Return the next frame, or None when the connection is over."""
        async with asyncio.timeout(timeout_s):
            frame = await self._heard.get()
        if frame is None:
            self._heard.put_nowait(None)
        return frame

    async def expect(self, kind: str, timeout_s: float = PATIENCE_S) -> Json:
        """Return the body of the next frame, which has to be of this kind."""
        try:
            frame = await self.receive(timeout_s)
        except TimeoutError:
            raise AssertionError(f"no {kind} within {timeout_s} s") from None
        assert frame is not None, f"closed with {self.connection.close_code} instead of {kind}"
        assert isinstance(frame, str), f"a binary frame instead of {kind}"
        found, _, body = frame.partition("=")
        assert found == kind, f"{frame} instead of {kind}"
        parsed: Json = json.loads(body)
        return parsed

    async def expect_close(self, timeout_s: float = PATIENCE_S) -> int:
        """Return the code with which the server closes, before it says anything else; NO_CLOSE_FRAME if it has none."""
        frame = await self.receive(timeout_s)
        assert frame is None, f"{frame!r} instead of a close"
        return await self.close_code()

    async def close_code(self) -> int:
        """Return the code with which the connection ended, whatever was said before."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([self._reader])
        code = self.connection.close_code
        assert code is not None
        return code

    async def nothing_within(self, seconds: float = 0.2) -> None:
        """Check that neither a frame nor a close arrives for a while."""
        try:
            frame = await self.receive(seconds)
        except TimeoutError:
            return
        raise AssertionError("the connection ended" if frame is None else f"unexpected {frame!r}")

    async def drop(self) -> None:
        """Lose the TCP connection without a word."""
        self.connection.transport.abort()
        await asyncio.wait([self._reader])

    async def close(self) -> None:
        """Close properly, as far as the other side still takes part."""
        await self.connection.close()
        await asyncio.wait([self._reader])

    async def _read(self) -> None:
        try:
            async for frame in self.connection:
                if frame != "ping={}":
                    self._heard.put_nowait(frame)
                    continue
                if self._hears_pings:
                    self._heard.put_nowait(frame)
                if self.answers_pings:
                    await self.connection.send("pong={}")
        except ConnectionClosed:
            pass
        finally:
            self._heard.put_nowait(None)
