"""What clouds and qlive know differently, on a server that compares them often: found, found again, healed."""

from collections.abc import AsyncIterator

import pytest

from qlive_app.fakes import Fault
from qlive_app.fakes.qiniu.rtc import APP

from .figures import Figures
from .im_stage import begin_pk, end_pk
from .production import Production, producing, until
from .stage import ask, eventually, let_in

ROUND_S = 0.4


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Production]:
    """People on a server that looks at its clouds several times a second."""
    settings = {"reconcile": {"interval_s": ROUND_S}, "im": {"ping_ticker_s": 0.3, "pong_timeout_s": 1.5}}
    async with producing(tmp_path_factory.mktemp("reconciling"), settings) as staged:
        yield staged


async def counted(stage: Production, kind: str) -> None:
    """Wait until operators are told that a difference of a kind was found and healed."""

    async def is_told() -> bool:
        figures = await Figures.of(stage.api())
        fates = ("found", "healed")
        return all(figures.value("qlive_drift_total", kind=kind, fate=fate) > 0 for fate in fates)

    await eventually(is_told, f"{kind} is counted")


async def test_a_stranger_is_put_out(stage: Production) -> None:
    """Who left the room and is still in the RTC room is out of it after the second look; others stay in."""
    host, _ = await stage.on_air("voice", over_im=False)
    stranger, _ = await stage.listener(host.room, over_im=False)
    listener, _ = await stage.listener(host.room, over_im=False)
    looks = f"/v3/apps/{APP}/rooms/{host.room}/users"
    await stranger.api.leave_room(host.room)
    before = len(stage.qiniu.calls.to(looks))
    await stage.qiniu.calls.until(f"{looks}/{stranger.id}")
    assert len(stage.qiniu.calls.to(looks)) >= before + 2
    assert stage.qiniu.rtc.members(host.room) == {host.id, listener.id}
    await counted(stage, "stranger")


async def test_an_opponent_is_no_stranger(stage: Production) -> None:
    """He may be in the other's RTC room as long as the PK lasts, and not for long after it."""
    ann, anns = await stage.on_air(over_im=False)
    bob, bobs = await stage.on_air(over_im=False)
    heard, _ = await begin_pk(ann, anns, bob, bobs)
    stage.qiniu.rtc.join(heard["rtcRoomToken"])
    looks = f"/v3/apps/{APP}/rooms/{bob.room}/users"
    await stage.qiniu.calls.until(looks, len(stage.qiniu.calls.to(looks)) + 3)
    assert stage.qiniu.rtc.members(bob.room) == {ann.id, bob.id}
    await end_pk(anns, bobs, bob.room)
    await stage.qiniu.calls.until(f"{looks}/{ann.id}")
    assert stage.qiniu.rtc.members(bob.room) == {bob.id}


async def test_a_seat_whose_singer_is_not_there_is_emptied(stage: Production) -> None:
    """Everybody hears that he left it, himself too, and the seat is free."""
    host, _ = await stage.on_air("voice", over_im=False)
    singer, _ = await stage.listener(host.room, over_im=False)
    listener, _ = await stage.listener(host.room, over_im=False)
    await ask(singer, host, 3)
    await let_in(singer, host, listener)
    stage.qiniu.rtc.leave(host.room, singer.id)
    for person in (host, singer, listener):
        heard = await person.signal.expect("on-join-end")
        assert (heard["reqUserID"], heard["position"]) == (singer.id, 3)
    await counted(stage, "empty_seat")
    await ask(listener, host, 3)


async def test_a_chat_room_that_is_gone_comes_back(stage: Production) -> None:
    """The cloud removes chat rooms that are quiet for long."""
    host, _ = await stage.on_air(over_im=False)
    rooms = stage.cloud.chatrooms.rooms
    await until(lambda: host.room in rooms, "the chat room is made")
    del rooms[host.room]
    await until(lambda: host.room in rooms, "the chat room is back")
    assert rooms[host.room].name == host.room_name
    await counted(stage, "no_chat_room")


async def test_a_host_whose_coming_was_not_reported_is_reached(stage: Production) -> None:
    """He is live and on the IM cloud, and the report of that was lost."""
    stage.cloud.callbacks.status_url, told = "", stage.cloud.callbacks.status_url
    try:
        host, rival = await stage.person(), (await stage.on_air(over_im=False))[0]
        phone = await stage.phone(host)
    finally:
        stage.cloud.callbacks.status_url = told
    await host.go_live()
    await counted(stage, "online")
    await rival.signal.call("start-pk", pkRoomID=host.room)
    assert (await phone.expect("on-pk-offer"))["roomID"] == rival.room


async def test_a_host_whom_the_cloud_does_not_have_is_given_up(stage: Production) -> None:
    """He is silent, and no ping can prove it, for the cloud takes none; but it knows that he is not there."""
    (host, phone), witness = await stage.im_host(), await stage.person()
    stage.cloud.faults.add(Fault("answer", path="/message/private/publish.json", status=503, times=None))
    try:
        phone.switch_off()

        async def is_gone() -> bool:
            return await witness.status_of(host.room) == "gone"

        await eventually(is_gone, "he is given up")
    finally:
        stage.cloud.faults.clear()
    await counted(stage, "offline")
