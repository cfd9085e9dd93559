"""Calls to RongCloud's API, signed here by the vendor's rule."""

import hashlib
from typing import Any
from urllib.parse import urlencode

import httpx

from qlive_app.fakes import FakeRongCloud

Fields = dict[str, str | list[str]]


def signed(nonce: str = "14314", timestamp: str = "1700000000000", prefix: str = "") -> dict[str, str]:
    """Return the headers of a call with the dummy keys."""
    signature = hashlib.sha1(f"qlive-rc-secret{nonce}{timestamp}".encode()).hexdigest()
    names = ("App-Key", "Nonce", "Timestamp", "Signature")
    values = ("qlive-rc-appkey", nonce, timestamp, signature)
    return {f"{prefix}{name}": value for name, value in zip(names, values, strict=True)}


class Server:
    """An application's side of the API."""

    def __init__(self, fake: FakeRongCloud, http: httpx.AsyncClient) -> None:
        self._fake = fake
        self._http = http

    async def post(self, path: str, fields: Fields, *, listener: int = 0) -> httpx.Response:
        """Make a call and return the answer."""
        url = f"{self._fake.listeners[listener].url}{path}.json"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._http.post(url, content=urlencode(fields, doseq=True), headers={**signed(), **form})

    async def call(self, path: str, **fields: str | list[str]) -> Any:
        """Make a call that has to succeed, and return its body."""
        answer = await self.post(path, dict(fields))
        body = answer.json()
        assert (answer.status_code, body["code"]) == (200, 200), answer.text
        return body

    async def refused(self, path: str, **fields: str | list[str]) -> tuple[int, int]:
        """Make a call that has to fail, and return its status and code."""
        answer = await self.post(path, dict(fields))
        body = answer.json()
        assert body["code"] != 200
        assert body["errorMessage"]
        return answer.status_code, body["code"]

    async def token(self, user_id: str) -> str:
        """Return a new token of a user."""
        body = await self.call("/user/getToken", userId=user_id, name=user_id.title(), portraitUri="a.png")
        return str(body["token"])

    async def room(self, room_id: str) -> None:
        """Make a chat room."""
        answer = await self.post("/chatroom/create", {f"chatroom[{room_id}]": "A room"})
        assert answer.json()["code"] == 200
