"""Feedback by mail: what arrives, what is told when it does not, and that nobody waits for it."""

import asyncio
import time
from pathlib import Path

import pytest

from contract.smtp.mail_server import LOGIN, Certificates, MailServer, text_of

from .conftest import Launch
from .figures import Figures
from .mailing import WAITING, arrived, fates, give, logged, mailing
from .stage import eventually


async def test_mailed(launch: Launch, mail_server: MailServer) -> None:
    """A mail says who wrote what, without a phone number, and the figures and the log know of it."""
    mail_server.start()
    stage = launch(mailing(mail_server))
    person = await stage.person()
    number = await give(person, "画面卡住\r\nBcc: victim@example.org\r\n\r\n.\r\n")
    await arrived(mail_server, 1)
    [received] = mail_server.mails
    assert (received.sender, received.recipients) == ("qlive@example.com", ["feedback@example.com"])
    assert (received.mail["Subject"], received.mail["Bcc"]) == (f"Feedback {number}", None)
    text = text_of(received.mail)
    for said in (person.id, person.nickname, f"{person.phone[:3]}****{person.phone[-4:]}", "画面卡住\nBcc"):
        assert said in text
    assert person.phone not in text

    async def noted() -> bool:
        return await fates(stage) == {"sent": 1} and bool(logged(stage, "info", "feedback mailed"))

    await eventually(noted, "the mail is counted and logged")
    assert (await Figures.of(stage.api())).value(WAITING) == 0


async def test_nobody_waits(launch: Launch, mail_server: MailServer) -> None:
    """While the mail server hangs, feedback is answered at once, and qlive is ready."""
    mail_server.start(answers={"DATA": ["hang"] * 9})
    stage = launch(mailing(mail_server, timeout_s=60))
    person = await stage.person()
    await give(person, "first")
    await asyncio.to_thread(mail_server.until, "DATA hang")
    started = time.monotonic()
    assert await give(person, "second") == "2"
    assert time.monotonic() - started < 0.5
    assert (await stage.api().get("/readyz")).status_code == 200


async def test_greylisted(launch: Launch, mail_server: MailServer) -> None:
    """A mail that the server wants later is brought later."""
    mail_server.start(answers={"RCPT": ["451 4.7.1 come back later"] * 2})
    stage = launch(mailing(mail_server))
    await give(await stage.person(), "text")
    await arrived(mail_server, 1)

    async def counted() -> bool:
        return await fates(stage) == {"put_off": 2, "sent": 1}

    await eventually(counted, "all three tries are counted")


async def test_refused(launch: Launch, mail_server: MailServer) -> None:
    """A mail that the server will never take is told the operator by its number; the next one arrives."""
    mail_server.start(answers={"DATA": ["554 5.6.0 no such words here"]})
    stage = launch(mailing(mail_server))
    person = await stage.person()
    await give(person, "rude")
    await give(person, "polite")
    await arrived(mail_server, 1)
    assert "polite" in text_of(mail_server.mails[0].mail)
    [error] = logged(stage, "error", "feedback not mailed")
    assert (error["feedback"], error["tries"]) == (1, 1)
    assert (await fates(stage))["refused"] == 1


async def test_given_up(launch: Launch, mail_server: MailServer) -> None:
    """A mail that failed as often as is allowed is told the operator by its number, and qlive is as ready as ever."""
    mail_server.start(answers={"DATA": ["451 4.7.1 later"] * 9})
    stage = launch(mailing(mail_server, retry_times=2))
    await give(await stage.person(), "text")

    async def given_up() -> bool:
        return await fates(stage) == {"put_off": 2, "given_up": 1}

    await eventually(given_up, "the mail is given up")
    [error] = logged(stage, "error", "feedback not mailed")
    assert (error["feedback"], error["tries"]) == (1, 3)
    assert (await stage.api().get("/readyz")).status_code == 200
    stage.server.restart()
    mail_server.restart()
    await give(await stage.person(), "another")
    await arrived(mail_server, 1)
    assert "another" in text_of(mail_server.mails[0].mail)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_encrypted(launch: Launch, mail_server: MailServer, tmp_path: Path, tls: str) -> None:
    """With TLS and a login the mail arrives if the server proves who it is, else the operator hears why it waits.

    The password is in no log.
    """
    certificates = Certificates(tmp_path / "certificates")
    trusted = {"tls": tls, "username": LOGIN[0], "password": LOGIN[1], "ca_file": str(certificates.authority)}
    mail_server.start(tls=tls, login=LOGIN, **certificates.issue("mail.elsewhere.test"))
    stage = launch(mailing(mail_server, **trusted, retry_times=1000))
    await give(await stage.person(), "text")

    async def told() -> bool:
        return bool(logged(stage, "error", "mail server cannot be used"))

    await eventually(told, "the operator is told")
    assert "login" not in mail_server.events
    mail_server.restart(tls=tls, login=LOGIN, **certificates.issue("127.0.0.1"))
    await arrived(mail_server, 1)
    assert LOGIN[1] not in stage.server.log
