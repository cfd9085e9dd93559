"""What the apps need of voice rooms over HTTP, and of the numbers of their seats."""

from typing import Any

import pytest

from contract.wire.stage import Person, Stage, ask, let_in

from .apps import App

NO_SUCH_SEAT = 10015


@pytest.fixture
async def host(app: App, stage: Stage) -> Person:
    """A host, live in a voice room whose audience has one user: the app's."""
    await app.log_in()
    singer = await stage.singer()
    await app.post("/v1/enter_room", {"userID": app.id, "roomID": singer.room})
    return singer


async def test_H22_who_has_a_seat_is_shown_with_its_number(app: App, host: Person, stage: Stage) -> None:
    """On entering and on looking again: a number and four texts, in the order of the seats."""
    singers = [await stage.viewer(host.room) for _ in range(2)]
    for singer, position, others in ((singers[0], 7, singers[1:]), (singers[1], 0, singers[:1])):
        await ask(singer, host, position)
        await let_in(singer, host, *others)
    for shown in await _shown(app, host):
        taken = shown["joinedAudiences"]
        assert [(seat["position"], seat["id"]) for seat in taken] == [(0, singers[1].id), (7, singers[0].id)]
        for seat in taken:
            assert list(seat) == ["position", "id", "nickname", "gender", "avatar"]
            assert all(isinstance(seat[key], str) for key in list(seat)[1:])


async def test_H22_seats_that_are_all_free_are_left_out(app: App, host: Person) -> None:
    """iOS counts the list without looking whether it is one, so it is never null."""
    for shown in await _shown(app, host):
        assert "joinedAudiences" not in shown


async def _shown(app: App, host: Person) -> list[dict[str, Any]]:
    entered = await app.post("/v1/enter_room", {"userID": app.id, "roomID": host.room})
    return [entered.json(), (await app.get(f"/v1/rooms/{host.room}")).json()]


async def test_H23_there_are_eight_seats(stage: Stage) -> None:
    """Both apps have a list of eight, and crash on any other number."""
    host = await stage.singer()
    listener = await stage.viewer(host.room)
    for position in (-1, 8, 2**31):
        answer = await listener.signal.call("start-join", roomID=host.room, position=position)
        assert answer["code"] == NO_SUCH_SEAT
    for position in range(8):
        await ask(listener, host, position)
        await listener.signal.call("end-join", roomID=host.room)
        await host.signal.expect("on-join-timeout")
