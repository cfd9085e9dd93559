"""What a connection asks of the shell around it."""

from typing import TypeAlias

import attrs

from qlive_core.signalling.codes import CloseCode
from qlive_core.signalling.messages import Auth, Request

__all__ = ["Authenticate", "Close", "Execute", "Leave", "Output", "Outputs", "Send"]


@attrs.frozen
class Send:
    """Send this text frame."""

    text: str


@attrs.frozen
class Close:
    """Close the connection; nothing comes after it.

    With ``framed`` a close frame tells the client code and reason; else the TCP connection just ends, and both are
    for the operators.
    """

    code: CloseCode
    reason: str
    framed: bool = True


@attrs.frozen
class Authenticate:
    """Resolve the token, then call ``authorised`` or ``refused`` with this request."""

    request: Auth


@attrs.frozen
class Execute:
    """Run the use case of this request for ``user_id``."""

    request: Request


@attrs.frozen
class Leave:
    """The user leaves for good: end the presence, then close with 1000."""


Output: TypeAlias = Send | Close | Authenticate | Execute | Leave
Outputs: TypeAlias = tuple[Output, ...]
