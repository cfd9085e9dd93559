"""A mail server that does as its first argument says, in JSON; what happens it writes into a file, line by line.

`tls` is "none", "starttls" or "tls", with the files `cert` and `key`; `login` is a user name and a password that
are demanded, also in clear text if `tls` is "none". `answers` holds, by SMTP command, what to say to the next ones
in place of taking them. The answer "hang" is none, and "slow" is to take it after a while.
"""

import asyncio
import json
import logging
import ssl
import sys
import warnings
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Postmaster:
    """What aiosmtpd asks how to answer."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._answers: dict[str, list[str]] = spec["answers"]
        self._out = Path(spec["out"])

    def note(self, event: str, **details: Any) -> None:
        """Write down what happens."""
        with self._out.open("a") as out:
            out.write(json.dumps({"event": event, **details}) + "\n")

    async def _answer(self, command: str) -> str:
        answers = self._answers.get(command)
        if not answers:
            return ""
        answer = answers.pop(0)
        self.note(f"{command} {answer}")
        if answer == "hang":
            await asyncio.sleep(3600)
        if answer == "slow":
            await asyncio.sleep(0.3)
            return ""
        return answer

    async def handle_MAIL(  # noqa: N802 - so called by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a sender."""
        envelope.mail_from = address
        return await self._answer("MAIL") or "250 OK"

    async def handle_RCPT(  # noqa: N802 - so called by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient."""
        answer = await self._answer("RCPT")
        if not answer:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(  # noqa: N802 - so called by aiosmtpd
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        answer = await self._answer("DATA")
        if not answer:
            content = envelope.content
            assert isinstance(content, bytes)
            self.note(
                "mail",
                sender=envelope.mail_from,
                recipients=envelope.rcpt_tos,
                content=content.decode("ascii"),
                peer=session.peer[1] if session.peer else 0,
            )
        return answer or "250 taken"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Let those in who know the password."""
        assert isinstance(data, LoginPassword)
        right = [data.login.decode(), data.password.decode()] == self._spec["login"]
        self.note("login", right=right)
        return AuthResult(success=right, handled=False)


def _tls(spec: dict[str, Any]) -> ssl.SSLContext | None:
    if spec["tls"] == "none":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(spec["cert"], spec["key"])
    return context


async def _serve(spec: dict[str, Any]) -> None:
    loop, postmaster, tls = asyncio.get_running_loop(), Postmaster(spec), _tls(spec)

    def connection() -> SMTP:
        postmaster.note("connection")
        return SMTP(
            postmaster,
            hostname="mail.test",
            tls_context=tls if spec["tls"] == "starttls" else None,
            require_starttls=spec["tls"] == "starttls",
            auth_required=bool(spec["login"]),
            # With TLS from the first byte there is nothing left to require.
            auth_require_tls=spec["tls"] == "starttls",
            authenticator=postmaster.authenticate,
            loop=loop,
        )

    at_once = tls if spec["tls"] == "tls" else None
    server = await loop.create_server(connection, "127.0.0.1", spec["port"], ssl=at_once)
    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    await server.serve_forever()


logging.disable()
warnings.simplefilter("ignore")
asyncio.run(_serve(json.loads(sys.argv[1])))
