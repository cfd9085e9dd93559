"""Mails as they travel, and what answers to them mean."""

import email
import ssl
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from qlive_adapters.smtp.account import SmtpAccount, trusting
from qlive_adapters.smtp.message import address, message
from qlive_adapters.smtp.verdict import is_for_good, is_for_the_operator
from qlive_core.ports.clouds import Mail

SENDER = address("qlive 直播 <qlive@example.com>")
READERS = (address("a@example.org"), address('"B, C" <b@example.org>'))


def travelled(mail: Mail) -> EmailMessage:
    """Write the mail and read it again."""
    read = email.message_from_bytes(message(mail, SENDER, READERS), policy=SMTP)
    assert isinstance(read, EmailMessage)
    return read


def test_headers() -> None:
    """A mail says from whom, to whom, when and what, has its own id, and wants no automatic answer."""
    read = travelled(Mail("feedback.12.5", "Feedback 12", "text\n", 1783800000.9))
    assert {name: str(value) for name, value in read.items()} == {
        "From": "qlive 直播 <qlive@example.com>",
        "To": 'a@example.org, "B, C" <b@example.org>',
        "Subject": "Feedback 12",
        "Date": "Sat, 11 Jul 2026 20:00:00 +0000",
        "Message-ID": "<feedback.12.5@example.com>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "base64",
    }


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_any_text_travels(text: str) -> None:
    """Whatever users write arrives as it was, in lines that every server takes, and makes no header."""
    sent = message(Mail("id", "subject", text, 0.0), SENDER, READERS)
    assert sent.isascii()
    assert all(len(line) <= 78 for line in sent.split(b"\r\n"))
    read = email.message_from_bytes(sent, policy=SMTP)
    assert read.keys() == travelled(Mail("id", "subject", "", 0.0)).keys()
    payload = read.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n").removesuffix("\n") == text.removesuffix("\n")


@pytest.mark.parametrize(
    ("tls", "port", "at_once", "starttls"),
    [
        ("auto", 25, False, None),
        ("auto", 587, False, None),
        ("auto", 465, True, False),
        ("tls", 25, True, False),
        ("starttls", 465, False, True),
        ("none", 465, False, False),
    ],
)
def test_ways_to_encrypt(tls: str, port: int, at_once: bool, starttls: bool | None) -> None:
    """What was chosen counts; without a choice the port does."""
    account = SmtpAccount(host="mail", port=port, tls=tls, password="hunter2")  # type: ignore[arg-type]
    assert (account.encrypted_at_once, account.starttls) == (at_once, starttls)
    assert "hunter2" not in repr(account)


def test_certificates_are_verified() -> None:
    """Certificates and names are checked, and nothing older than TLS 1.2 is spoken."""
    context = trusting("")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def _caused_by(error: SMTPException, cause: Exception) -> SMTPException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "for_good", "for_the_operator"),
    [
        (SMTPDataError(554, "spam"), True, False),
        (SMTPDataError(451, "later"), False, False),
        (SMTPRecipientsRefused([SMTPRecipientRefused(550, "who?", "a")]), True, False),
        (SMTPRecipientsRefused([SMTPRecipientRefused(c, "", "a") for c in (550, 450)]), False, False),
        (SMTPSenderRefused(550, "not you", "me"), False, True),
        (SMTPSenderRefused(530, "log in first", "me"), False, True),
        (SMTPSenderRefused(451, "later", "me"), False, False),
        (SMTPSenderRefused(552, "too big", "me"), True, True),
        (SMTPAuthenticationError(535, "wrong"), False, True),
        (SMTPException("no STARTTLS"), False, True),
        (_caused_by(SMTPConnectError("x"), ssl.SSLCertVerificationError(1, "x")), False, True),
        (ssl.SSLCertVerificationError(1, "x"), False, True),
        (SMTPConnectError("refused"), False, False),
        (SMTPServerDisconnected("gone"), False, False),
        (TimeoutError(), False, False),
    ],
)
def test_verdicts(error: Exception, for_good: bool, for_the_operator: bool) -> None:
    """What is said of this mail is for good, what is said of us is for the operator, the rest passes."""
    assert (is_for_good(error), is_for_the_operator(error)) == (for_good, for_the_operator)
