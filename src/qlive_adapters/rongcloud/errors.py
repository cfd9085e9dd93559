"""What RongCloud's answers mean.

Source: the vendor's documentation of its error codes. HTTP status and code must both say success; a code that is
not in the table is judged by its status.
"""

from collections.abc import Mapping

from qlive_adapters.outgoing import Outcome

SUCCESS = 200

_OUTCOMES: Mapping[int, Outcome] = {
    1000: Outcome.FAILED,  # internal error
    1008: Outcome.LIMITED,
    1050: Outcome.FAILED,  # internal time-out: nobody knows what was done
}

MISCONFIGURED: Mapping[int, str] = {
    1001: "the app key or the secret is wrong",
    1004: "the signature is wrong: check the secret",
    1006: "the application is locked or deleted",
    1007: "the application may not make this call",
    1009: "the application lacks this feature",
    2007: "the application has as many users as it may have",
}
"""Refusals that only the operator can do something about."""


def outcome_of(status: int, code: int) -> Outcome:
    """Return what an answer means; ``code`` is 0 if the body has none that can be read."""
    if status == 200 and code == SUCCESS:
        return Outcome.OK
    if code in _OUTCOMES:
        return _OUTCOMES[code]
    if status == 429:
        return Outcome.LIMITED
    # Success and no code that we could believe is a failure too: something else than the vendor answered.
    return Outcome.FAILED if status >= 500 or (status == 200 and code == 0) else Outcome.REFUSED
