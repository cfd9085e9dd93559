"""A mail as it travels (RFC 5322)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from qlive_core.ports.clouds import Mail


def address(text: str) -> Address:
    """Return an address that is written with or without a name: ``Ann <ann@example.com>``."""
    name, spec = parseaddr(text)
    return Address(display_name=name, addr_spec=spec)


def message(mail: Mail, sender: Address, recipients: Sequence[Address]) -> bytes:
    """Return the mail to the byte.

    The text is always in Base64: no line of it is too long, and no character too odd, for any server.
    """
    written = EmailMessage(policy=SMTP)
    written["From"] = sender
    written["To"] = recipients
    written["Subject"] = mail.subject
    written["Date"] = datetime.fromtimestamp(mail.written_at, UTC)
    written["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    written["Auto-Submitted"] = "auto-generated"  # or somebody's holiday notice would answer (RFC 3834)
    written.set_content(mail.text, charset="utf-8", cte="base64")
    return written.as_bytes()
