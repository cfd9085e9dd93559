"""Calls and tokens signed by the vendor's own Python SDK, for what the SDK itself has no function for."""

import importlib
from collections.abc import Generator, Mapping
from typing import Any

import httpx

from qlive_app.fakes import FakeQiniu

sdk: Any = importlib.import_module("qiniu")


class Signed(httpx.Auth):
    """Has the SDK sign a request as it is sent."""

    requires_request_body = True

    def __init__(self, fake: FakeQiniu) -> None:
        self._auth = sdk.QiniuMacAuth(fake.keys.key, fake.keys.secret, disable_qiniu_timestamp_signature=True)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._auth.token_of_request(
            request.method,
            request.headers["Host"],
            str(request.url),
            "",
            request.headers.get("Content-Type"),
            request.content.decode(),
        )
        request.headers["Authorization"] = f"Qiniu {token}"
        yield request


def room_token(fake: FakeQiniu, room: str, user: str, **other: object) -> str:
    """Return a room token for a minute, with other claims as given."""
    claims = {"appId": "qlive-test-app", "roomName": room, "userId": user, "permission": "user"}
    expiring = {**claims, "expireAt": int(fake.clock.now()) + 60, **other}
    return str(sdk.get_room_token(fake.keys.key, fake.keys.secret, expiring))


def upload_token(fake: FakeQiniu, key: str | None, policy: Mapping[str, object], bucket: str = "") -> str:
    """Return an upload token for a minute."""
    auth = sdk.Auth(fake.keys.key, fake.keys.secret)
    return str(auth.upload_token(bucket or fake.kodo.bucket, key, 60, dict(policy)))
