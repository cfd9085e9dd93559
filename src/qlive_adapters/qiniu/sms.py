"""Login codes by short message.

Source: the vendor's page on sending, and its Go SDK, whose body the original sent. Of refusals only the shape
``{"error": code, "message": text}`` is known; what the statuses mean is what other integrations saw.
"""

import re

import structlog

from qlive_adapters.outgoing import Answer, CallFailed, Operation, Outcome, Unsuccessful, Vendor
from qlive_adapters.qiniu.api import is_success, post, refusal, vendors_words
from qlive_core.errors import SmsCodeLimited
from qlive_core.model.sms import masked_phone
from qlive_core.ports.clouds import SmsSender

_TOO_OFTEN = re.compile(r"frequen|too many|too often", re.IGNORECASE)
_CLOCK_IS_OFF = re.compile(r"skew", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{4,}")


class QiniuSms:
    """Sends by a template that has a variable ``code``; ``signature_id`` may be empty if the template has one.

    A message is sent or given up within ``budget_s`` seconds; users wait for that, and apps for ten at most.
    """

    def __init__(self, vendor: Vendor, *, template_id: str, signature_id: str, budget_s: float = 6.0) -> None:
        self._vendor = vendor
        # Each accepted request sends and bills a message, so what may have been accepted is not sent again.
        self._send = Operation("send_code", idempotent=False, budget_s=budget_s)
        self._template_id = template_id
        self._signature_id = signature_id
        self._log = structlog.get_logger("qlive.sms")

    async def send_code(self, phone: str, code: str) -> None:
        """Have the code sent, as SmsSender tells."""
        body: dict[str, object] = {"signature_id": self._signature_id} if self._signature_id else {}
        body |= {"template_id": self._template_id, "mobiles": [phone], "parameters": {"code": code}}
        reading = _Reading()
        try:
            await self._vendor.call(self._send, post("/v1/message", body), reading)
        except CallFailed as failure:
            if failure.outcome is Outcome.LIMITED:
                raise SmsCodeLimited from failure
            if failure.maybe_done and not reading.is_answered:
                self._log.warning("text message may or may not arrive", phone=masked_phone(phone))
                return
            if failure.outcome is Outcome.REFUSED:
                self._log.error(
                    "text messages are refused: check sms.qiniu_sms and this machine's clock",
                    vendor_code=failure.vendor_code,
                )
            raise


class _Reading:
    """Reads the answer, and remembers that there was one."""

    def __init__(self) -> None:
        self.is_answered = False

    def __call__(self, answer: Answer) -> None:
        self.is_answered = True
        if is_success(answer):
            return
        if _is_too_often(answer):
            raise Unsuccessful(Outcome.LIMITED, str(answer.status))
        failure = refusal(answer)
        # The vendor may quote the phone that it does not like.
        raise Unsuccessful(failure.outcome, _DIGITS.sub("...", failure.code))


def _is_too_often(answer: Answer) -> bool:
    words = vendors_words(answer)
    if answer.status == 403:
        return not _CLOCK_IS_OFF.search(words)
    return answer.status == 429 or (answer.status == 400 and _TOO_OFTEN.search(words) is not None)


_sender: type[SmsSender] = QiniuSms
