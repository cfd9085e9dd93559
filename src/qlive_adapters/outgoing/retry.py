"""Whether to try again: once at most, and never what may have been done and must not be done twice."""

from qlive_adapters.outgoing.exchange import Operation
from qlive_adapters.outgoing.outcome import Outcome

MAX_ATTEMPTS = 2

_FIRST_SHARE = 0.6
_PAUSE_S = 0.2  # before a host is asked again that failed quickly; another one is asked at once
_LEAST_S = 0.25  # of the budget, or a further attempt is not worth its while


def attempt_s(operation: Operation, attempt: int, left_s: float) -> float:
    """Return how many of the ``left_s`` seconds the attempt may take; they begin at 1.

    An attempt that may be repeated after a time-out leaves some of the budget for that.
    """
    spares = operation.idempotent and attempt < MAX_ATTEMPTS
    return left_s * _FIRST_SHARE if spares else left_s


def retry_pause(
    operation: Operation,
    outcome: Outcome,
    attempt: int,
    *,
    left_s: float,
    several_hosts: bool,
    chance: float,
) -> float | None:
    """Return how many seconds to wait before trying again, or nothing if that must not be.

    ``outcome`` is that of the attempt before, ``chance`` a random number from 0 to 1 that spreads the waits.
    """
    pause = _pause(operation, outcome, several_hosts=several_hosts)
    if pause is None or attempt >= MAX_ATTEMPTS:
        return None
    pause *= 1 + chance / 2
    return pause if left_s - pause >= _LEAST_S else None


def _pause(operation: Operation, outcome: Outcome, *, several_hosts: bool) -> float | None:
    if outcome is Outcome.LIMITED:
        return operation.wait_if_limited_s
    never_sent = outcome is Outcome.UNREACHABLE
    repeatable = operation.idempotent and outcome in {Outcome.FAILED, Outcome.TIMEOUT}
    if not (never_sent or repeatable):
        return None
    return 0.0 if several_hosts or outcome is Outcome.TIMEOUT else _PAUSE_S
