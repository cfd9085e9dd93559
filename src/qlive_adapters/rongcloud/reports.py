"""What RongCloud's callbacks let us hear, in the words of the core."""

from collections.abc import Mapping, Sequence

from qlive_adapters.rongcloud.callbacks import (
    ImMessage,
    ImStatus,
    Malformed,
    Proof,
    parse_message,
    parse_statuses,
    verify,
)
from qlive_adapters.rongcloud.signing import Application
from qlive_core.ports.clouds import HeardOverIm, ImReports, UnreadableReport

_PRIVATE = "PERSON"


class RongCloudReports:
    """Reads callbacks for ``system_user_id``, to whom apps speak; a callback's time may be ``max_age_s`` off ours.

    Whatever else a user sends, such as the ``RC:Chatroom:Welcome`` of somebody who enters a chat room, shows that
    he is there.
    """

    def __init__(self, application: Application, *, system_user_id: str, max_age_s: float) -> None:
        self._application = application
        self._system_user_id = system_user_id
        self._max_age_s = max_age_s

    def is_genuine(self, query: Mapping[str, str], headers: Mapping[str, str], *, now: float) -> bool:
        """Tell whether a callback is RongCloud's and fresh."""
        proof = verify(self._application, query, headers, now=now, max_age_s=self._max_age_s)
        return proof is Proof.GENUINE

    def messages(self, body: bytes) -> Sequence[HeardOverIm | UnreadableReport]:
        """Return who sent the message that the full message routing reports."""
        message = parse_message(body)
        if isinstance(message, Malformed):
            return (UnreadableReport(message.problem),)
        if message.sender == self._system_user_id:
            return ()
        text = message.text if self._is_to_us(message) else None
        return (HeardOverIm(message.sender, message.sent_at, message.uid, text),)

    def statuses(self, body: bytes) -> Sequence[HeardOverIm | UnreadableReport]:
        """Return who came online. Who goes offline on one device may be online on another."""
        return tuple(
            UnreadableReport(status.problem)
            if isinstance(status, Malformed)
            else HeardOverIm(status.user_id, status.at)
            for status in parse_statuses(body)
            if not self._is_silent(status)
        )

    def _is_to_us(self, message: ImMessage) -> bool:
        return message.channel == _PRIVATE and message.to == self._system_user_id

    def _is_silent(self, status: ImStatus | Malformed) -> bool:
        return isinstance(status, ImStatus) and (not status.online or status.user_id == self._system_user_id)


_reports: type[ImReports] = RongCloudReports
