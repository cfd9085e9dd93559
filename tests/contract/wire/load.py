"""People who do the same over and over, whatever they are answered, and remember what they were promised."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol, Self

import attrs
import httpx

from qlive_core.signalling import SignalCode

from .answers import refusal
from .client import Json, SignalClient
from .server import SMS_CODE
from .stage import Person, Stage, accept, offer

# The phones of those who come new, with the code that lets them in.
NEWCOMERS = {str(13900000000 + n): SMS_CODE for n in range(5000)}

_BREATH_S = 0.02
_REPLY_WITHIN_S = 10.0


@attrs.frozen
class Answer:
    """What was asked, when, how long the answer took, and whether it was a yes."""

    what: str
    at: float
    took_s: float
    yes: bool


class Worker(Protocol):
    """Somebody at work."""

    async def work(self, book: list[Answer]) -> bool:
        """Do one thing, note the answer, and return whether it was a yes."""

    async def look(self) -> None:
        """Check that what was promised is so, and that this worker can go on."""


class Fighters:
    """Two hosts who go from PK to PK; `possible` are the states that the answers leave possible.

    Their app is a new one, which is told when it is to try again.
    """

    def __init__(self, proposer: Person, target: Person) -> None:
        self.proposer, self.target = proposer, target
        self.possible = {"single"}
        self._step = 0

    @classmethod
    async def on(cls, stage: Stage) -> Self:
        """Make two hosts with connections."""
        pair = await stage.pair()
        for person in pair:
            assert (await person.signal.call("announce", capabilities=["seats"]))["code"] == 0
        return cls(*pair)

    async def work(self, book: list[Answer]) -> bool:
        caller, kind, fields, state = self._steps()[self._step]
        started = time.monotonic()
        code = await ask(caller.signal, kind, **fields)
        book.append(Answer(kind, started, time.monotonic() - started, yes=code == SignalCode.OK))
        self._step = (self._step + 1) % 3
        if code == SignalCode.OK:
            self.possible = {state}
        elif code == SignalCode.TRY_AGAIN:
            self.possible.add(state)  # the store failed, and may have done it nevertheless
        return code == SignalCode.OK

    def _steps(self) -> tuple[tuple[Person, str, Json, str], ...]:
        return (
            (self.proposer, "start-pk", {"pkRoomID": self.target.room}, "waitPK"),
            (self.target, "answer-pk", {"reqRoomID": self.proposer.room, "accept": True}, "PK"),
            (self.proposer, "end-pk", {"pkRoomID": self.target.room}, "single"),
        )

    async def look(self) -> None:
        """Both sides are told the same; the connections are still the first ones; the PK can be ended."""
        status = await self.target.status_of(self.proposer.room)
        assert await self.proposer.status_of(self.target.room) == status
        assert status in self.possible
        for person in (self.proposer, self.target):
            await silence(person.signal)
        if status == "waitPK":
            await accept(self.target, self.proposer)
        if status != "single":
            assert (await self.proposer.signal.call("end-pk", pkRoomID=self.target.room))["code"] == 0
            assert await self.target.signal.expect("on-pk-end") == {"pkRoomID": self.target.room}
        await offer(self.target, self.proposer)


class Opener:
    """Somebody who opens and closes a room, always under the same name."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.possible = {False}
        self._open = False

    async def work(self, book: list[Answer]) -> bool:
        wanted = not self._open
        call = self._create if wanted else self._close
        answer = await timed(book, "create" if wanted else "close", call)
        if answer.is_success:
            self.possible, self._open = {wanted}, wanted
        elif answer.status_code == httpx.codes.NOT_FOUND:
            self.possible, self._open = {False}, False
        else:
            self.possible.add(wanted)
        return answer.is_success

    async def _create(self) -> httpx.Response:
        answer = await self.person.api.create_room(self.person.room_name)
        if answer.is_success:
            self.person.room = answer.json()["roomID"]
        return answer

    async def _close(self) -> httpx.Response:
        return await self.person.api.close_room(self.person.room)

    async def look(self) -> None:
        """The room is there or not as was answered; it can be had under its name, and closed."""
        listed = (await self.person.api.rooms(f"?creator={self.person.id}")).json()["rooms"]
        assert bool(listed) in self.possible
        await self.person.go_live()
        assert (await self.person.api.close_room(self.person.room)).is_success
        assert (await self.person.login())["status"] == "idle"


class Newcomers:
    """People who log in for the first time, one after the other, each with the next one of the phones."""

    def __init__(self, stage: Stage, phones: Iterator[str]) -> None:
        self._api = stage.api()
        self._phones = phones
        self.ids: dict[str, str] = {}

    async def work(self, book: list[Answer]) -> bool:
        await asyncio.sleep(_BREATH_S)
        phone = next(self._phones)
        answer = await timed(book, "login", lambda: self._api.login(phone, SMS_CODE))
        if answer.is_success:
            self.ids[phone] = answer.json()["id"]
        return answer.is_success

    async def look(self) -> None:
        """Everybody who was let in is still who he was then."""
        phones = list(self.ids)[-20:]
        answers = [await self._api.login(phone, SMS_CODE) for phone in phones]
        assert [answer.json()["id"] for answer in answers] == [self.ids[phone] for phone in phones]


class Reader:
    """Somebody who looks at the list of rooms."""

    def __init__(self, person: Person) -> None:
        self._person = person

    async def work(self, book: list[Answer]) -> bool:
        await asyncio.sleep(_BREATH_S)
        return (await timed(book, "list", self._person.api.rooms)).is_success

    async def look(self) -> None:
        assert (await self._person.api.rooms()).is_success


async def timed(
    book: list[Answer], what: str, call: Callable[[], Awaitable[httpx.Response]]
) -> httpx.Response:
    """Await a call, note it, and check that a failure of the store is told in the shape that apps look for."""
    started = time.monotonic()
    answer = await call()
    book.append(Answer(what, started, time.monotonic() - started, yes=answer.is_success))
    if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
        refusal(answer, 503, 503002)
    return answer


async def ask(signal: SignalClient, kind: str, **fields: str | bool) -> int:
    """Send a request and return the code of its one reply; pushes that come before it are skipped."""
    await signal.send(kind, {"rpcID": kind, **fields})
    async with asyncio.timeout(_REPLY_WITHIN_S):
        while True:
            frame = await signal.receive(_REPLY_WITHIN_S)
            assert isinstance(frame, str), f"closed with {signal.connection.close_code}"
            found, _, body = frame.partition("=")
            if not found.endswith("-res"):
                continue
            reply = json.loads(body)
            assert (found, reply["rpcID"]) == (f"{kind}-res", kind)
            code: int = reply["code"]
            assert code in set(SignalCode)
            return code


async def silence(signal: SignalClient) -> None:
    """Skip the pushes that have come by now; check that none of the frames is a second reply."""
    await signal.send("ping")
    while (frame := await signal.receive()) != "pong={}":
        assert isinstance(frame, str), f"closed with {signal.connection.close_code}"
        assert not frame.partition("=")[0].endswith("-res"), frame


class Load:
    """All the workers, at work at the same time. `book` holds every answer."""

    def __init__(self, *workers: Worker) -> None:
        self.workers = workers
        self.book: list[Answer] = []
        self._more = asyncio.Condition()
        self._stopped = False
        self._tasks = [asyncio.create_task(self._keep_working(worker)) for worker in workers]

    async def _keep_working(self, worker: Worker) -> None:
        while not self._stopped:
            if not await worker.work(self.book):
                await asyncio.sleep(_BREATH_S)
            async with self._more:
                self._more.notify_all()

    async def until_each(self, kinds: set[str], *, since: float, yes: bool, within_s: float) -> None:
        """Wait until each kind of request that was sent since then has been answered that way."""

        def answered() -> bool:
            return kinds <= {answer.what for answer in self.book if answer.at > since and answer.yes is yes}

        waiting = asyncio.create_task(self._until(answered))
        try:
            async with asyncio.timeout(within_s):
                await asyncio.wait([waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        for task in self._tasks:
            if task.done():
                task.result()

    async def _until(self, enough: Callable[[], bool]) -> None:
        async with self._more:
            await self._more.wait_for(enough)

    async def stop(self) -> None:
        """Let everybody finish what he is at."""
        self._stopped = True
        await asyncio.gather(*self._tasks)

    def slowest(self, *, since: float, before: float) -> Answer:
        """Return the answer that took longest among what was asked in that time."""
        asked = (answer for answer in self.book if since <= answer.at < before)
        return max(asked, key=lambda answer: answer.took_s)
