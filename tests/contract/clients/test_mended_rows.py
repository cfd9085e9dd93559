"""What was broken in the original server and no app relies on; the rest of that list is in the wire tests."""

import asyncio
import time

import pytest

from contract.wire.answers import done, refusal
from contract.wire.conftest import SHORT_TIMES
from contract.wire.stage import Person, Stage, accept, offer

from .apps import App

OFFER_S: float = SHORT_TIMES["signaling"]["pk_request_timeout_s"]
OK, NOT_IN_PK = 0, 10013


@pytest.mark.parametrize("accepted", [True, False])
async def test_B2_the_timer_of_an_answered_offer_ends_no_later_one(accepted: bool, hasty: Stage) -> None:
    """However fast the answer: the next offer between the same two has all of its own time."""
    proposer, target = await hasty.offered()
    answer = await target.signal.call("answer-pk", reqRoomID=proposer.room, accept=accepted)
    assert answer["code"] == OK
    assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is accepted
    if accepted:
        await proposer.signal.call("end-pk", pkRoomID=proposer.room)
        await target.signal.expect("on-pk-end")
    await asyncio.sleep(OFFER_S / 2)
    await offer(proposer, target)
    await asyncio.gather(*(host.signal.nothing_within(OFFER_S * 0.65) for host in (proposer, target)))
    assert (await proposer.signal.expect("on-pk-timeout"))["pkRoomID"] == target.room


async def test_B2_an_answer_at_the_moment_of_the_timeout_has_one_outcome(hasty: Stage) -> None:
    """Accepted and no timeout, or timed out for both and 10013: never some of each."""
    pairs = [await hasty.pair() for _ in range(8)]
    outcomes = await asyncio.gather(
        *(_answer_late(*pair, OFFER_S + (number - 4) * 0.004) for number, pair in enumerate(pairs))
    )
    for (proposer, target), accepted in zip(pairs, outcomes, strict=True):
        for host in (proposer, target):
            assert await host.status_of(host.room) == ("PK" if accepted else "single")
        await asyncio.gather(proposer.signal.nothing_within(), target.signal.nothing_within(0))


async def _answer_late(proposer: Person, target: Person, after_s: float) -> bool:
    """Offer, accept so much later, hear all that comes of it, and tell whether it was in time."""
    await proposer.signal.send("start-pk", {"pkRoomID": target.room})
    offered_at = time.monotonic()
    await target.signal.expect("on-pk-offer")
    assert (await proposer.signal.expect("start-pk-res"))["code"] == OK
    await asyncio.sleep(offered_at + after_s - time.monotonic())
    await target.signal.send("answer-pk", {"reqRoomID": proposer.room, "accept": True})
    heard = str(await target.signal.receive())
    if heard.startswith("on-pk-timeout="):
        assert (await target.signal.expect("answer-pk-res"))["code"] == NOT_IN_PK
    elif '"code":0' not in heard:
        assert f'"code":{NOT_IN_PK}' in heard
        await target.signal.expect("on-pk-timeout")
    else:
        assert (await proposer.signal.expect("on-pk-answer"))["accepted"] is True
        return True
    await proposer.signal.expect("on-pk-timeout")
    return False


async def test_B9_a_phone_number_is_the_whole_text(app: App) -> None:
    """Neither more digits nor other characters around it."""
    for phone in (
        f"{app.phone}0",
        f"a{app.phone}",
        f"%2B86{app.phone}",
        f"{app.phone}%0A",
        f"%20{app.phone}",
    ):
        refusal(await app.post(f"/v1/send_sms_code?phone_number={phone}"), 400, 400001)
    done(await app.post(f"/v1/send_sms_code?phone_number={app.phone}"))


async def test_B10_an_empty_nickname_in_a_profile_changes_none(app: App, stage: Stage) -> None:
    """Neither in the account nor where the user is shown."""
    account = await app.log_in()
    await app.go_live()
    await app.post("/v1/profile", {"id": app.id, "nickname": "", "gender": "male"})
    viewer = await stage.person()
    [room] = (await viewer.api.rooms(f"?creator={app.id}")).json()["rooms"]
    assert (room["creator"]["nickname"], room["creator"]["gender"]) == (account["nickname"], "male")


async def test_B10_a_room_may_be_renamed_to_its_own_name_and_to_no_other_rooms(stage: Stage) -> None:
    """The original compared names with ids."""
    host, other = await stage.pair()
    assert (await host.api.rename_room(host.room, host.room_name)).status_code == 200
    refusal(await host.api.rename_room(host.room, other.room_name), 409, 409002)
    assert (await host.api.rename_room(host.room, other.room)).json()["roomName"] == other.room
    await offer(host, other)
    await accept(other, host)
