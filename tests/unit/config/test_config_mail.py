"""What it takes to mail feedback."""

import json
from pathlib import Path
from typing import Any

import pytest

from qlive_app.config import ConfigError, Loaded, read_settings

GOOD: dict[str, Any] = {
    "enabled": True,
    "smtp_host": "smtp.example.com",
    "from": "qlive@example.com",
    "to": ["Feedback <feedback@example.com>", "o'hara+live@example.co.uk", '"反馈, qlive" <f@x.cn>'],
}


def load(changes: dict[str, Any], **environ: str) -> Loaded:
    """Read a configuration whose mail section is good but for the changes."""
    return read_settings(json.dumps({"feedback_mail": GOOD | changes}), environ, source="qlive.conf")


def problems(changes: dict[str, Any]) -> list[str]:
    """Return the paths of what is wrong."""
    with pytest.raises(ConfigError) as caught:
        load(changes)
    return sorted(problem.path.removeprefix("feedback_mail.") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("changes", "environ"),
    [
        ({}, {}),
        ({"smtp_host": "::1", "smtp_port": 465, "tls": "tls"}, {}),
        ({"smtp_host": "localhost", "from": "root@localhost"}, {}),
        ({"username": "me", "password": "hunter2"}, {}),
        ({"username": "me"}, {"QLIVE_SMTP_PASSWORD": "hunter2"}),
    ],
)
def test_good(changes: dict[str, Any], environ: dict[str, str]) -> None:
    """Enough, and nothing to be warned of."""
    loaded = load(changes, **environ)
    assert loaded.settings.feedback_mail.enabled
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"smtp_host": "", "from": "", "to": []}, ["from", "smtp_host", "to"]),
        ({"smtp_host": "smtp://example.com"}, ["smtp_host"]),
        ({"smtp_host": "example.com:25"}, ["smtp_host"]),
        ({"from": "qlive"}, ["from"]),
        ({"from": "qlive@exämple.com"}, ["from"]),
        ({"to": ["a@example.com", "b at example.com"]}, ["to"]),
        ({"to": ["a@example.com, b@example.com"]}, ["to"]),
        ({"to": ["<a@example.com> <b@example.com>"]}, ["to"]),
        ({"to": ["B, C <b@example.com>"]}, ["to"]),
        ({"username": "me"}, ["password"]),
        ({"ca_file": "/nowhere/ca.pem"}, ["ca_file"]),
        ({"tls": "ssl"}, ["tls"]),
        ({"timeout_s": 0}, ["timeout_s"]),
    ],
)
def test_bad(changes: dict[str, Any], paths: list[str]) -> None:
    """Each problem is named by its key."""
    assert problems(changes) == paths
    assert load({**changes, "enabled": False, "tls": "auto", "timeout_s": 20}).warnings == ()


def test_a_file_without_certificates(tmp_path: Path) -> None:
    """A file that holds no certificate is refused before it is needed."""
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    assert problems({"ca_file": str(file)}) == ["ca_file"]


def test_a_password_in_clear_text() -> None:
    """A password that is to travel unencrypted is worth a warning."""
    (warning,) = load({"username": "me", "password": "hunter2", "tls": "none"}).warnings
    assert warning.path == "feedback_mail.tls"
    assert "hunter2" not in str(warning)
