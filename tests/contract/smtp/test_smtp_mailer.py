"""The mailer against a real mail server: taken, refused, put off, encrypted, and never waited for too long."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from qlive_adapters.smtp import SmtpAccount, SmtpMailer
from qlive_core.errors import MailRefused, ProviderUnavailable, QliveError
from qlive_core.ports.clouds import Mail

from .mail_server import LOGIN, Certificates, MailServer, text_of

SENDER, READERS = "qlive <qlive@example.com>", ("a@example.org", "B <b@example.org>")
MAIL = Mail("feedback.1.5", "Feedback 1", "画面卡住\n.\n..\nQUIT\n" + "long " * 500 + "\n", 1783800000.0)
LOGGED_IN = {"username": LOGIN[0], "password": LOGIN[1]}
ENCRYPTED = ("starttls", "tls")


def mailer(server: MailServer, **details: Any) -> SmtpMailer:
    """Return a mailer for the server."""
    account = SmtpAccount(host="127.0.0.1", port=server.port, **{"timeout_s": 5, **details})
    return SmtpMailer(account, sender=SENDER, recipients=READERS)


async def deliver(mailer: SmtpMailer, *mails: Mail) -> list[type[QliveError] | None]:
    """Send the mails over one connection; return with what each failed, if it did."""
    results: list[type[QliveError] | None] = []
    try:
        async with mailer.connected() as line:
            for mail in mails or (MAIL,):
                results.append(None)
                try:
                    await line.send(mail)
                except QliveError as error:
                    results[-1] = type(error)
    except ProviderUnavailable:
        return [ProviderUnavailable]
    return results


def login_of(server: MailServer) -> list[str]:
    """Return what the server saw of logins."""
    return [event for event in server.events if event == "login"]


async def test_taken(mail_server: MailServer) -> None:
    """A mail arrives as it was written, for all its readers."""
    mail_server.start()
    assert await deliver(mailer(mail_server)) == [None]
    [received] = mail_server.mails
    assert (received.sender, received.recipients) == ("qlive@example.com", ["a@example.org", "b@example.org"])
    assert text_of(received.mail) == MAIL.text
    assert received.mail["Subject"] == "Feedback 1"
    assert received.mail["Message-ID"] == "<feedback.1.5@example.com>"


async def test_many_over_one_connection(mail_server: MailServer) -> None:
    """Mails that are sent together share a connection; one that is refused does not disturb the next."""
    mail_server.start(answers={"DATA": ["554 5.6.0 no"]})
    assert await deliver(mailer(mail_server), MAIL, MAIL, MAIL) == [MailRefused, None, None]
    assert len({received.peer for received in mail_server.mails}) == 1
    assert mail_server.events.count("connection") == 1


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"RCPT": ["451 4.7.1 come back later"] * 2}, ProviderUnavailable),
        ({"RCPT": ["550 5.1.1 who?"] * 2}, MailRefused),
        ({"RCPT": ["550 5.1.1 who?", "451 4.7.1 come back later"]}, ProviderUnavailable),
        ({"RCPT": ["550 5.1.1 who?"]}, None),
        ({"DATA": ["452 4.3.1 full"]}, ProviderUnavailable),
        ({"DATA": ["552 5.3.4 too big"]}, MailRefused),
        ({"MAIL": ["550 5.7.1 not you"]}, ProviderUnavailable),
        ({"MAIL": ["421 4.3.2 closing"]}, ProviderUnavailable),
    ],
)
async def test_answers(
    mail_server: MailServer, answers: dict[str, list[str]], expected: type[QliveError] | None
) -> None:
    """What the server says of readers and content in the long run ends it; everything else may pass.

    A mail that one reader gets is sent.
    """
    mail_server.start(answers=answers)
    assert await deliver(mailer(mail_server)) == [expected]
    assert await deliver(mailer(mail_server)) == [None]
    assert mail_server.mails[-1].recipients == ["a@example.org", "b@example.org"]


async def test_nobody_there(mail_server: MailServer) -> None:
    """A server that does not run is not available; as soon as it runs, it is."""
    assert await deliver(mailer(mail_server)) == [ProviderUnavailable]
    mail_server.start()
    assert await deliver(mailer(mail_server)) == [None]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_killed_in_the_middle(mail_server: MailServer, command: str) -> None:
    """A server that dies in a transaction has taken nothing; the same mail is taken by the next life."""
    mail_server.start(answers={command: ["hang"]})
    sending = asyncio.create_task(deliver(mailer(mail_server)))
    await asyncio.to_thread(mail_server.until, f"{command} hang")
    await asyncio.to_thread(mail_server.kill)
    assert await sending == [ProviderUnavailable]
    mail_server.start()
    assert await deliver(mailer(mail_server)) == [None]
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_no_answer(mail_server: MailServer, command: str) -> None:
    """A server that does not answer is given up when the time is over, and the connection with it."""
    mail_server.start(answers={command: ["hang"]})
    started = time.monotonic()
    results = await deliver(mailer(mail_server, timeout_s=0.5), MAIL, MAIL)
    assert results == [ProviderUnavailable, ProviderUnavailable]
    assert 0.5 <= time.monotonic() - started < 2
    assert mail_server.mails == []


@pytest.mark.parametrize("tls", ["none", "tls"])
async def test_no_greeting(tls: str) -> None:
    """A port on which nobody speaks costs no more time than the connection may take."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account = SmtpAccount(host="127.0.0.1", port=silent.getsockname()[1], tls=tls, timeout_s=0.4)  # type: ignore[arg-type]
        started = time.monotonic()
        silence = SmtpMailer(account, sender=SENDER, recipients=READERS)
        assert await deliver(silence) == [ProviderUnavailable]
    assert time.monotonic() - started < 2


async def test_cancelled(mail_server: MailServer) -> None:
    """Who is stopped while the server hangs is stopped at once, and leaves no connection behind."""
    mail_server.start(answers={"DATA": ["hang"]})
    sending = asyncio.create_task(deliver(mailer(mail_server, timeout_s=60)))
    await asyncio.to_thread(mail_server.until, "DATA hang")
    sending.cancel()
    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("offered", ENCRYPTED)
async def test_encrypted(mail_server: MailServer, certificates: Certificates, offered: str) -> None:
    """Both ways of TLS work, with a login, against a certificate of an authority that is trusted."""
    mail_server.start(tls=offered, login=LOGIN, **certificates.issue("127.0.0.1"))
    trusting = {"ca_file": str(certificates.authority), **LOGGED_IN}
    assert await deliver(mailer(mail_server, tls=offered, **trusting), MAIL, MAIL) == [None, None]
    if offered == "starttls":
        assert await deliver(mailer(mail_server, tls="auto", **trusting)) == [None]


@pytest.mark.parametrize("offered", ENCRYPTED)
@pytest.mark.parametrize("fault", ["authority", "name", "age"])
async def test_not_to_be_trusted(
    mail_server: MailServer, certificates: Certificates, offered: str, fault: str
) -> None:
    """No word is said, least of all the password, to a server whose certificate does not prove who it is."""
    names = ["mail.elsewhere.test"] if fault == "name" else ["127.0.0.1"]
    yesterday = datetime.now(UTC) - timedelta(days=1)
    details = {"not_after": yesterday} if fault == "age" else {}
    mail_server.start(tls=offered, login=LOGIN, **certificates.issue(*names, **details))
    ca_file = "" if fault == "authority" else str(certificates.authority)
    for tls in {offered, "auto"} if offered == "starttls" else {offered}:
        with structlog.testing.capture_logs() as log:
            untrusting = mailer(mail_server, tls=tls, ca_file=ca_file, **LOGGED_IN)
            assert await deliver(untrusting) == [ProviderUnavailable]
        assert [line["log_level"] for line in log] == ["error"]
    assert (login_of(mail_server), mail_server.mails) == ([], [])


async def test_encryption_is_insisted_on(mail_server: MailServer) -> None:
    """A server that offers no encryption, or somebody on the way who hides that it does, gets no mail."""
    mail_server.start()
    for tls in ENCRYPTED:
        assert await deliver(mailer(mail_server, tls=tls)) == [ProviderUnavailable]
    assert mail_server.mails == []


async def test_no_password_in_clear_text(mail_server: MailServer) -> None:
    """Without encryption there is no login, unless it was chosen by name."""
    mail_server.start(login=LOGIN)
    with structlog.testing.capture_logs() as log:
        assert await deliver(mailer(mail_server, **LOGGED_IN)) == [ProviderUnavailable]
    assert ([line["log_level"] for line in log], login_of(mail_server)) == (["error"], [])
    assert await deliver(mailer(mail_server, tls="none", **LOGGED_IN)) == [None]
    assert login_of(mail_server) == ["login"]


@pytest.mark.parametrize("wrong", [{}, {"username": LOGIN[0], "password": "hunter2-is-wrong"}])
async def test_not_let_in(mail_server: MailServer, certificates: Certificates, wrong: dict[str, str]) -> None:
    """A login that fails, or is missing, keeps the mail waiting and is told the operator without the password."""
    mail_server.start(tls="starttls", login=LOGIN, **certificates.issue("127.0.0.1"))
    with structlog.testing.capture_logs() as log:
        strange = mailer(mail_server, ca_file=str(certificates.authority), **wrong)
        assert await deliver(strange) == [ProviderUnavailable]
    assert [line["log_level"] for line in log] == ["error"]
    assert "hunter2" not in str(log)
    assert mail_server.mails == []
