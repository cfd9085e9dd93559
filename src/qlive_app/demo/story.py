"""The main job of qlive as a story: Ada and Bo go live before an audience, fight a PK, and go home."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, islice
from itertools import count as count_from

import attrs

from qlive_app.demo.client import Api, Json, Refused, Signalling, Unexpected
from qlive_app.demo.telling import Telling
from qlive_core import RoomStatus, UserStatus
from qlive_core.signalling import AnswerPk, EndPk, OnPkAnswer, OnPkEnd, OnPkOffer, StartPk

ASKED_TOO_OFTEN = 429001
_VIEWERS = ("Cy", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo")


@attrs.define
class Person:
    """Somebody with a phone; ``id`` is known after the login."""

    name: str
    phone: str
    api: Api
    id: str = ""


@attrs.define
class Host:
    """A person who is live, and connected to signalling."""

    person: Person
    room_id: str
    signalling: Signalling

    @property
    def name(self) -> str:
        return self.person.name


def names(count: int) -> list[str]:
    """What so many people are called; the first two are the hosts."""
    numbered = (f"Fan {number}" for number in count_from(len(_VIEWERS) + 1))
    return list(islice(chain(("Ada", "Bo"), _VIEWERS, numbered), count))


class Story:
    """Plays itself against a server. Raises Unexpected at the first answer that is not as it should be."""

    def __init__(self, people: Sequence[Person], code: str, telling: Telling) -> None:
        self._ada, self._bo, *self._viewers = people
        self._code = code
        self._telling = telling

    async def play(self) -> None:
        self._telling.chapter("Everybody logs in")
        for person in (self._ada, self._bo, *self._viewers):
            await self._log_in(person)
        self._telling.chapter("Ada and Bo go live")
        async with (
            self._live(self._ada, "Ada sings") as ada,
            self._live(self._bo, "Bo plays the guitar") as bo,
        ):
            self._telling.chapter("The audience comes")
            watched = await self._enter(ada, bo)
            self._telling.chapter("Ada challenges Bo")
            await self._offer(ada, bo)
            await self._accept(ada, bo)
            await self._see_pk(ada, bo, watched)
            await self._end(ada, bo)
            self._telling.chapter("Everybody goes home")
            await self._leave(ada, bo, watched)

    # --- everybody logs in ---

    async def _log_in(self, person: Person) -> None:
        brief = person in self._viewers[1:]
        async with self._telling.step(person.name, "asks for an SMS code", brief=brief):
            try:
                await person.api.send_sms_code(person.phone)
            except Refused as refused:
                # A fixed code needs no message, and the limit on messages is not what is shown here.
                if refused.code != ASKED_TOO_OFTEN:
                    raise
                self._telling.trace("  a moment ago already; a fixed code works all the same")
        async with self._telling.step(person.name, "logs in with it", brief=brief):
            account = await person.api.login(person.phone, self._code)
        person.id = account["id"]
        await self._tidy_up(person, account)

    async def _tidy_up(self, person: Person, account: Json) -> None:
        """Undo what an earlier run left, as the apps do before they go live."""
        status = account["status"]
        if status == UserStatus.IDLE.value:
            return
        async with self._telling.step(person.name, f"is still {status} from an earlier run, and stops"):
            if status == UserStatus.WATCHING.value:
                await person.api.leave_room(account.get("room", ""))
                return
            for room in await person.api.rooms(f"?creator={person.id}"):
                await person.api.close_room(room.get("id", ""))

    # --- Ada and Bo go live ---

    @asynccontextmanager
    async def _live(self, person: Person, room_name: str) -> AsyncIterator[Host]:
        step = self._telling.step
        async with step(person.name, f'is called "{person.name}" from now on'):
            profile = await person.api.set_nickname(person.name)
            _expect(f'the nickname "{person.name}"', profile["nickname"] == person.name, profile)
        async with step(person.name, f'opens the room "{room_name}"'):
            room = await person.api.create_room(room_name)
        async with step(person.name, "connects to signalling"):
            signalling = await Signalling.connect(room["wsURL"], self._telling.trace)
        try:
            async with step(person.name, "authenticates with the token of the login"):
                await signalling.authorise(person.api.token)
            async with step(person.name, "asks for a sign of life"):
                await signalling.ping()
            yield Host(person, room["roomID"], signalling)
        finally:
            await signalling.hang_up()

    # --- the audience comes ---

    async def _enter(self, ada: Host, bo: Host) -> list[tuple[Person, Host]]:
        """Let every viewer in, by turns to Ada and to Bo, and return who watches whom."""
        first = self._viewers[0]
        async with self._telling.step(first.name, "looks who is live"):
            rooms = await first.api.rooms()
            for host in (ada, bo):
                found = _status_in(rooms, host.room_id)
                _expect(f"{host.name}'s room as single", found == RoomStatus.SINGLE.value, found)
        watched = [(viewer, (ada, bo)[number % 2]) for number, viewer in enumerate(self._viewers)]
        for viewer, host in watched:
            async with self._telling.step(
                viewer.name, f"enters {host.name}'s room", brief=viewer is not first
            ):
                await viewer.api.enter_room(host.room_id)
        return watched

    # --- Ada challenges Bo ---

    async def _offer(self, ada: Host, bo: Host) -> None:
        async with self._telling.step("Ada", "looks who can be challenged"):
            rooms = await ada.person.api.rooms("?can_pk=true")
            _expect("Bo's room among them", _status_in(rooms, bo.room_id) is not None, rooms)
        async with self._telling.step("Ada", "offers Bo a PK"):
            await ada.signalling.call(StartPk(pk_room_id=bo.room_id))
        async with self._telling.step("Bo", "hears the offer"):
            offer = await bo.signalling.hear(OnPkOffer)
            _expect(f"an offer from {ada.room_id}", offer.room_id == ada.room_id, offer)

    async def _accept(self, ada: Host, bo: Host) -> None:
        async with self._telling.step("Bo", "accepts"):
            await bo.signalling.call(AnswerPk(req_room_id=ada.room_id, accept=True))
        async with self._telling.step("Ada", "hears yes, with a token for the RTC room of Bo"):
            answer = await ada.signalling.hear(OnPkAnswer)
            complete = answer.accepted and answer.rtc_room == bo.room_id and answer.rtc_room_token
            _expect("accepted, with room and token", bool(complete), answer)

    async def _see_pk(self, ada: Host, bo: Host, watched: Sequence[tuple[Person, Host]]) -> None:
        """Each viewer polls, which is how the apps of the audience learn of a PK."""
        for viewer, host in watched:
            opponent = bo if host is ada else ada
            seeing = f"sees {host.name} in a PK against {opponent.name}"
            async with self._telling.step(viewer.name, seeing, brief=viewer is not watched[0][0]):
                room = await viewer.api.room(host.room_id)
                _expect("status PK", room["status"] == RoomStatus.PK.value, room)
                _expect(
                    f"{opponent.name} as pkAnchor",
                    room.get("pkAnchor", {}).get("id") == opponent.person.id,
                    room,
                )

    async def _end(self, ada: Host, bo: Host) -> None:
        async with self._telling.step("Ada", "ends the PK"):
            await ada.signalling.call(EndPk(pk_room_id=bo.room_id))
        async with self._telling.step("Bo", "hears that it is over"):
            await bo.signalling.hear(OnPkEnd)
        first = self._viewers[0]
        async with self._telling.step(first.name, "sees both rooms single again"):
            for host in (ada, bo):
                room = await first.api.room(host.room_id)
                _expect("status single", room["status"] == RoomStatus.SINGLE.value, room)

    # --- everybody goes home ---

    async def _leave(self, ada: Host, bo: Host, watched: Sequence[tuple[Person, Host]]) -> None:
        first = self._viewers[0]
        for viewer, host in watched:
            async with self._telling.step(
                viewer.name, f"leaves {host.name}'s room", brief=viewer is not first
            ):
                await viewer.api.leave_room(host.room_id)
        for host in (ada, bo):
            async with self._telling.step(host.name, "disconnects, which closes the room"):
                await host.signalling.leave()
        async with self._telling.step(first.name, "looks again: both rooms are gone"):
            left = {room.get("id") for room in await first.api.rooms()}
            _expect("neither room", not left & {ada.room_id, bo.room_id}, left)


def _status_in(rooms: Sequence[Json], room_id: str) -> str | None:
    """The status of a room in a list, if it is there."""
    return next((room.get("status") for room in rooms if room.get("id") == room_id), None)


def _expect(what: str, holds: bool, got: object) -> None:  # noqa: FBT001 -- reads as the sentence it is
    if not holds:
        raise Unexpected(what, str(got))
