"""The shipped apps as the HTTP API sees them: header by header, and with JSON as each of them writes it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import httpx

from contract.wire.client import Json
from contract.wire.raw import exchange, parsed
from contract.wire.server import SMS_CODE, RunningServer
from contract.wire.stage import fresh_phone

Fields = Mapping[str, Any]


class App(ABC):
    """An app on a phone. `id` and `token` are empty until it has logged in."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self.phone = fresh_phone()
        self.room_name = f"room of {self.phone}"
        self.id = ""
        self.token = ""

    async def call(self, method: str, path: str, fields: Fields | None = None) -> httpx.Response:
        """Call the API; without `fields` the body is what this app sends when it has nothing to say."""
        return parsed(await exchange(self._server, self.request(method, path, fields)))

    def request(self, method: str, path: str, fields: Fields | None = None) -> bytes:
        """Return the bytes of a call."""
        body = self.body(fields or {}).encode() if method != "GET" else b""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers(method, len(body)).items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)

    async def post(self, path: str, fields: Fields | None = None) -> httpx.Response:
        return await self.call("POST", path, fields)

    async def log_in(self) -> Json:
        """Log in as the app does, keep id and token, and return the answer."""
        fields = {"phoneNumber": self.phone, "smsCode": SMS_CODE}
        answer = await self.post("/v1/login?logintype=smscode", fields)
        assert answer.status_code == 200, answer.text
        account: Json = answer.json()
        self.id, self.token = account["id"], account["token"]
        return account

    async def go_live(self, room_type: str = "pk") -> Json:
        """Open a room as a logged-in app does and return the answer."""
        fields = {"userID": self.id, "roomName": self.room_name, "roomType": room_type}
        answer = await self.post("/v1/rooms", fields)
        assert answer.status_code == 200, answer.text
        created: Json = answer.json()
        return created

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.http_port}"

    @abstractmethod
    def body(self, fields: Fields) -> str:
        """Return JSON as this app writes it."""

    @abstractmethod
    def headers(self, method: str, length: int) -> dict[str, str]:
        """Return the headers that this app sends, in its order."""


class AndroidApp(App):
    """OkHttp. JSON is put together from strings without escaping anything; Authorization is always there."""

    def body(self, fields: Fields) -> str:
        if not fields:
            return ""
        pairs = (f'"{key}":"{v}"' if isinstance(v, str) else f'"{key}":{v}' for key, v in fields.items())
        return "{" + ",".join(pairs) + "}"

    def headers(self, method: str, length: int) -> dict[str, str]:
        about_body = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(length)}
        return {
            "Authorization": f"Bearer {self.token}" if self.token else "",
            **(about_body if method != "GET" else {}),
            "Host": self.host,
            "Connection": "Keep-Alive",
            "Accept-Encoding": "gzip",
            "User-Agent": "okhttp/4.8.1",
        }


class IosApp(App):
    """NSURLSession. JSON is pretty-printed with escaped slashes and goes out as a form; it follows no redirect."""

    def body(self, fields: Fields) -> str:
        if not fields:
            return "{\n\n}"
        return json.dumps(fields, indent=2, separators=(",", " : "), ensure_ascii=False).replace("/", "\\/")

    def headers(self, method: str, length: int) -> dict[str, str]:
        about_body = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(length)}
        return {
            "Host": self.host,
            **(about_body if method != "GET" else {}),
            "Accept": "*/*",
            "Connection": "keep-alive",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
            "Accept-Language": "zh-cn",
            "User-Agent": "QNRTCLiveDemo/1 CFNetwork/1128.0.1 Darwin/19.6.0",
            "Accept-Encoding": "gzip, deflate",
        }
