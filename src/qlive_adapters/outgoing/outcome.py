"""How calls end."""

import enum

from qlive_core.errors import ProviderUnavailable


class Outcome(enum.Enum):
    """What became of a call, or of one attempt at it. The values are labels of metrics and words in logs."""

    OK = "ok"
    REFUSED = "refused"
    """The vendor said no, and would again."""
    LIMITED = "limited"
    """The vendor said that it was asked too often."""
    FAILED = "failed"
    """The vendor failed, broke the connection, or said what cannot be understood."""
    TIMEOUT = "timeout"
    """No whole answer within the budget."""
    UNREACHABLE = "unreachable"
    """No connection; so nothing was sent."""
    BROKEN = "broken"
    """The circuit is open: nobody tried."""


VENDOR_TROUBLE = frozenset({Outcome.FAILED, Outcome.TIMEOUT, Outcome.UNREACHABLE})
"""What is the vendor's or the network's fault: the circuit counts these, and another host may do better."""

MAYBE_DONE = frozenset({Outcome.FAILED, Outcome.TIMEOUT})
"""After these nobody knows whether the vendor did what it was asked."""


class Unsuccessful(Exception):
    """One attempt did not succeed. Readers of answers raise it with REFUSED, LIMITED or FAILED.

    ``code`` is the vendor's own for it, such as a number of its error table; it goes to the log.
    """

    def __init__(self, outcome: Outcome, code: str = "") -> None:
        super().__init__(outcome, code)
        self.outcome = outcome
        self.code = code


class CallFailed(ProviderUnavailable):
    """A call did not succeed. Says more than its base to the adapter, and no more than that to others.

    ``maybe_done`` tells that the vendor may have done what it was asked nevertheless.
    """

    def __init__(self, provider: str, outcome: Outcome, *, code: str, maybe_done: bool) -> None:
        super().__init__(provider)
        self.outcome = outcome
        self.vendor_code = code
        self.maybe_done = maybe_done
