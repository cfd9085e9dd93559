"""What can be configured but is not part of this release. The only place that knows; empty it as parts arrive."""

from qlive_app.config.problems import Report
from qlive_app.config.settings import Settings


def check_availability(settings: Settings, report: Report) -> None:
    """Report what the settings ask for and this release cannot do; the server serves all the same."""
    if settings.signaling.type == "im":
        report.warn(
            "signaling.type",
            "signalling over IM is not available in this release",
            "clients are signalled over the WebSocket endpoint",
        )
