"""What a failure means: whether the mail may be tried again, and whether somebody must look after it."""

import ssl

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)

_TOO_BIG = 552
"""Said of a mail's size before its content is seen (RFC 1870)."""


def is_for_good(error: Exception) -> bool:
    """Tell whether the server will never take this mail: a 5yz about its readers or its content.

    One about the sender is about all mails, so it is for the operator to correct; they are tried again meanwhile.
    """
    match error:
        case SMTPRecipientsRefused():
            return all(_is_permanent(refused.code) for refused in error.recipients)
        case SMTPDataError():
            return _is_permanent(error.code)
        case SMTPSenderRefused():
            return error.code == _TOO_BIG
    return False


def is_for_the_operator(error: Exception) -> bool:
    """Tell whether the same will happen again until somebody changes a setting, here or at the server."""
    if isinstance(error, SMTPAuthenticationError | SMTPNotSupported | ssl.SSLError):
        return True
    if isinstance(error, SMTPSenderRefused):
        return _is_permanent(error.code)
    # The library has no class of its own for a server without STARTTLS or without a login that fits.
    return type(error) is SMTPException or isinstance(error.__cause__, ssl.SSLError)


def _is_permanent(code: int) -> bool:
    return 500 <= code < 600
