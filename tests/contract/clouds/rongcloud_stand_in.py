"""A small RongCloud on a real socket: it checks who calls, remembers chat rooms, and keeps what it was sent."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from contract.outgoing.misbehaving import MisbehavingServer, Received, answer, misbehaving

APP_KEY, APP_SECRET = "qlive-rc-appkey", "qlive-rc-secret"

Form = dict[str, list[str]]


def form_of(request: Received) -> Form:
    """Return the fields of a request's form; empty ones count."""
    return parse_qs(request.body.decode(), keep_blank_values=True, strict_parsing=bool(request.body))


class _Cloud:
    def __init__(self) -> None:
        self.rooms: dict[str, str] = {}

    def reply(self, request: Received) -> tuple[int, dict[str, Any]]:
        headers = request.headers
        signed = APP_SECRET + headers.get("nonce", "") + headers.get("timestamp", "")
        if headers.get("app-key") != APP_KEY:
            return 401, {"code": 1001, "errorMessage": "no such app"}
        if headers.get("signature") != hashlib.sha1(signed.encode()).hexdigest():
            return 401, {"code": 1004, "errorMessage": "signature"}
        return 200, {"code": 200} | self._done(request.target, form_of(request))

    def _done(self, target: str, form: Form) -> dict[str, Any]:
        match target:
            case "/user/getToken.json":
                return {"userId": form["userId"][0], "token": f"token of {form['userId'][0]}@cn.example.com"}
            case "/user/checkOnline.json":
                return {"status": "1" if form["userId"] == ["online"] else "0"}
            case "/chatroom/create.json":
                self.rooms |= {name[len("chatroom[") : -1]: value for name, (value,) in form.items()}
            case "/chatroom/destroy.json":
                self.rooms = {key: name for key, name in self.rooms.items() if key not in form["chatroomId"]}
            case "/chatroom/query.json":
                found = [
                    {"chrmId": each, "name": self.rooms[each]}
                    for each in form["chatroomId"]
                    if each in self.rooms
                ]
                return {"chatRooms": found}
        return {}


@asynccontextmanager
async def stand_in() -> AsyncIterator[MisbehavingServer]:
    """Run a stand-in; what it is scripted to do comes before what it does by itself."""
    cloud = _Cloud()

    async def behave(writer: asyncio.StreamWriter) -> None:
        status, body = cloud.reply(server.received[-1])
        await answer(status, json.dumps(body).encode(), Content_Type="application/json")(writer)

    async with misbehaving(usual=behave) as server:
        yield server
