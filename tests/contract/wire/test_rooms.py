"""Rooms over HTTP: what hosts and viewers of all app generations rely on."""

import asyncio

import pytest

from .answers import done, refusal
from .conftest import Launch
from .matching import verified_rtc_claims
from .stage import Stage

CREATED_KEYS = ["roomID", "roomName", "rtcRoom", "rtcRoomToken", "wsURL"]

GOOD_NAMES = {"one character": "房%", "100 characters": "%" + "x" * 99, "100 Han characters": "%" + "房" * 99}


@pytest.mark.parametrize("name", GOOD_NAMES.values(), ids=GOOD_NAMES)
async def test_a_name_has_up_to_100_characters(name: str, stage: Stage) -> None:
    """Characters count, not bytes, and blanks around the name do not."""
    person = await stage.person()
    # A letter for each user keeps the names apart without changing their length.
    unique = name.replace("%", chr(0x4E00 + int(person.phone[-4:])))
    answer = await person.api.create_room(f" {unique} ")
    assert answer.status_code == 200, answer.text
    assert answer.json()["roomName"] == unique
    assert (await person.sees(answer.json()["roomID"]) or {})["name"] == unique


BAD_NAMES = {
    "empty": "",
    "blank": " \t",
    "101 characters": "x" * 101,
    "101 Han": "房" * 101,
    "control": "a\nb",
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
async def test_other_names_are_refused(name: str, stage: Stage) -> None:
    """A name that is empty, too long or holds control characters is 400004, for a new room and an old one."""
    host, person = await stage.host(), await stage.person()
    for answer in (await person.api.create_room(name), await host.api.rename_room(host.room, name)):
        assert refusal(answer, 400, 400004)["summary"] == "invalid room name"
    assert (await person.sees(host.room) or {})["name"] == host.room_name


async def test_no_type_means_pk(stage: Stage) -> None:
    """First-generation apps send no roomType and mean a PK room."""
    for body in ({}, {"roomType": ""}, {"roomType": None}):
        person = await stage.person()
        answer = await person.api.post("/v1/rooms", {"roomName": person.room_name, **body})
        assert answer.status_code == 200, answer.text
        assert (await person.sees(answer.json()["roomID"]) or {})["type"] == "pk"


async def test_creating_again_returns_the_same_room(launch: Launch) -> None:
    """Create with one's own room's name gives that room and a token for it, even at the room limit."""
    stage = launch({"max_rooms": 1})
    person = await stage.person()
    first = await person.go_live()
    again = await person.go_live()
    assert list(again) == CREATED_KEYS
    assert (again["roomID"], again["rtcRoom"]) == (first["roomID"], first["rtcRoom"])
    for created in (first, again):
        claims = verified_rtc_claims(created["rtcRoomToken"])
        assert (claims["roomName"], claims["userId"]) == (created["rtcRoom"], person.id)
        assert claims["permission"] == "admin"


async def test_max_rooms_is_exact(launch: Launch) -> None:
    """Of thirty hosts who go live at the same moment exactly as many succeed as there may be rooms."""
    stage = launch({"max_rooms": 7})
    people = [await stage.person() for _ in range(30)]
    answers = await asyncio.gather(*(person.api.create_room(person.room_name) for person in people))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(answers) - len(refused) == 7
    for answer in refused:
        assert refusal(answer, 503, 503001)["summary"] == "room number limit exeeded"
    assert len((await (await stage.person()).api.rooms()).json()["rooms"]) == 7


async def test_a_name_is_given_once(stage: Stage) -> None:
    """Of ten hosts who want the same name at the same moment one gets it and the others are told 409002."""
    people = [await stage.person() for _ in range(10)]
    name = people[0].room_name
    answers = await asyncio.gather(*(person.api.create_room(name) for person in people))
    winners = [answer for answer in answers if answer.status_code == 200]
    assert len(winners) == 1
    for answer in answers:
        if answer is not winners[0]:
            refusal(answer, 409, 409002)


async def test_a_host_has_one_room(stage: Stage) -> None:
    """Ten concurrent creates of one host under different names make one room."""
    person = await stage.person()
    names = [f"{person.room_name} {index}" for index in range(10)]
    answers = await asyncio.gather(*(person.api.create_room(name) for name in names))
    assert [answer.status_code for answer in answers].count(200) == 1
    for answer in answers:
        if answer.status_code != 200:
            refusal(answer, 403, 403003)
    assert len((await person.api.rooms(f"?creator={person.id}")).json()["rooms"]) == 1


async def test_a_closed_rooms_name_is_free_at_once(stage: Stage) -> None:
    """Apps close a forgotten room and open a new one of the same name in one breath."""
    host = await stage.host()
    old = host.room
    for _ in range(5):
        done(await host.api.close_room(host.room))
        await host.go_live()
    assert host.room != old
    assert await host.status_of(old) == "gone"
    assert await host.status_of(host.room) == "single"


async def test_closing_a_room_that_is_not_there(stage: Stage) -> None:
    """close_room of a missing, a closed or another's room is 404002."""
    host, other = await stage.pair()
    done(await host.api.close_room(host.room))
    refusal(await host.api.close_room(host.room), 404, 404002)
    refusal(await host.api.close_room(other.room), 404, 404002)
    refusal(await host.api.close_room(""), 404, 404002)


async def test_refresh_works_in_every_state(stage: Stage) -> None:
    """A host fetches a new token while single, waiting, in a PK and after it, and without a connection."""
    proposer, target = await stage.pair()
    await _refreshes(stage, proposer.api.token, proposer.room)
    await proposer.signal.call("start-pk", pkRoomID=target.room)
    await _refreshes(stage, proposer.api.token, proposer.room)
    await _refreshes(stage, target.api.token, target.room)
    await target.signal.expect("on-pk-offer")
    await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=True)
    await _refreshes(stage, target.api.token, target.room)
    await target.signal.call("end-pk", pkRoomID=target.room)
    await proposer.signal.drop()
    await _refreshes(stage, proposer.api.token, proposer.room)


async def _refreshes(stage: Stage, token: str, room_id: str) -> None:
    answer = await stage.api(token).refresh_room(room_id)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == CREATED_KEYS
    assert verified_rtc_claims(answer.json()["rtcRoomToken"])["roomName"] == room_id


async def test_refresh_is_for_the_host(stage: Stage) -> None:
    """refresh_room of a missing or another's room is 404002 and names the room."""
    host, person = await stage.host(), await stage.person()
    for room_id in (host.room, "nosuch"):
        body = refusal(await person.api.refresh_room(room_id), 404, 404002)
        assert body["message"] == f"room {room_id} not found"


async def test_leaving_always_succeeds(stage: Stage) -> None:
    """Apps leave twice, leave rooms they are not in, and leave rooms that are closed."""
    host = await stage.host()
    viewer = await stage.viewer(host.room)
    done(await viewer.api.leave_room(host.room))
    done(await viewer.api.leave_room(host.room))
    await viewer.watch(host.room)
    done(await viewer.api.leave_room("nosuch"))
    assert (await viewer.sees(host.room) or {})["audienceNumber"] == 0
    await viewer.watch(host.room)
    done(await host.api.close_room(host.room))
    done(await viewer.api.leave_room(host.room))


async def test_a_host_does_not_watch(stage: Stage) -> None:
    """Entering or leaving any room while live is 409003 with one body."""
    host, other = await stage.pair()
    for room in (host.room, other.room):
        refusal(await host.api.enter_room(room), 409, 409003)
        refusal(await host.api.leave_room(room), 409, 409003)
    assert await host.status_of(host.room) == "single"


async def test_an_audience_does_not_go_live(stage: Stage) -> None:
    """Creating a room while watching is 409004, and works after leaving."""
    host = await stage.host()
    viewer = await stage.viewer(host.room)
    refusal(await viewer.api.create_room(viewer.room_name), 409, 409004)
    done(await viewer.api.leave_room(host.room))
    await viewer.go_live()


async def test_empty_lists_are_null(stage: Stage) -> None:
    """An empty list is null: iOS crashes on `[]` where it asks for a creator's room."""
    person = await stage.person()
    for query in (f"?creator={person.id}", "?creator=nosuch"):
        assert (await person.api.rooms(query)).text == '{"rooms":null}'


async def test_pages_come_newest_first(launch: Launch) -> None:
    """With a limit, rooms come in pages, each once, newest first, with a cursor while there is more."""
    stage = launch({})
    hosts = [await stage.person() for _ in range(5)]
    for host in hosts:
        await host.go_live()
    reader, seen, cursor = await stage.person(), list[str](), ""
    for size in (2, 2, 1):
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = (await reader.api.rooms(query)).json()
        assert len(page["rooms"]) == size
        seen += [room["id"] for room in page["rooms"]]
        cursor = page.get("nextCursor", "")
    assert not cursor
    assert seen == [host.room for host in reversed(hosts)]
    whole = (await reader.api.rooms()).json()
    assert [room["id"] for room in whole["rooms"]] == [host.room for host in hosts]
    assert list(whole) == ["rooms"]


async def test_pages_stand_still_while_rooms_come_and_go(launch: Launch) -> None:
    """A room opened or closed between two pages makes no other room appear twice or not at all."""
    stage = launch({})
    hosts = [await stage.person() for _ in range(4)]
    for host in hosts:
        await host.go_live()
    reader, late = await stage.person(), await stage.person()
    first = (await reader.api.rooms("?limit=2")).json()
    await late.go_live()
    done(await hosts[3].api.close_room(hosts[3].room))
    second = (await reader.api.rooms(f"?limit=2&cursor={first['nextCursor']}")).json()
    assert [room["id"] for room in second["rooms"]] == [hosts[1].room, hosts[0].room]
    assert "nextCursor" not in second


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=-1", "limit=x", "limit=", "limit=2&cursor=%00"]
)
async def test_an_invalid_page_is_a_bad_request(query: str, stage: Stage) -> None:
    """A limit outside 1..200 and a cursor that qlive did not give out are 400000."""
    person = await stage.person()
    refusal(await person.api.rooms(f"?{query}"), 400, 400000)


async def test_user_objects_have_all_their_texts(stage: Stage) -> None:
    """Apps read id, nickname, gender and avatar as texts wherever a user is shown."""
    host, other = await stage.fighting()
    viewer = await stage.person()
    room = await viewer.sees(host.room) or {}
    for user in (room["creator"], room["pkAnchor"]):
        assert list(user) == ["id", "nickname", "gender", "avatar"]
        assert all(isinstance(text, str) for text in user.values())
    assert room["pkAnchor"]["id"] == other.id
    assert room["playURL"] == f"rtmp://live-play.example.com/testhub/{host.id}"
