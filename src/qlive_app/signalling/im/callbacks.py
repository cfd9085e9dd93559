"""What the IM cloud calls us with, from bytes to the inbox."""

from collections.abc import Mapping, Sequence

import structlog
from attrs import field, frozen

from qlive_app.runtime.metrics import Metrics
from qlive_app.signalling.im.inbox import ImInbox
from qlive_core.ports.clouds import HeardOverIm, ImReports, UnreadableReport
from qlive_core.ports.world import Clock


@frozen
class ImCallbacks:
    """Takes the cloud's reports. What cannot be read is dropped, counted and logged, but never repeated in the log."""

    reports: ImReports
    inbox: ImInbox
    clock: Clock
    metrics: Metrics
    _log: structlog.stdlib.BoundLogger = field(factory=lambda: structlog.get_logger("qlive.im"), init=False)

    def recognises(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Tell whether it is the cloud that calls."""
        genuine = self.reports.is_genuine(query, headers, now=self.clock.wall())
        if not genuine:
            self.metrics.count_im_message("refused")
        return genuine

    def take_messages(self, body: bytes) -> None:
        """Take a report of messages."""
        self._take(self.reports.messages(body))

    def take_statuses(self, body: bytes) -> None:
        """Take a report of comings and goings."""
        self._take(self.reports.statuses(body))

    def take_oversized(self) -> None:
        """Take note of a report that was too long to be read, or never came in full."""
        self._take((UnreadableReport("too long, or cut off"),))

    def _take(self, report: Sequence[HeardOverIm | UnreadableReport]) -> None:
        for heard in report:
            if isinstance(heard, HeardOverIm):
                self.inbox.take(heard)
            else:
                self.metrics.count_im_message("malformed")
                self._log.warning("im report cannot be read", problem=heard.problem)
