"""People on the IM cloud: a fake of it, the server that it reports to, and devices that speak as the apps do."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from qlive_app.fakes.rongcloud import FakeClient, FakeRongCloud
from qlive_app.fakes.rongcloud.gate import signature

from .client import PATIENCE_S, Json, SignalClient
from .server import RunningServer, Settings
from .stage import Person, Stage

SYSTEM = "qlive-system"
MESSAGES = "/v1/im_messages/rongcloud"
STATUSES = "/v1/im_user_status/rongcloud"

PING_S = 0.3
PONG_TIMEOUT_S = 1.5
SHORT_IM_TIMES: Settings = {"im": {"ping_ticker_s": PING_S, "pong_timeout_s": PONG_TIMEOUT_S}}

_numbers = itertools.count()


class Phone:
    """A device of a user that is connected to the cloud; pings are answered and not shown while it is ``awake``."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.awake = True

    @property
    def awake(self) -> bool:
        """Whether pings are answered."""
        return self._client.auto_pong

    @awake.setter
    def awake(self, value: bool) -> None:
        self._client.auto_pong = value

    async def send(self, kind: str, body: Json | None = None) -> None:
        self.send_raw(f"{kind}={json.dumps(body or {}, ensure_ascii=False)}")

    def send_raw(self, text: str) -> None:
        self._client.send_text(SYSTEM, text)

    async def call(self, kind: str, **fields: Any) -> Json:
        """Send a request and return its answer, which has to be the next message but for pings."""
        await self.send(kind, {"rpcID": f"{kind}-1", **fields})
        answer = await self.expect(f"{kind}-res")
        assert answer.get("rpcID") == f"{kind}-1", answer
        return answer

    async def receive(self, timeout_s: float = PATIENCE_S) -> str:
        """Return the next text but pings. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self._client.receive(timeout_s=timeout_s)
                assert (message.sender, message.object_name) == (SYSTEM, "RC:TxtMsg")
                if message.text != "ping={}":
                    return message.text

    async def expect(self, kind: str, timeout_s: float = PATIENCE_S) -> Json:
        """Return the body of the next message, which has to be of this kind."""
        try:
            text = await self.receive(timeout_s)
        except TimeoutError:
            raise AssertionError(f"no {kind} over IM within {timeout_s} s") from None
        found, _, body = text.partition("=")
        assert found == kind, f"{text} instead of {kind}"
        parsed: Json = json.loads(body)
        return parsed

    async def nothing_within(self, seconds: float = 0.3) -> None:
        """Check that nothing but pings comes for a while."""
        try:
            text = await self.receive(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"unexpected {text}")

    def enter_chat(self, room_id: str) -> None:
        """Join the chat room of a room and say so in it, as the apps do. Raises ClientRefused if there is none."""
        self._client.join(room_id)
        self._client.say(room_id, "RC:Chatroom:Welcome", '{"id":"","counts":1,"rank":0,"level":0,"extra":""}')

    def switch_off(self) -> None:
        """Go offline."""
        self._client.disconnect()


Channel = Phone | SignalClient
"""Whatever a person is signalled over."""


class ImStage(Stage):
    """People for a server that is signalled over the IM cloud too."""

    def __init__(self, server: RunningServer, cloud: FakeRongCloud) -> None:
        super().__init__(server)
        self.cloud = cloud
        cloud.callbacks.message_url = f"{server.base_url}{MESSAGES}"
        cloud.callbacks.status_url = f"{server.base_url}{STATUSES}"

    async def phone(self, person: Person) -> Phone:
        """Connect a device of this person to the cloud."""
        return Phone(self.cloud.connect(await self.im_token(person)))

    async def im_token(self, person: Person) -> str:
        """Ask for the token with which this person connects to the cloud."""
        answer = await person.api.post("/v1/im_user_token")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def caller(self) -> tuple[Person, Phone]:
        """A new user whose device has said something."""
        person = await self.person()
        phone = await self.phone(person)
        phone.send_raw("ping={}")
        await self.cloud.callbacks.settled()
        return person, phone

    async def im_host(self) -> tuple[Person, Phone]:
        """A new user, live in a PK room and seen over IM."""
        person, phone = await self.caller()
        await person.go_live()
        return person, phone

    async def im_viewer(self, room_id: str) -> tuple[Person, Phone]:
        """A new user, watching a room and seen over IM."""
        person, phone = await self.caller()
        await person.watch(room_id)
        return person, phone

    def pinged(self, user_id: str) -> int:
        """Return how often this user was pinged."""
        return sum(message.text == "ping={}" for message in self.cloud.received(user_id))

    # Reports as the cloud makes them, but with whatever the test wants in them.

    async def report(
        self,
        person: Person,
        text: str,
        *,
        sent_at: float | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Report that somebody sent ``text`` to the system user; ``fields`` are put over those of the report."""
        message = {
            "fromUserId": person.id,
            "toUserId": SYSTEM,
            "objectName": "RC:TxtMsg",
            "content": json.dumps({"content": text, "extra": ""}),
            "channelType": "PERSON",
            "msgTimestamp": str(int((time.time() if sent_at is None else sent_at) * 1000)),
            "msgUID": f"TEST-{next(_numbers)}",
        }
        return await self.post_report(MESSAGES, urlencode({**message, **(fields or {})}).encode())

    async def post_report(
        self, path: str, body: bytes, *, age_s: float = 0.0, query: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Post a report, signed rightly ``age_s`` ago, or with another query."""
        nonce, timestamp = "14314", str(int((time.time() - age_s) * 1000))
        keys = self.cloud.keys
        signed = {
            "appKey": keys.key,
            "timestamp": timestamp,
            "nonce": nonce,
            "signature": signature(keys.secret, nonce, timestamp),
        }
        return await self.api().post(f"{path}?{urlencode(signed if query is None else query)}", body.decode())

    async def figure(self, name: str, **labels: str) -> float:
        """Return a figure of the server's metrics, 0 if it is not there yet."""
        named = ",".join(f'{label}="{value}"' for label, value in labels.items())
        wanted = f"{name}{{{named}}} " if named else f"{name} "
        shown = (await self.api().get("/metrics")).text
        return next(
            (float(line.removeprefix(wanted)) for line in shown.splitlines() if line.startswith(wanted)), 0.0
        )


async def begin_pk(proposer: Person, his: Channel, target: Person, hers: Channel) -> tuple[Json, Json]:
    """Offer and accept a PK over these channels; return what he and she are told of it in the end."""
    assert (await his.call("start-pk", pkRoomID=target.room))["code"] == 0
    offer = await hers.expect("on-pk-offer")
    assert (offer["userID"], offer["roomID"]) == (proposer.id, proposer.room)
    answered = await hers.call("answer-pk", reqRoomID=proposer.room, accept=True)
    assert (answered["code"], answered["relayRtcRoom"]) == (0, proposer.room)
    heard = await his.expect("on-pk-answer")
    assert (heard["accepted"], heard["rtcRoom"], heard["relayRtcRoom"]) == (True, target.room, target.room)
    return heard, answered


async def end_pk(ender: Channel, other: Channel, room_id: str) -> None:
    """End the PK by naming one of its rooms, and see the other side hear of it."""
    assert (await ender.call("end-pk", pkRoomID=room_id))["code"] == 0
    assert await other.expect("on-pk-end") == {"pkRoomID": room_id}


@asynccontextmanager
async def staged(cloud: FakeRongCloud, directory: Path, settings: Settings) -> AsyncIterator[ImStage]:
    """Start a server in ``directory`` to which the cloud reports, and stop it in the end."""
    server = RunningServer(directory, settings)
    stage = ImStage(server, cloud)
    try:
        await asyncio.to_thread(server.start)
        yield stage
    finally:
        await stage.aclose()
        server.stop()


def im_settings(cloud: FakeRongCloud, **im: Any) -> dict[str, Any]:
    """Return the section that points a server at the fake."""
    return {
        "provider": "rongcloud",
        "rongcloud": {
            "app_key": cloud.keys.key,
            "app_secret": cloud.keys.secret,
            "api_hosts": [each.url for each in cloud.listeners],
        },
        **im,
    }
