"""The server is killed in the middle of something and started again: nothing stays stuck.

Nobody knows which pushes a crash swallowed, so who comes back may be told again of an open offer to him and of
the acceptance of his own, once.
"""

import asyncio
import time
from collections import Counter

from .conftest import Launch
from .stage import Person, Stage, accept, eventually, forgetting_connections, offer

LONG_OFFERS = {"signaling": {"pk_request_timeout_s": 60}}


async def test_an_offer_survives_and_times_out_once(launch: Launch) -> None:
    """Both hosts hear on-pk-timeout exactly once, at the original deadline, and can go on."""
    offer_life_s = 5.0
    stage = launch({"signaling": {"pk_request_timeout_s": offer_life_s}})
    proposer, target = await stage.offered()
    due_at = time.monotonic() + offer_life_s
    await _crash(stage)
    await _reconnect(proposer, target)
    assert time.monotonic() < due_at, "the restart took too long to tell anything"
    for one, other in ((proposer, target), (target, proposer)):
        heard = await one.signal.expect("on-pk-timeout")
        assert heard == {"pkAnchorID": other.id, "pkRoomID": other.room}
    assert due_at - 0.3 <= time.monotonic() <= due_at + 1.5
    await asyncio.gather(proposer.signal.nothing_within(0.3), target.signal.nothing_within(0.3))
    await offer(target, proposer)


async def test_an_offer_survives_and_can_be_accepted(launch: Launch) -> None:
    """The target accepts after the restart what was offered before it."""
    stage = launch(LONG_OFFERS)
    proposer, target = await stage.offered()
    await _crash(stage)
    await _reconnect(proposer, target)
    assert await target.status_of(proposer.room) == "waitPK"
    await accept(target, proposer)


async def test_a_pk_survives(launch: Launch) -> None:
    """After the restart both hosts, once back, are still in their PK with their audience, and can end it."""
    stage = launch({})
    host, opponent = await stage.fighting()
    viewer = await stage.viewer(host.room)
    await _crash(stage)
    await _reconnect(host, opponent, viewer)
    seen = await viewer.sees(host.room) or {}
    assert (seen["status"], seen["pkAnchor"]["id"]) == ("PK", opponent.id)
    assert seen["audienceNumber"] == 1
    assert (await opponent.signal.call("end-pk", pkRoomID=host.room))["code"] == 0
    assert await host.signal.expect("on-pk-end") == {"pkRoomID": host.room}
    await offer(host, opponent)


async def test_a_pk_whose_hosts_stay_away_is_cleared(launch: Launch) -> None:
    """When nobody comes back after the restart, the rooms are gone after the grace and their names free."""
    stage = launch({"websocket_conf": {"reconnect_timeout_s": 1.0}})
    hosts = await stage.fighting()
    witness = await stage.person()
    await _crash(stage)

    async def all_gone() -> bool:
        return [await witness.status_of(host.room) for host in hosts] == ["gone", "gone"]

    await eventually(all_gone, "both rooms are gone")
    for host in hosts:
        assert (await host.login())["status"] == "idle"
        await host.go_live()


async def test_one_host_stays_away(launch: Launch) -> None:
    """The host who comes back hears of the end of the PK when the other's grace is over."""
    stage = launch({"websocket_conf": {"reconnect_timeout_s": 2.0}})
    loyal, gone = await stage.fighting()
    await _crash(stage)
    await _reconnect(loyal)
    assert await loyal.signal.expect("on-pk-end") == {"pkRoomID": gone.room}
    assert await loyal.status_of(loyal.room) == "single"
    assert await loyal.status_of(gone.room) == "gone"


async def test_a_crash_among_accepts_leaves_no_half_pk(launch: Launch) -> None:
    """Twenty targets accept, the server dies in between: both sides of each pair agree, and all can go on."""
    stage = launch(LONG_OFFERS)
    pairs = [await stage.offered() for _ in range(20)]
    for proposer, target in pairs:
        await target.signal.send("answer-pk", {"reqRoomID": proposer.room, "accept": True})
    await pairs[2][1].signal.expect("answer-pk-res")
    await _crash(stage)
    outcomes = Counter([await _goes_on(*pair) for pair in pairs])
    assert outcomes["PK"] >= 1
    assert set(outcomes) <= {"PK", "waitPK"}


async def _goes_on(proposer: Person, target: Person) -> str:
    """Bring a pair back, check that both sides agree, and play it to its end and a new offer."""
    await _reconnect(proposer, target)
    status = await target.status_of(proposer.room)
    assert await proposer.status_of(target.room) == status
    if status == "waitPK":
        await accept(target, proposer)
    assert (await target.signal.call("end-pk", pkRoomID=proposer.room))["code"] == 0
    assert await proposer.signal.expect("on-pk-end") == {"pkRoomID": proposer.room}
    await offer(proposer, target)
    return status


async def test_a_crash_among_room_creations_blocks_nobody(launch: Launch) -> None:
    """Thirty hosts go live, the server dies in between: each then has his one room under his one name."""
    stage = launch({})
    people = [await stage.person() for _ in range(30)]
    calls = [asyncio.create_task(person.api.create_room(person.room_name)) for person in people]
    await calls[3]
    stage.server.kill()
    await forgetting_connections(list(calls))
    stage.server.restart()
    for person in people:
        created = await person.go_live()
        listed = (await person.api.rooms(f"?creator={person.id}")).json()["rooms"]
        assert [room["id"] for room in listed] == [created["roomID"]]
        assert (await person.login())["status"] == "singleLive"


async def test_what_was_answered_is_kept(launch: Launch) -> None:
    """Whatever the server confirmed before it died is there afterwards: session, room, name, audience."""
    stage = launch({})
    host, viewer = await stage.host(), await stage.person()
    await host.api.rename_room(host.room, "renamed")
    await viewer.watch(host.room)
    await viewer.api.post("/v1/profile", {"nickname": "阿强"})
    await _crash(stage)
    seen = await viewer.sees(host.room) or {}
    assert (seen["name"], seen["audienceNumber"]) == ("renamed", 1)
    assert (await viewer.login())["nickname"] == "阿强"


async def test_whoever_polls_outlives_a_long_crash(launch: Launch) -> None:
    """A host and a viewer who only call over HTTP find all as it was, however long nobody could be called."""
    lease_s = 1.0
    stage = launch(
        {
            "presence": {"host_connect_timeout_s": lease_s, "audience_lease_s": lease_s},
            "websocket_conf": {"reconnect_timeout_s": 3.0},
        }
    )
    host, gone, viewer = [await stage.person() for _ in range(3)]
    await host.go_live()
    await gone.go_live()
    await viewer.watch(host.room)
    stage.server.kill()
    await asyncio.sleep(2 * lease_s)
    await asyncio.to_thread(stage.server.start)

    async def silent_one_is_gone() -> bool:
        assert (await viewer.sees(host.room) or {})["audienceNumber"] == 1
        assert (await host.api.rooms()).status_code == 200
        return await viewer.status_of(gone.room) == "gone"

    await eventually(silent_one_is_gone, "who is not heard after the start is given up", every_s=0.3)
    assert await viewer.status_of(host.room) == "single"


async def _crash(stage: Stage) -> None:
    """Kill the server and start it again on what it left behind."""
    stage.server.kill()
    await asyncio.to_thread(stage.server.restart)


async def _reconnect(*people: Person) -> None:
    """Bring people back and skip what they are told again."""
    for person in people:
        signal = await person.connect()
        await signal.send("ping")
        told: list[str] = []
        while (frame := str(await signal.receive())) != "pong={}":
            told.append(frame.partition("=")[0])
        assert told in ([], ["on-pk-offer"], ["on-pk-answer"])
