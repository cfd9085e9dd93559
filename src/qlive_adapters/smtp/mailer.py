"""Mail through a mail server."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from email.headerregistry import Address
from typing import cast

import structlog
from aiosmtplib import SMTP, SMTPException
from attrs import frozen

from qlive_adapters.smtp.account import SmtpAccount, trusting
from qlive_adapters.smtp.message import address, message
from qlive_adapters.smtp.verdict import is_for_good, is_for_the_operator
from qlive_core.errors import MailRefused, ProviderUnavailable
from qlive_core.ports.clouds import Mail, Mailer, MailLine

_GOODBYE_S = 1.0
_TEXT_MAX = 300

_log = structlog.get_logger("qlive.mail")


class SmtpMailer:
    """Implements Mailer: mails from ``sender`` to ``recipients``, addresses with or without a name."""

    def __init__(self, account: SmtpAccount, *, sender: str, recipients: Sequence[str]) -> None:
        """Raises OSError if the account's ``ca_file`` cannot be read."""
        self._account = account
        self._tls = trusting(account.ca_file)
        self._sender = address(sender)
        self._recipients = tuple(map(address, recipients))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[MailLine]:
        """As Mailer.connected."""
        smtp = self._client()
        transport = None
        try:
            with _translated("mail server cannot be used", smtp):
                async with asyncio.timeout(self._account.timeout_s):
                    await smtp.connect()
                    transport = smtp.transport
                    await self._log_in(smtp)
            yield _SmtpLine(smtp, self._sender, self._recipients, self._account.timeout_s)
            with suppress(SMTPException, OSError):
                async with asyncio.timeout(_GOODBYE_S):
                    await smtp.quit()
        finally:
            smtp.close()
            _hang_up(transport)

    def _client(self) -> SMTP:
        account = self._account
        return SMTP(
            hostname=account.host,
            port=account.port,
            use_tls=account.encrypted_at_once,
            start_tls=account.starttls,
            tls_context=self._tls,
            # The library's default asks the name service for our name, in a thread that nobody can cancel.
            local_hostname=self._sender.domain,
            timeout=account.timeout_s,
        )

    async def _log_in(self, smtp: SMTP) -> None:
        account = self._account
        if not account.username:
            return
        if account.tls != "none" and smtp.get_transport_info("sslcontext") is None:
            raise SMTPException("no login without encryption, and the server offers none")
        await smtp.login(account.username, account.password)


@frozen
class _SmtpLine:
    """Implements MailLine."""

    smtp: SMTP
    sender: Address
    recipients: tuple[Address, ...]
    timeout_s: float

    async def send(self, mail: Mail) -> None:
        """As MailLine.send."""
        content = message(mail, self.sender, self.recipients)
        readers = [recipient.addr_spec for recipient in self.recipients]
        with _translated("mail not taken", self.smtp, mail=mail.id):
            async with asyncio.timeout(self.timeout_s):
                unreached, _ = await self.smtp.sendmail(self.sender.addr_spec, readers, content)
        for reader, answer in unreached.items():
            # To try again would be to send the mail twice to all others.
            _log.error(
                "mail not taken for one of its readers", mail=mail.id, reader=reader, error=str(answer)
            )


@contextmanager
def _translated(event: str, smtp: SMTP, **context: str) -> Iterator[None]:
    """Log what goes wrong and raise it as the ports know it.

    A connection on which something was broken off is closed: a later word would be taken for a part of it.
    """
    try:
        yield
    except (SMTPException, OSError) as error:
        if isinstance(error, OSError):  # also the library's own, of time-outs and lost connections
            smtp.close()
        refused = is_for_good(error)
        tell = _log.error if refused or is_for_the_operator(error) else _log.warning
        tell(event, error=repr(error)[:_TEXT_MAX], **context)
        raise (MailRefused() if refused else ProviderUnavailable("mail")) from error
    except BaseException:
        smtp.close()
        raise


def _hang_up(transport: asyncio.BaseTransport | None) -> None:
    """Do not wait for the other side to say goodbye in TLS as well: it may have nothing to say for half a minute."""
    if transport is not None:
        cast("asyncio.Transport", transport).abort()


_mailer: type[Mailer] = SmtpMailer
