"""The id under which a request is known in the log and to its caller."""

import re
import secrets

_ACCEPTABLE = re.compile(rb"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?")


def request_id(given: bytes | None) -> str:
    """Return the caller's own id if it is printable ASCII of at most 64 characters, else a new one of 16."""
    if given is not None and _ACCEPTABLE.fullmatch(given):
        return given.decode("ascii")
    return secrets.token_urlsafe(12)
