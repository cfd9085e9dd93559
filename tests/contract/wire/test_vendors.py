"""The running server and a vendor: users are served through it, and survive it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from qlive_app.fakes import FakeRongCloud, Fault

from .answers import refusal
from .conftest import Launch
from .figures import Figures
from .im_stage import im_settings

CALLS, CIRCUIT = "qlive_vendor_call_seconds_count", "qlive_vendor_circuit_open"


@pytest.fixture
async def cloud() -> AsyncIterator[FakeRongCloud]:
    async with FakeRongCloud() as fake:
        yield fake


async def test_im_tokens_are_the_vendors(launch: Launch, cloud: FakeRongCloud) -> None:
    """A user gets the token with which RongCloud will know him, and the call is counted."""
    stage = await asyncio.to_thread(launch, {"im": im_settings(cloud)})
    person = await stage.person()
    answer = await person.api.post("/v1/im_user_token", "")
    assert list(answer.json()) == ["userID", "token"]
    assert cloud.connect(answer.json()["token"]).user_id == answer.json()["userID"] == person.id
    figures = await Figures.of(stage.api())
    # The system user's, and his.
    assert figures.value(CALLS, vendor="rongcloud", operation="user_token", outcome="ok") == 2
    assert figures.labels(CIRCUIT) == [{"vendor": "rongcloud"}]


async def test_a_vendor_that_does_not_answer(launch: Launch, cloud: FakeRongCloud) -> None:
    """A user hears of it before his app gives up; the secret is in no log, and the server ends as ever."""
    cloud.faults.add(Fault("silent", times=None))
    stage = await asyncio.to_thread(launch, {"im": im_settings(cloud)})
    person = await stage.person()
    started = time.monotonic()
    answer = await person.api.post("/v1/im_user_token", "")
    assert time.monotonic() - started < 7
    refusal(answer, 502, 502001)
    figures = await Figures.of(stage.api())
    assert figures.value(CALLS, vendor="rongcloud", outcome="timeout") >= 1
    assert await asyncio.to_thread(stage.server.terminate) == 0
    assert cloud.keys.secret not in stage.server.log
