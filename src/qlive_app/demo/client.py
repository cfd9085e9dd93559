"""A client of qlive: the HTTP API over httpx, and signalling over websockets with qlive_core's messages.

``trace`` is told every request and every answer as they went over the wire.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias, TypeVar

import attrs
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from qlive_core.signalling import (
    Auth,
    Disconnect,
    Message,
    Ping,
    Pong,
    Push,
    Reply,
    Request,
    Unknown,
    decode_server,
    encode,
)

PATIENCE_S = 5.0
NORMAL_CLOSURE = 1000

Json: TypeAlias = dict[str, Any]
Trace: TypeAlias = Callable[[str], None]
M = TypeVar("M", bound=Message)
P = TypeVar("P", bound=Push)


class Unreachable(Exception):
    """Nobody answers; the text says where."""


class Unexpected(Exception):
    """The server answered, but with something else than it should have."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")


class Refused(Unexpected):
    """The HTTP API said no; ``code`` is its number for the reason."""

    def __init__(self, answer: str, code: object) -> None:
        super().__init__("200", answer)
        self.code = code


class Api:
    """The HTTP API as one user. Each method returns the body of the answer.

    Raises Refused for an answer that is not 200, Unexpected for one without the keys that it must have, and
    Unreachable.
    """

    def __init__(self, http: httpx.AsyncClient, trace: Trace) -> None:
        self._http = http
        self._trace = trace
        self.token = ""

    async def send_sms_code(self, phone: str) -> None:
        await self._call("POST", f"/v1/send_sms_code?phone_number={phone}")

    async def login(self, phone: str, code: str) -> Json:
        """Log in; from now on requests carry the token of this session."""
        body = {"phoneNumber": phone, "smsCode": code}
        account = await self._call(
            "POST", "/v1/login?logintype=smscode", body, answers=("id", "token", "status")
        )
        self.token = account["token"]
        return account

    async def set_nickname(self, nickname: str) -> Json:
        return await self._call("POST", "/v1/profile", {"nickname": nickname}, answers=("nickname",))

    async def create_room(self, name: str) -> Json:
        body = {"roomName": name, "roomType": "pk"}
        return await self._call("POST", "/v1/rooms", body, answers=("roomID", "rtcRoomToken", "wsURL"))

    async def close_room(self, room_id: str) -> None:
        await self._call("POST", "/v1/close_room", {"roomID": room_id})

    async def rooms(self, query: str = "") -> list[Json]:
        """The rooms that the query asks for; an empty list comes as null."""
        return (await self._call("GET", f"/v1/rooms{query}", answers=("rooms",)))["rooms"] or []

    async def room(self, room_id: str) -> Json:
        return await self._call("GET", f"/v1/rooms/{room_id}", answers=("id", "status"))

    async def enter_room(self, room_id: str) -> Json:
        return await self._call("POST", "/v1/enter_room", {"roomID": room_id}, answers=("roomID", "playURL"))

    async def leave_room(self, room_id: str) -> None:
        await self._call("POST", "/v1/leave_room", {"roomID": room_id})

    async def _call(
        self, method: str, path: str, body: Json | None = None, *, answers: Sequence[str] = ()
    ) -> Json:
        """Send a request; the answer has to be 200 and, if ``answers`` names keys, an object with these."""
        content = "" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self._trace(f"→ {method} {path} {content}".rstrip())
        try:
            response = await self._http.request(method, path, content=content, headers=headers)
        except httpx.TransportError as exc:
            raise Unreachable(f"no answer from {self._http.base_url}: {exc}") from exc
        answer = f"{response.status_code} {response.text}"
        self._trace(f"← {answer}")
        found = _object_in(response)
        if not response.is_success:
            raise Refused(answer, found.get("code"))
        if missing := [key for key in answers if key not in found]:
            raise Unexpected(f"an answer with {' and '.join(missing)}", answer)
        return found


def _object_in(response: httpx.Response) -> Json:
    """The JSON object of an answer; empty if it has none, like the `""` of answers that say no more than yes."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Signalling:
    """One signalling connection. It answers the server's pings by itself.

    Requests are answered in their order, so that one after the other can be called; what the server says
    unasked waits until it is heard. Raises Unexpected if something else comes, or nothing.
    """

    def __init__(self, socket: ClientConnection, trace: Trace) -> None:
        self._socket = socket
        self._trace = trace
        self._rpc_ids = map(str, itertools.count(1))
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._pushes: asyncio.Queue[str] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, trace: Trace) -> Self:
        """Connect to the ``wsURL`` that the room's creation returned. Raises Unreachable."""
        trace(f"→ GET {url}")
        try:
            # No extension, and no pings but the protocol's own.
            socket = await connect(url, compression=None, ping_interval=None, proxy=None)
        except (OSError, WebSocketException) as exc:
            raise Unreachable(f"no signalling at {url}: {exc}") from exc
        trace("← 101 Switching Protocols")
        return cls(socket, trace)

    async def authorise(self, token: str) -> None:
        """Say who one is, with the token of the HTTP login."""
        await self.call(Auth(token=token))

    async def call(self, request: Request) -> Reply:
        """Send a request and return its reply, which has to be a success."""
        # A message class is an attrs class, which mypy cannot see.
        marked = attrs.evolve(request, rpc_id=next(self._rpc_ids))  # type: ignore[misc]
        await self._send(marked)
        text, reply = await self._next(self._answers, request.REPLY or Reply)
        if reply.code or reply.rpc_id != marked.rpc_id:
            raise Unexpected(f"{reply.TYPE} to {marked.rpc_id} with code 0", text)
        return reply

    async def hear(self, kind: type[P]) -> P:
        """Return the next push, which has to be of this kind."""
        _, push = await self._next(self._pushes, kind)
        return push

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._send(Ping())
        await self._next(self._answers, Pong)

    async def leave(self) -> None:
        """Leave for good, which closes one's room; the server hangs up."""
        await self._send(Disconnect())
        await asyncio.wait([self._reader], timeout=PATIENCE_S)
        if self._socket.close_code != NORMAL_CLOSURE:
            raise Unexpected(f"close {NORMAL_CLOSURE}", self._end)
        self._trace(f"← {self._end}")

    async def hang_up(self) -> None:
        """Close the connection without leaving; to be called however it went."""
        await self._socket.close()
        await self._reader

    async def _send(self, message: Message) -> None:
        text = encode(message)
        self._trace(f"→ {text}")
        try:
            await self._socket.send(text)
        except ConnectionClosed as exc:
            raise Unexpected(f"to send {message.TYPE}", self._end) from exc

    async def _next(self, heard: asyncio.Queue[str], kind: type[M]) -> tuple[str, M]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                text = await heard.get()
        except TimeoutError:
            raise Unexpected(kind.TYPE, f"nothing for {PATIENCE_S:g} s") from None
        self._trace(f"← {text}")
        message = decode_server(text)
        if not isinstance(message, kind):
            raise Unexpected(kind.TYPE, text)
        return text, message

    async def _read(self) -> None:
        """Sort what comes until the connection ends, and tell whoever waits that it did."""
        try:
            async for frame in self._socket:
                await self._sort(str(frame))
        except ConnectionClosed:
            pass
        for queue in (self._answers, self._pushes):
            queue.put_nowait(self._end)

    async def _sort(self, text: str) -> None:
        message = decode_server(text)
        if isinstance(message, Ping):
            await self._socket.send(encode(Pong()))
        elif isinstance(message, Push):
            self._pushes.put_nowait(text)
        elif not isinstance(message, Unknown):  # types of a newer server are to be ignored
            self._answers.put_nowait(text)

    @property
    def _end(self) -> str:
        """How the connection ended, as a line of the trace."""
        if self._socket.close_code is None:
            return "no close"
        return f"close {self._socket.close_code} {self._socket.close_reason or ''}".rstrip()
