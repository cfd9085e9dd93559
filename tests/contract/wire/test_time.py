"""The process is stopped for a while, or the machine's clock is set between two lives: nobody loses anything."""

import asyncio
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import SHORT_TIMES, Launch
from .stage import eventually, fresh_phone, offer

STOPPED_S = 4.0
"""Longer than every time that users have on that server, and than a pause must last to be one."""
HOUR_S = 3600.0


async def test_a_process_that_was_stopped_hears_what_was_said_meanwhile(launch: Launch) -> None:
    """Pongs and polls lie in the sockets; whoever gave them is there, and so is who could not be served."""
    stage = launch(SHORT_TIMES)
    host, opponent = await stage.fighting()
    poller = await stage.person()
    await poller.api.enter_room(host.room)
    asking = await stage.host()
    for person in (host, opponent, asking):
        await person.signal.send("pong")
    os.kill(stage.server.pid, signal.SIGSTOP)
    try:
        for person in (host, opponent, asking):
            await person.signal.send("pong")
        polled = asyncio.create_task(poller.api.get(f"/v1/rooms/{host.room}"))
        await asyncio.sleep(
            STOPPED_S
        )  # what this test is about: time that passes while nobody can do anything
    finally:
        os.kill(stage.server.pid, signal.SIGCONT)
    seen = (await polled).json()
    assert (seen["status"], seen["audienceNumber"]) == ("PK", 1)
    assert (await host.signal.call("end-pk", pkRoomID=opponent.room))["code"] == 0
    assert await opponent.signal.expect("on-pk-end") == {"pkRoomID": opponent.room}
    await offer(asking, host)


@pytest.mark.parametrize("set_by_s", [-HOUR_S, HOUR_S])
async def test_the_clock_is_set_between_two_lives(set_by_s: float, launch: Launch) -> None:
    """Rooms are kept, offers end in time, phones are sent codes, and logins are good."""
    stage = launch({"signaling": {"pk_request_timeout_s": 6}, "sms": {"resend_interval_s": 1}})
    proposer, target = await stage.offered()
    phone = fresh_phone()
    assert (await stage.api().send_sms_code(phone)).status_code == 200
    stage.server.kill()
    # That the clock was set is the same as that all stored times are wrong by as much, the other way.
    _shift(stage.server.config.with_name("qlive.db"), -set_by_s)
    await asyncio.to_thread(stage.server.start)
    for person in (proposer, target):
        await person.connect()
    for one, other in ((proposer, target), (target, proposer)):
        assert (await one.signal.expect("on-pk-timeout"))["pkRoomID"] == other.room
    await offer(target, proposer)

    async def is_sent_a_code() -> bool:
        return (await stage.api().send_sms_code(phone)).status_code == 200

    await eventually(is_sent_a_code, "the phone is limited by what it was sent, and not for an hour")


def _shift(database: Path, seconds: float) -> None:
    """Move all times that the database holds."""
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if kind == "REAL":
                    connection.execute(f"UPDATE {table} SET {column} = {column} + ?", (seconds,))
        for phone, sent_at in connection.execute("SELECT phone, sent_at FROM sms_code").fetchall():
            moved = [at + seconds for at in json.loads(sent_at)]
            connection.execute("UPDATE sms_code SET sent_at = ? WHERE phone = ?", (json.dumps(moved), phone))
