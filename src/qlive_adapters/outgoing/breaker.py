"""The circuit breaker: who keeps failing is left alone for a while.

        a run of failures               the cool-down is over: one probe
    CLOSED ──────────────▶ OPEN ─────────────────────────────────▶ PROBING
       ▲                    ▲                                        │  │
       │                    └──────────── the probe failed ──────────┘  │
       └───────────────────── the probe was answered ──────────────────┘

Pure: time is an argument, in seconds of any monotonic clock. Every admitted call holds a ticket and settles it
exactly once. Tickets of an earlier state are void: a call that hung since before the circuit opened says nothing
about now, and must not be taken for the probe.
"""

import enum


class Circuit(enum.Enum):
    """The state of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Opens after ``failures`` failed calls in a row and lets a probe through ``cool_down_s`` seconds later."""

    def __init__(self, *, failures: int, cool_down_s: float) -> None:
        self._limit = failures
        self._cool_down_s = cool_down_s
        self._failed = 0
        self._probe_at = 0.0
        self._generation = 0
        self.circuit = Circuit.CLOSED

    def admits(self, now: float) -> bool:
        """Tell whether ``admit`` would let a call through."""
        if self.circuit is Circuit.OPEN:
            return now >= self._probe_at
        return self.circuit is Circuit.CLOSED

    def admit(self, now: float) -> int | None:
        """Return a ticket for a call, or nothing if it must not be made."""
        if not self.admits(now):
            return None
        if self.circuit is Circuit.OPEN:
            self._enter(Circuit.PROBING)
        return self._generation

    def answered(self, ticket: int) -> None:
        """Note that the vendor answered this call, if only with a refusal."""
        if ticket == self._generation:
            self._failed = 0
            if self.circuit is Circuit.PROBING:
                self._enter(Circuit.CLOSED)

    def failed(self, ticket: int, now: float) -> None:
        """Note that this call failed for the vendor's sake."""
        if ticket == self._generation:
            self._failed += 1
            if self.circuit is Circuit.PROBING or self._failed >= self._limit:
                self._open(now)

    def abandoned(self, ticket: int) -> None:
        """Note that the caller gave this call up; if it was the probe, the next caller is."""
        if ticket == self._generation and self.circuit is Circuit.PROBING:
            self._enter(Circuit.OPEN)

    def _open(self, now: float) -> None:
        self._probe_at = now + self._cool_down_s
        self._enter(Circuit.OPEN)

    def _enter(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self._generation += 1
        self._failed = 0
