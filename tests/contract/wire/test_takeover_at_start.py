"""A server on the database that the original left: no step is needed, and old users find themselves again."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from contract.migration.legacy import an_account, dump, fill_with_sample
from contract.stores.mongod import Mongod

from .command import Ended, qlive
from .conftest import Launch
from .server import SMS_CODE, RunningServer, Settings
from .stage import Person, Stage

NAME = "left_by_the_original"

# Of the sample: whose rooms were stuck, in a PK, in an offer and in nothing.
STUCK = {
    "13800003000": "bqeccpgkm9p2",
    "13800003001": "izyoyp0nofbu",
    "13800003002": "km9360mx8udy",
    "13800003003": "m5us7nqtuodg",
    "13800003004": "qydtv53dsgxs",
}
# Two accounts had this phone, which no log may show.
SHARED_PHONE, ITS_OLDEST = "13700000000", "oldest"
MASKED_PHONE = "137****0000"
LAST_FEEDBACK = 2


@pytest.fixture
def left(standalone: Mongod) -> Iterator[Database[Any]]:
    """What the original left."""
    with standalone.direct() as client:
        client.drop_database(NAME)
        fill_with_sample(client[NAME])
        client[NAME].accounts.insert_many(
            [an_account("younger", SHARED_PHONE, age=8), an_account(ITS_OLDEST, SHARED_PHONE, age=9)]
        )
        yield client[NAME]


@pytest.fixture
def settings(standalone: Mongod) -> Settings:
    """A server on it."""
    return {
        "store": {"provider": "mongo"},
        "mongo": {"uri": standalone.uri, "database": NAME},
        "sms": {"fixed_codes": {SHARED_PHONE: SMS_CODE}},
    }


@pytest.mark.usefixtures("left")
async def test_taken_over_at_the_start(settings: Settings, launch_on: Launch) -> None:
    """Everybody is who he was and is stuck nowhere; feedback goes on; the log tells, once, without a phone."""
    stage = launch_on(settings)
    await everybody_is_back(stage)
    told = lines(stage.server, "taken over from the original")
    assert {(line["what"], line["count"]) for line in told} >= {("active users", 15), ("rooms", 5)}
    assert f"phone {MASKED_PHONE} has several accounts: '{ITS_OLDEST}' is the oldest" in stage.server.log
    assert SHARED_PHONE not in stage.server.log
    await asyncio.to_thread(stage.server.restart)
    assert lines(stage.server, "taken over from the original") == told
    assert (await old_user(stage, *next(iter(STUCK.items())))).nickname == "小明"


async def test_taken_over_beforehand(
    left: Database[Any], settings: Settings, launch_on: Launch, tmp_path: Path
) -> None:
    """The command says first what it would do, and then does it; the server has nothing left to take over."""
    config = RunningServer(tmp_path, settings).config
    before = dump(left)
    dry = await asyncio.to_thread(qlive, "migrate", "-f", config, "--dry-run")
    ended_well(dry, "Dry run: nothing was written.")
    assert dump(left) == before
    done = await asyncio.to_thread(qlive, "migrate", "-f", config)
    ended_well(done, "What was changed or moved is kept in qlive_migration_backup, as run 1.")
    stage = launch_on(settings)
    assert lines(stage.server, "taken over from the original") == []
    await everybody_is_back(stage)


def ended_well(ended: Ended, last_word: str) -> None:
    assert (ended.code, ended.err) == (0, [])
    assert " ".join(ended.out).endswith(last_word)
    assert SHARED_PHONE not in " ".join(ended.out)


async def everybody_is_back(stage: Stage) -> None:
    """Check what the users of the original find."""
    hosts = [await old_user(stage, phone, user_id) for phone, user_id in STUCK.items()]
    first = hosts[0]
    profile = await first.login()
    assert (profile["nickname"], profile["avatar"]) == ("小明", "https://example.com/a.png")
    assert profile["status"] == "idle"
    await old_user(stage, SHARED_PHONE, ITS_OLDEST)
    assert (await first.api.rooms()).json()["rooms"] is None
    for number, host in enumerate(hosts):
        host.room_name = f"老房间 {number}"
        await host.go_live()
    given = await first.api.post("/v1/feedbacks", {"content": "画面又卡住"})
    assert given.json() == {"feedbackID": str(LAST_FEEDBACK + 1)}


async def old_user(stage: Stage, phone: str, user_id: str) -> Person:
    """Log a user of the original in and check that he is who he was."""
    person = Person(stage.server, stage.api(), phone)
    await person.login()
    assert person.id == user_id
    return person


def lines(server: RunningServer, event: str) -> list[dict[str, Any]]:
    """Return the lines of the log that tell of such an event."""
    told = [json.loads(line) for line in server.log.splitlines()]
    return [line for line in told if line["event"] == event]
