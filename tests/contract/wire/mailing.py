"""Feedback that is mailed, and ways to see what became of it."""

import json
from typing import Any

from contract.smtp.mail_server import MailServer

from .figures import Figures
from .server import Settings
from .stage import Person, Stage, eventually

MAILS, WAITING = "qlive_feedback_mails_total", "qlive_feedback_mails_waiting"
HASTY: Settings = {"retry_interval_s": 0.1, "timeout_s": 1}


def mailing(server: MailServer, **changes: Any) -> Settings:
    """Return the settings of a qlive that mails feedback through the server."""
    section = {
        "enabled": True,
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "from": "qlive@example.com",
        "to": ["feedback@example.com"],
    }
    return {"feedback_mail": {**section, **HASTY, **changes}}


async def give(person: Person, content: str) -> str:
    """Give feedback and return its number."""
    answer = await person.api.post("/v1/feedbacks", {"content": content})
    assert answer.status_code == 200, answer.text
    number: str = answer.json()["feedbackID"]
    return number


async def fates(stage: Stage) -> dict[str, float]:
    """Return how many tries came to what."""
    figures = await Figures.of(stage.api())
    return {labels["fate"]: figures.value(MAILS, **labels) for labels in figures.labels(MAILS)}


async def arrived(server: MailServer, number: int, within_s: float = 8.0) -> None:
    """Wait until the server has taken that many mails."""

    async def there() -> bool:
        return len(server.mails) >= number

    await eventually(there, f"{number} mails have arrived", within_s)
    assert len(server.mails) == number


def logged(stage: Stage, level: str, event: str) -> list[dict[str, Any]]:
    """Return what the log says of an event."""
    lines = [json.loads(line) for line in stage.server.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["level"] == level and line["event"].startswith(event)]
