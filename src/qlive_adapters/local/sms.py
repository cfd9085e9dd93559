"""The ``test`` SMS provider: codes appear in the log."""

import structlog

from qlive_core.ports.clouds import SmsSender


class LogSmsSender:
    """Writes each code to the log, where the person who tries qlive out can read it.

    The only place where a phone number or a code ever reaches a log in full.
    """

    def __init__(self) -> None:
        self._log = structlog.get_logger("qlive.sms")

    async def send_code(self, phone: str, code: str) -> None:
        """Write the code to the log."""
        self._log.warning("sms code (test provider)", test_phone=phone, test_code=code)


_sender: type[SmsSender] = LogSmsSender
