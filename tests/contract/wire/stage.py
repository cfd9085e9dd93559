"""The people of a scenario: hosts and viewers who are logged in, live and connected."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx

from .client import PATIENCE_S, ApiClient, Json, SignalClient
from .server import FIRST_PHONE, SMS_CODE, RunningServer

# The recordings use phones below this one; each test takes new ones, so tests share a server in peace.
_phones = itertools.count(FIRST_PHONE + 2000)


def fresh_phone() -> str:
    """A phone that nobody has used yet and whose SMS code is fixed."""
    return str(next(_phones))


class Person:
    """A user with a session; `room` is the id of the room that he hosts."""

    def __init__(self, server: RunningServer, api: ApiClient, phone: str) -> None:
        self._server = server
        self.api = api
        self.phone = phone
        self.id = ""
        self.nickname = ""
        self.room = ""
        self.room_name = f"room of {phone}"
        self._signals: list[SignalClient] = []

    @property
    def signal(self) -> SignalClient:
        """The newest signalling connection."""
        return self._signals[-1]

    async def login(self, code: str = SMS_CODE) -> Json:
        """Log in, from now on with the new token, and return the answer."""
        answer = await self.api.login(self.phone, code)
        assert answer.status_code == 200, answer.text
        account: Json = answer.json()
        self.id, self.nickname, self.api.token = account["id"], account["nickname"], account["token"]
        return account

    async def go_live(self, room_type: str = "pk") -> Json:
        """Open the room and return the answer."""
        answer = await self.api.create_room(self.room_name, room_type)
        assert answer.status_code == 200, answer.text
        created: Json = answer.json()
        self.room = created["roomID"]
        return created

    async def connect(self, *, answers_pings: bool = True) -> SignalClient:
        """Open a further signalling connection and authenticate it."""
        signal = await SignalClient.open(self._server.ws_url, answers_pings=answers_pings)
        self._signals.append(signal)
        answer = await signal.auth(self.api.token)
        assert answer["code"] == 0, answer
        return signal

    async def watch(self, room_id: str) -> None:
        answer = await self.api.enter_room(room_id)
        assert answer.status_code == 200, answer.text

    async def sees(self, room_id: str) -> Json | None:
        """Return the room as this user is shown it, or None if there is no such room."""
        answer = await self.api.room(room_id)
        if answer.status_code == 404:
            assert answer.json()["code"] == 404002, answer.text
            return None
        assert answer.status_code == 200, answer.text
        seen: Json = answer.json()
        return seen

    async def status_of(self, room_id: str) -> str:
        """Return the status of a room, "gone" if there is none."""
        seen = await self.sees(room_id)
        return "gone" if seen is None else str(seen["status"])

    async def leave_stage(self) -> None:
        for signal in self._signals:
            await signal.drop()


class Stage:
    """Makes people for one server, and makes sure that none of their connections outlives the test."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        limits = httpx.Limits(max_connections=64)
        self._http = httpx.AsyncClient(
            base_url=server.base_url, timeout=PATIENCE_S, trust_env=False, limits=limits
        )
        self._people: list[Person] = []
        self._strangers: list[SignalClient] = []

    def api(self, token: str = "") -> ApiClient:
        """A caller with this token, or with none."""
        return ApiClient(self._http, token)

    async def stranger(self, *, answers_pings: bool = True, hears_pings: bool = False) -> SignalClient:
        """A signalling connection that has not said who it is."""
        signal = await SignalClient.open(
            self.server.ws_url, answers_pings=answers_pings, hears_pings=hears_pings
        )
        self._strangers.append(signal)
        return signal

    async def person(self) -> Person:
        """A new user, logged in and nowhere."""
        person = Person(self.server, self.api(), fresh_phone())
        self._people.append(person)
        await person.login()
        return person

    async def host(self) -> Person:
        """A new user, live in a PK room and connected."""
        person = await self.person()
        await person.go_live()
        await person.connect()
        return person

    async def singer(self) -> Person:
        """A new user, live in a voice room and connected."""
        person = await self.person()
        await person.go_live("voice")
        await person.connect()
        return person

    async def pair(self) -> tuple[Person, Person]:
        """Two hosts who do not know of each other."""
        return await self.host(), await self.host()

    async def viewer(self, room_id: str) -> Person:
        """A new user, watching a room and connected."""
        person = await self.person()
        await person.watch(room_id)
        await person.connect()
        return person

    async def offered(self) -> tuple[Person, Person]:
        """Two hosts, the first of whom has offered a PK to the second."""
        proposer, target = await self.pair()
        await offer(proposer, target)
        return proposer, target

    async def fighting(self) -> tuple[Person, Person]:
        """Two hosts in a PK that the first proposed."""
        proposer, target = await self.offered()
        await accept(target, proposer)
        return proposer, target

    async def aclose(self) -> None:
        for signal in self._strangers:
            await signal.drop()
        for person in self._people:
            await person.leave_stage()
        await self._http.aclose()


async def offer(proposer: Person, target: Person) -> None:
    """Offer a PK and see both sides hear of it."""
    assert (await proposer.signal.call("start-pk", pkRoomID=target.room))["code"] == 0
    heard = await target.signal.expect("on-pk-offer")
    assert heard["roomID"] == proposer.room


async def accept(target: Person, proposer: Person) -> None:
    """Accept an offer and see both sides hear of it."""
    assert (await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True))["code"] == 0
    assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is True


async def ask(listener: Person, host: Person, position: int) -> None:
    """Ask for a seat and see the host hear of it."""
    answer = await listener.signal.call("start-join", roomID=host.room, position=position)
    assert answer["code"] == 0, answer
    heard = await host.signal.expect("on-join-request")
    assert (heard["reqUserID"], heard["position"]) == (listener.id, position)


async def let_in(listener: Person, host: Person, *others: Person) -> Json:
    """Accept a request for a seat, see everybody hear of it, and return what they hear."""
    fields = {"roomID": host.room, "reqUserID": listener.id, "accept": True}
    await host.signal.send("answer-join", {"rpcID": "in", **fields})
    assert (await listener.signal.expect("on-join-answer"))["accept"] is True
    joined = await host.signal.expect("on-audience-join")
    assert (await host.signal.expect("answer-join-res")) == {"rpcID": "in", "code": 0, "error": ""}
    for other in others:
        assert await other.signal.expect("on-audience-join") == joined
    return joined


async def eventually(
    holds: Callable[[], Awaitable[Any]], what: str, within_s: float = PATIENCE_S, every_s: float = 0.05
) -> None:
    """Ask again and again until the answer is true; for facts that nobody announces."""
    give_up_at = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < give_up_at, f"not within {within_s} s: {what}"
        await asyncio.sleep(every_s)


async def forgetting_connections(calls: list[Awaitable[Any]]) -> None:
    """Await calls to a server that is killed meanwhile, as far as they can be."""
    for call in calls:
        with suppress(httpx.TransportError):
            await call
