"""What can be configured but is not part of this release. The only place that knows; empty it as parts arrive."""

from qlive_app.config.problems import Report
from qlive_app.config.settings import Settings


def check_availability(settings: Settings, report: Report) -> None:
    """Report what the settings ask for and this release cannot do.

    It is an error where the server could not serve, a warning where it serves all the same.
    """
    if settings.sms.provider == "qiniu":
        _refuse(report, "sms.provider", "sending codes by Qiniu", '"sms": {"provider": "test"}')
    if settings.feedback_mail.enabled:
        report.warn(
            "feedback_mail.enabled",
            "mailing feedback is not available in this release",
            "feedback is stored, and mailed with a later release",
        )


def _refuse(report: Report, path: str, what: str, instead: str) -> None:
    report.error(path, f"{what} is not available in this release", f"use the local stand-in: {instead}")
