"""The product as it runs in production: its clouds are all chosen, and are fakes of them on this machine."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import frozen

from qlive_app.fakes import FakeQiniu, FakeRongCloud
from qlive_app.fakes.configuration import clouds

from .im_stage import Channel, ImStage, Phone
from .server import RunningServer, Settings, overridden
from .stage import Person, eventually

# Below these are the phones that the wire tests' servers have fixed codes for.
_phones = itertools.count(13900000000)

CLOUDS_WITHIN_S = 30.0
"""Time within which clouds have done what they are told, on their worst days and on a busy machine."""

NEED_A_CLOUD = ("/v1/send_sms_code", "/v1/im_user_token")
"""What cannot be answered well without a cloud."""


@frozen
class Answered:
    """An answer of the HTTP API, and how long it took."""

    path: str
    status: int
    text: str
    seconds: float

    @property
    def needs_a_cloud(self) -> bool:
        """Whether no answer can be good without a cloud."""
        return self.path in NEED_A_CLOUD


class Production(ImStage):
    """People who know qlive by its clouds: codes come by message, media by RTC, signals by IM or WebSocket.

    ``answers`` are all that the HTTP API gave them.
    """

    def __init__(self, server: RunningServer, qiniu: FakeQiniu, rongcloud: FakeRongCloud) -> None:
        super().__init__(server, rongcloud)
        self.qiniu = qiniu
        self.answers: list[Answered] = []
        self._http.event_hooks = {"request": [self._note_request], "response": [self._note_answer]}

    async def person(self) -> Person:
        """A new user, logged in with the code that came by message."""
        person = Person(self.server, self.api(), str(next(_phones)))
        self._people.append(person)
        await person.login(await self.code(person.phone))
        return person

    async def code(self, phone: str) -> str:
        """Ask for a code until it comes, and return it."""

        async def came() -> object:
            await self.api().send_sms_code(phone)
            return self.qiniu.sms.to(phone)

        await eventually(came, "a code comes by message", CLOUDS_WITHIN_S, every_s=0.2)
        return str(self.qiniu.sms.to(phone)[-1].parameters["code"])

    async def im_token(self, person: Person) -> str:
        """Ask for the token until it comes, and return it."""
        tokens: list[str] = []

        async def came() -> bool:
            answer = await person.api.post("/v1/im_user_token")
            if answer.is_success:
                tokens.append(answer.json()["token"])
            return answer.is_success

        await eventually(came, "an IM token comes", CLOUDS_WITHIN_S, every_s=0.2)
        return tokens[0]

    async def on_air(self, room_type: str = "pk", *, over_im: bool) -> tuple[Person, Channel]:
        """A new user, live in a room and in its RTC room."""
        person, channel = await self._came(over_im=over_im)
        self.qiniu.rtc.join((await person.go_live(room_type))["rtcRoomToken"])
        return person, channel or await person.connect()

    async def listener(self, room_id: str, *, over_im: bool) -> tuple[Person, Channel]:
        """A new user, in the audience of a voice room and in its RTC room."""
        person, channel = await self._came(over_im=over_im)
        entered = await person.api.enter_room(room_id)
        self.qiniu.rtc.join(entered.json()["rtcRoomToken"])
        return person, channel or await person.connect()

    async def _came(self, *, over_im: bool) -> tuple[Person, Phone | None]:
        return await self.caller() if over_im else (await self.person(), None)

    async def rooms_of(self, person: Person) -> object:
        """Return the room that this person hosts, in a list, or None."""
        return (await person.api.rooms(f"?creator={person.id}")).json()["rooms"]

    async def readiness(self) -> str:
        """Return the status that operators are told."""
        return str((await self.api().get("/readyz")).json()["status"])

    async def until_ready(self, status: str = "ok") -> None:
        """Wait until operators are told this status."""

        async def is_told() -> bool:
            return await self.readiness() == status

        await eventually(is_told, f"/readyz says {status}", CLOUDS_WITHIN_S)

    async def _note_request(self, request: httpx.Request) -> None:
        request.extensions["began"] = time.monotonic()

    async def _note_answer(self, response: httpx.Response) -> None:
        text = (await response.aread()).decode()
        seconds = time.monotonic() - response.request.extensions["began"]
        self.answers.append(Answered(response.request.url.path, response.status_code, text, seconds))


async def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that the clouds hold."""

    async def asked() -> object:
        return holds()

    await eventually(asked, what, CLOUDS_WITHIN_S)


def production_settings(qiniu: FakeQiniu, rongcloud: FakeRongCloud) -> dict[str, Any]:
    """Return settings that choose every cloud, protect every stream, and ask less patience of tests than of users."""
    further: Settings = {
        "sms": {
            "resend_interval_s": 0.2,
            "phone_hourly_limit": 100,
            "phone_daily_limit": 100,
            "address_hourly_limit": 10_000,
        },
        "rtc": {
            "publish_security": "expiry",
            "publish_key": qiniu.knobs.publish_key,
            "play_key": qiniu.knobs.play_key,
        },
        "storage": {"max_bytes": 1000, "mime_types": ["image/png"]},
        "im": {"ping_ticker_s": 0.5, "pong_timeout_s": 5.0},
    }
    return overridden(clouds(qiniu, rongcloud), further)


@asynccontextmanager
async def producing(directory: Path, settings: Settings) -> AsyncIterator[Production]:
    """Run the clouds, and a server in ``directory`` whose settings are put over those of production."""
    async with FakeQiniu(seed=7) as qiniu, FakeRongCloud(seed=7) as rongcloud:
        qiniu.knobs.publish_security, qiniu.knobs.play_security = "expiry", "expire"
        server = RunningServer(directory, overridden(production_settings(qiniu, rongcloud), settings))
        stage = Production(server, qiniu, rongcloud)
        try:
            await asyncio.to_thread(server.start)
            await stage.until_ready()
            yield stage
        finally:
            await stage.aclose()
            server.stop()
