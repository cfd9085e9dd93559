"""The id under which a request is known in the log and to its caller."""

import re
import secrets

_ACCEPTABLE = re.compile(rb"[\x20-\x7e]{1,64}")


def request_id(given: bytes | None) -> str:
    """Return the caller's own id if it is printable ASCII of at most 64 characters, else a new one of 16.

    Blanks around a header's value are no part of it.
    """
    own = (given or b"").strip(b" \t")
    if _ACCEPTABLE.fullmatch(own):
        return own.decode("ascii")
    return secrets.token_urlsafe(12)
