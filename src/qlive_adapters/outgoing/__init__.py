"""The one way in which adapters call vendors over HTTP: within a budget, retried only where that is safe.

No adapter itself, but what adapters share: it knows HTTP and knows no vendor.
"""

from qlive_adapters.outgoing.exchange import Answer, Operation, Reader, Request
from qlive_adapters.outgoing.outcome import CallFailed, Outcome, Unsuccessful
from qlive_adapters.outgoing.vendor import Observer, Vendor

__all__ = [
    "Answer",
    "CallFailed",
    "Observer",
    "Operation",
    "Outcome",
    "Reader",
    "Request",
    "Unsuccessful",
    "Vendor",
]
