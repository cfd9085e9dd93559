"""Mail servers and certificates for the tests of the mailer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .mail_server import Certificates, MailServer


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    """A mail server that is still to be started."""
    server = MailServer(tmp_path / "mail")
    yield server
    server.kill()
