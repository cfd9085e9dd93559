"""A real mail server on a free port, in a process of its own."""

import email
import json
import subprocess
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import attrs
import trustme

from qlive_app.children import free_ports

PATIENCE_S = 30.0
LOGIN = ("qlive", "a-password-to-be-kept")


@attrs.frozen
class Received:
    """A mail as the server took it: the envelope, what was in it, and the port it was brought from."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    peer: int


class Certificates:
    """A private authority, in files, and certificates of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._authority = trustme.CA()
        self.authority = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.authority))

    def issue(self, *names: str, **details: Any) -> dict[str, str]:
        """Return the files of a new certificate for these names."""
        issued = self._authority.issue_cert(*names, **details)
        number = len(list(self._folder.iterdir()))
        cert, key = self._folder / f"cert{number}.pem", self._folder / f"key{number}.pem"
        cert.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return {"cert": str(cert), "key": str(key)}


class MailServer:
    """One server; stays on its port over all its lives. It is not started at first."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out = folder / "happened.jsonl"
        self._process: subprocess.Popen[str] | None = None
        (self.port,) = free_ports(1)

    def start(self, **changes: Any) -> "MailServer":
        """Start it, and return when it listens; for ``changes`` see the child."""
        spec = {
            "port": self.port,
            "out": str(self._out),
            "tls": "none",
            "login": None,
            "answers": {},
            **changes,
        }
        child = Path(__file__).with_name("mail_server_child.py")
        self._process = subprocess.Popen(
            [sys.executable, child, json.dumps(spec)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def kill(self) -> None:
        """End it with SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def restart(self, **changes: Any) -> None:
        """Kill it and start it anew."""
        self.kill()
        self.start(**changes)

    @property
    def events(self) -> list[str]:
        """What has happened so far."""
        return [line["event"] for line in self._lines()]

    @property
    def mails(self) -> list[Received]:
        """The mails that it has taken so far."""
        return [
            Received(line["sender"], line["recipients"], _read(line["content"]), line["peer"])
            for line in self._lines()
            if line["event"] == "mail"
        ]

    def until(self, event: str) -> None:
        """Return as soon as this has happened."""
        give_up_at = time.monotonic() + PATIENCE_S
        while event not in self.events:
            assert time.monotonic() < give_up_at, f"no {event} among {self.events}"
            time.sleep(0.02)

    def _lines(self) -> list[dict[str, Any]]:
        if not self._out.exists():
            return []
        # The last line may just be being written.
        return [
            json.loads(line) for line in self._out.read_text().splitlines(keepends=True) if line[-1] == "\n"
        ]


def text_of(mail: EmailMessage) -> str:
    """Return what a reader reads."""
    text: str = mail.get_content()
    return text.replace("\r\n", "\n")


def _read(content: str) -> EmailMessage:
    read = email.message_from_string(content, policy=SMTP)
    assert isinstance(read, EmailMessage)
    return read
