"""The running server and a vendor: users are served through it, and survive it."""

import time

from contract.clouds.rongcloud_stand_in import APP_KEY, APP_SECRET, stand_in
from contract.outgoing.misbehaving import hang

from .answers import refusal
from .conftest import Launch
from .figures import Figures
from .server import Settings

CALLS, CIRCUIT = "qlive_vendor_call_seconds_count", "qlive_vendor_circuit_open"


def with_rongcloud(url: str) -> Settings:
    """Return the settings that lead to whoever plays RongCloud there."""
    keys = {"app_key": APP_KEY, "app_secret": APP_SECRET, "api_hosts": [url]}
    return {"im": {"provider": "rongcloud", "rongcloud": keys}}


async def test_im_tokens_are_the_vendors(launch: Launch) -> None:
    """A user gets the token with which RongCloud will know him, and the call is counted."""
    async with stand_in() as rongcloud:
        stage = launch(with_rongcloud(rongcloud.url))
        person = await stage.person()
        answer = await person.api.post("/v1/im_user_token", "")
        assert answer.json() == {"userID": person.id, "token": f"token of {person.id}@cn.example.com"}
        figures = await Figures.of(stage.api())
    assert (
        figures.value(CALLS, vendor="rongcloud", operation="user_token", outcome="ok") == 2
    )  # the system user's, and his
    assert figures.labels(CIRCUIT) == [{"vendor": "rongcloud"}]


async def test_a_vendor_that_does_not_answer(launch: Launch) -> None:
    """A user hears of it before his app gives up; the secret is in no log, and the server ends as ever."""
    async with stand_in() as rongcloud:
        rongcloud.usual = hang
        stage = launch(with_rongcloud(rongcloud.url))
        person = await stage.person()
        started = time.monotonic()
        answer = await person.api.post("/v1/im_user_token", "")
        assert time.monotonic() - started < 7
        refusal(answer, 502, 502001)
        figures = await Figures.of(stage.api())
        assert figures.value(CALLS, vendor="rongcloud", outcome="timeout") >= 1
        assert stage.server.terminate() == 0
        assert APP_SECRET not in stage.server.log
