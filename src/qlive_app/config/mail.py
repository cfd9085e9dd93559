"""Rules for mailing feedback. They hold only if it is enabled: older files may have anything there."""

import re
import ssl

from qlive_app.config.problems import Report
from qlive_app.config.settings import FeedbackMail

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_SPEC = rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*"
_NAME = r'(?:"[^"\\<>@]*"|[^"\\<>@,;:()]*)'
_ADDRESS = re.compile(rf"{_SPEC}|{_NAME} ?<{_SPEC}>")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
_ENABLED = ("feedback_mail.enabled",)


def check_mail(mail: FeedbackMail, report: Report) -> None:
    """Report what keeps feedback from being mailed."""
    if not mail.enabled:
        return
    _check_server(mail, report)
    _check_addresses(mail, report)
    _check_login(mail, report)


def _check_server(mail: FeedbackMail, report: Report) -> None:
    if not mail.smtp_host:
        _report_missing(report, "feedback_mail.smtp_host", 'such as "smtp.example.com"')
    elif not _HOST.fullmatch(mail.smtp_host):
        report.error(
            "feedback_mail.smtp_host",
            "is neither a host name nor an IP address",
            'give it alone, such as "smtp.example.com"; the port belongs into feedback_mail.smtp_port',
        )
    try:
        ssl.create_default_context(cafile=mail.ca_file or None)
    except OSError as error:
        report.error(
            "feedback_mail.ca_file",
            f"cannot be used: {error.strerror or 'it holds no certificate'}",
            "name a PEM file, or leave it out to trust the certificates that the system trusts",
        )


def _check_addresses(mail: FeedbackMail, report: Report) -> None:
    if not mail.from_:
        _report_missing(report, "feedback_mail.from", 'such as "qlive@example.com"')
    if not mail.to:
        _report_missing(report, "feedback_mail.to", 'such as ["feedback@example.com"]')
    for path, address in (
        ("feedback_mail.from", mail.from_),
        *(("feedback_mail.to", each) for each in mail.to),
    ):
        if address and not _ADDRESS.fullmatch(address):
            report.error(
                path,
                "has something that is no mail address",
                'write it as "feedback@example.com" or "Feedback <feedback@example.com>"',
            )


def _check_login(mail: FeedbackMail, report: Report) -> None:
    if mail.username and not mail.password:
        report.error(
            "feedback_mail.password",
            "is needed because feedback_mail.username is given",
            "fill it, set QLIVE_SMTP_PASSWORD, or remove the user name",
            involves=("feedback_mail.username",),
        )
    if mail.username and mail.tls == "none":
        report.warn(
            "feedback_mail.tls",
            'is "none", so the password travels in clear text',
            'choose "starttls" or "tls" if the mail server knows either',
        )


def _report_missing(report: Report, path: str, example: str) -> None:
    report.error(
        path,
        "is needed because feedback_mail.enabled is true",
        f"fill it, {example}, or do not enable mails",
        involves=_ENABLED,
    )
