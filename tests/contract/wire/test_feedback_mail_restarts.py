"""Feedback by mail, over the ends of qlive: what was answered arrives, whatever became of whoever answered it."""

import asyncio
import time
from collections.abc import Callable

import pytest

from contract.smtp.mail_server import MailServer

from .conftest import Launch
from .figures import Figures
from .mailing import WAITING, arrived, give, logged, mailing
from .stage import Stage, eventually

# How long a mail is left to whoever took it: as long as the server may take, and the time to note it.
TAKEN_FOR_S = 1 + 5


async def test_the_server_comes_late(launch: Launch, mail_server: MailServer) -> None:
    """What was given while no mail server ran waits, over a kill of qlive too, and arrives once, in order."""
    stage = launch(mailing(mail_server, retry_times=1000))
    person = await stage.person()
    for number in range(1, 4):
        await give(person, f"text {number}")
    stage.server.kill()
    mail_server.start()
    await asyncio.to_thread(stage.server.restart)
    await arrived(mail_server, 3)
    subjects = [received.mail["Subject"] for received in mail_server.mails]
    assert sorted(subjects) == ["Feedback 1", "Feedback 2", "Feedback 3"]

    async def none_waits() -> bool:
        return (await Figures.of(stage.api())).value(WAITING) == 0

    await eventually(none_waits, "nothing waits any more")


def _kill(stage: Stage) -> None:
    stage.server.kill()


def _stop(stage: Stage) -> None:
    started = time.monotonic()
    assert stage.server.terminate() == 0
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("end", [_kill, _stop])
async def test_ended_while_mailing(
    launch: Launch, mail_server: MailServer, end: Callable[[Stage], None]
) -> None:
    """Of a mail that was on its way when qlive ended, the next life takes care, and of those behind it."""
    mail_server.start(answers={"DATA": ["hang"]})
    stage = launch(mailing(mail_server, timeout_s=1))
    person = await stage.person()
    await give(person, "first")
    await asyncio.to_thread(mail_server.until, "DATA hang")
    await give(person, "second")
    await asyncio.to_thread(end, stage)
    mail_server.restart()
    await asyncio.to_thread(stage.server.start)
    await arrived(mail_server, 2, within_s=TAKEN_FOR_S + 8)
    assert {received.mail["Subject"] for received in mail_server.mails} == {"Feedback 1", "Feedback 2"}


async def test_stopped_while_mailing(launch: Launch, mail_server: MailServer) -> None:
    """A stop leaves the mail that is on its way the moment that it takes; no mail is sent twice, none is lost."""
    mail_server.start(answers={"DATA": ["slow"] * 8})
    stage = launch(mailing(mail_server))
    person = await stage.person()
    await asyncio.gather(*(give(person, f"text {number}") for number in range(8)))
    await asyncio.to_thread(mail_server.until, "mail")
    assert await asyncio.to_thread(stage.server.terminate) == 0
    assert len(mail_server.mails) < 8
    assert len(logged(stage, "info", "feedback mailed")) == len(mail_server.mails)
    await asyncio.to_thread(stage.server.start)
    await arrived(mail_server, 8)
    assert len({received.mail["Message-ID"] for received in mail_server.mails}) == 8
