"""Who is there, who is given up, and what becomes of their rooms; on a server whose times are short."""

import asyncio
import time

from .client import NO_CLOSE_FRAME
from .conftest import SHORT_TIMES
from .stage import Person, Stage, ask, eventually, let_in, offer

GRACE_S: float = SHORT_TIMES["websocket_conf"]["reconnect_timeout_s"]
PONG_TIMEOUT_S: float = SHORT_TIMES["websocket_conf"]["pong_timeout_s"]
LEASE_S: float = SHORT_TIMES["presence"]["audience_lease_s"]
CONNECT_WITHIN_S: float = SHORT_TIMES["presence"]["host_connect_timeout_s"]


async def test_a_lost_socket_costs_nothing_within_the_grace(hasty: Stage) -> None:
    """A host who is back in time keeps room, PK and audience; nobody else hears of it."""
    host, opponent = await hasty.fighting()
    viewer = await hasty.viewer(host.room)
    await host.signal.drop()
    await host.connect()
    await asyncio.gather(
        *(person.signal.nothing_within(GRACE_S + 0.3) for person in (host, opponent, viewer))
    )
    assert await viewer.status_of(host.room) == "PK"
    assert (await viewer.sees(host.room) or {})["audienceNumber"] == 1
    assert (await opponent.signal.call("end-pk", pkRoomID=host.room))["code"] == 0
    assert await host.signal.expect("on-pk-end") == {"pkRoomID": host.room}


async def test_pushes_wait_for_the_next_auth(hasty: Stage) -> None:
    """What happened while a user was away is told after his next auth-res, in order."""
    host, opponent = await hasty.pair()
    await host.signal.drop()
    assert (await opponent.signal.call("start-pk", pkRoomID=host.room))["code"] == 0
    assert (await opponent.api.close_room(opponent.room)).status_code == 200
    await host.connect()
    assert (await host.signal.expect("on-pk-offer"))["roomID"] == opponent.room
    timeout = await host.signal.expect("on-pk-timeout")
    assert timeout == {"pkAnchorID": opponent.id, "pkRoomID": opponent.room}
    assert await host.status_of(host.room) == "single"


async def test_a_push_that_crossed_the_loss_is_told_again(stage: Stage) -> None:
    """What reached a dying client's host but not the client itself is told after the next auth."""
    host, opponent = await stage.pair()
    for _ in range(2):  # so that nothing is under way that could pass for a sign of life later
        await host.signal.confirm()
    host.signal.connection.transport.pause_reading()
    assert (await opponent.signal.call("start-pk", pkRoomID=host.room))["code"] == 0
    await host.signal.drop()
    await host.connect()
    assert (await host.signal.expect("on-pk-offer"))["roomID"] == opponent.room


async def test_a_host_who_stays_away_is_given_up(hasty: Stage) -> None:
    """When the grace is over the room closes: on-pk-end to the opponent, on-room-close to the audience."""
    host, opponent = await hasty.fighting()
    viewer = await hasty.viewer(host.room)
    lost_at = time.monotonic()
    await host.signal.drop()
    assert await opponent.signal.expect("on-pk-end") == {"pkRoomID": host.room}
    assert time.monotonic() - lost_at >= GRACE_S * 0.9
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}
    assert await viewer.status_of(host.room) == "gone"
    assert await viewer.status_of(opponent.room) == "single"
    assert (await host.login())["status"] == "idle"


async def test_a_proper_close_frame_is_a_lost_socket_too(hasty: Stage) -> None:
    """A close frame without `disconnect` before it leaves the grace like any other loss."""
    host = await hasty.host()
    viewer = await hasty.viewer(host.room)
    await host.signal.close()
    assert await viewer.status_of(host.room) == "single"
    assert await viewer.signal.expect("on-room-close") == {"roomID": host.room}


async def test_both_hosts_lost_at_once(hasty: Stage) -> None:
    """Both hosts of a PK vanish together: both rooms close, both names are free, the server goes on."""
    pairs = [await hasty.fighting() for _ in range(5)]
    await asyncio.gather(*(person.signal.drop() for pair in pairs for person in pair))
    witness = await hasty.person()
    for person in (person for pair in pairs for person in pair):
        await _is_gone(person.room, witness)
        await person.go_live()


async def test_a_silent_connection_is_closed_and_its_user_given_up(hasty: Stage) -> None:
    """Without a sign of life a connection ends, and later the user is offline."""
    host, opponent = await hasty.fighting()
    host.signal.answers_pings = False
    silent_since = time.monotonic()
    assert await host.signal.expect_close() == NO_CLOSE_FRAME
    assert time.monotonic() - silent_since >= PONG_TIMEOUT_S * 0.7
    assert await opponent.status_of(host.room) == "PK"
    assert await opponent.signal.expect("on-pk-end") == {"pkRoomID": host.room}
    assert await opponent.status_of(host.room) == "gone"


async def test_any_message_is_a_sign_of_life(hasty: Stage) -> None:
    """Text frames of any kind and WebSocket pings, which is all that iOS sends, keep a connection open."""
    texter, pinger = await hasty.pair()
    for person in (texter, pinger):
        person.signal.answers_pings = False
    end = time.monotonic() + PONG_TIMEOUT_S * 2.5
    while time.monotonic() < end:
        await texter.signal.send("something-new")
        await (await pinger.signal.connection.ping())
        await asyncio.sleep(PONG_TIMEOUT_S / 8)
    await offer(texter, pinger)


async def test_a_host_who_never_connects_is_given_up(hasty: Stage) -> None:
    """The room of a host without a connection closes when the time to connect is over."""
    host, witness = await hasty.person(), await hasty.person()
    await host.go_live()
    opened_at = time.monotonic()
    await _is_gone(host.room, witness)
    assert time.monotonic() - opened_at >= CONNECT_WITHIN_S * 0.8
    assert (await host.login())["status"] == "idle"
    await host.go_live()


async def test_calls_of_a_host_without_connection_renew_his_room(hasty: Stage) -> None:
    """Any authorised call and refresh_room keep the room of a host who does not connect."""
    lister, refresher, witness = [await hasty.person() for _ in range(3)]
    await lister.go_live()
    await refresher.go_live()
    end = time.monotonic() + CONNECT_WITHIN_S * 2
    while time.monotonic() < end:
        await lister.api.rooms("?can_pk=true")
        await refresher.api.refresh_room(refresher.room)
        await asyncio.sleep(CONNECT_WITHIN_S / 6)
    assert await witness.status_of(lister.room) == "single"
    assert await witness.status_of(refresher.room) == "single"


async def test_a_viewer_without_connection_stays_while_he_polls(hasty: Stage) -> None:
    """Viewers of PK rooms only poll: that keeps their place, and without it the place is lost."""
    host, poller, sleeper = await hasty.host(), await hasty.person(), await hasty.person()
    await poller.watch(host.room)
    await sleeper.watch(host.room)
    end = time.monotonic() + LEASE_S * 2
    while time.monotonic() < end:
        seen = await poller.sees(host.room) or {}
        await asyncio.sleep(LEASE_S / 6)
    assert seen["audienceNumber"] == 1
    await _audience_becomes(0, host)
    assert (await sleeper.login())["status"] == "idle"


async def test_a_poll_after_the_lease_lets_a_viewer_in_again(hasty: Stage) -> None:
    """An app that slept goes on polling without entering again: it is counted again."""
    host, viewer = await hasty.host(), await hasty.person()
    await viewer.watch(host.room)
    await _audience_becomes(0, host)
    await viewer.sees(host.room)
    await _audience_becomes(1, host)
    account = await viewer.login()
    assert (account["status"], account["room"]) == ("watching", host.room)


async def test_a_poll_lets_nobody_in_who_went_elsewhere(hasty: Stage) -> None:
    """Who left by himself, or was elsewhere since, is not taken back by a look at the room."""
    host, leaver, mover = await hasty.host(), await hasty.person(), await hasty.person()
    elsewhere = await hasty.host()
    await leaver.watch(host.room)
    await leaver.api.leave_room(host.room)
    await mover.watch(host.room)
    await mover.watch(elsewhere.room)
    for viewer in (leaver, mover):
        assert (await viewer.sees(host.room) or {})["audienceNumber"] == 0
    assert (await leaver.login())["status"] == "idle"
    assert (await mover.login())["room"] == elsewhere.room


async def test_an_offline_viewer_is_not_counted(hasty: Stage) -> None:
    """A viewer whose connection is lost leaves when his grace ends, and not before."""
    host = await hasty.host()
    viewer, loyal = await hasty.viewer(host.room), await hasty.viewer(host.room)
    await viewer.signal.drop()
    assert (await host.sees(host.room) or {})["audienceNumber"] == 2
    await _audience_becomes(1, host)
    await loyal.signal.nothing_within()
    await viewer.go_live()


async def test_a_disconnecting_viewer_leaves_at_once(hasty: Stage) -> None:
    """`disconnect` of a viewer ends his watching without a grace."""
    host = await hasty.host()
    viewer = await hasty.viewer(host.room)
    await viewer.signal.send("disconnect")
    assert await viewer.signal.expect_close() == 1000
    assert (await host.sees(host.room) or {})["audienceNumber"] == 0


async def test_pushes_of_one_room_do_not_reach_the_next(stage: Stage) -> None:
    """A host without a connection closes and opens anew: the offer to the old room is none of the new one's."""
    host, other = await stage.person(), await stage.host()
    await host.go_live()
    assert (await other.signal.call("start-pk", pkRoomID=host.room))["code"] == 0
    assert (await host.api.close_room(host.room)).status_code == 200
    await host.go_live()
    await host.connect()
    await host.signal.nothing_within()


async def test_the_end_of_one_room_does_not_close_the_next(stage: Stage) -> None:
    """A viewer whose connection is down enters another room: they are not told that the first one closed."""
    host, other = await stage.singer(), await stage.singer()
    viewer = await stage.viewer(host.room)
    await viewer.signal.drop()
    assert (await host.api.close_room(host.room)).status_code == 200
    assert (await viewer.api.enter_room(other.room)).status_code == 200
    await viewer.connect()
    await viewer.signal.nothing_within()


async def test_a_viewer_of_a_voice_room_misses_nothing_before_their_first_connection(stage: Stage) -> None:
    """Between entering and auth somebody takes a seat; they hear of it."""
    host = await stage.singer()
    singer, late = await stage.viewer(host.room), await stage.person()
    await late.watch(host.room)
    await ask(singer, host, 2)
    await let_in(singer, host)
    await late.connect()
    assert (await late.signal.expect("on-audience-join"))["reqUserID"] == singer.id


async def _is_gone(room_id: str, witness: Person) -> None:
    async def gone() -> bool:
        return await witness.status_of(room_id) == "gone"

    await eventually(gone, f"room {room_id} is gone")


async def _audience_becomes(number: int, host: Person) -> None:
    async def as_many() -> bool:
        return (await host.sees(host.room) or {}).get("audienceNumber") == number

    await eventually(as_many, f"an audience of {number}")
