"""The breaker on random histories: closed until a run of failures, then one probe after each cool-down."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from qlive_adapters.outgoing.breaker import Breaker, Circuit

FAILURES = 3
COOL_DOWN_S = 10.0


class BreakerMachine(RuleBasedStateMachine):
    """Callers that come, and that settle their tickets in any order, however late.

    The model remembers since when the circuit is open, the failures in a row, and the probe.
    """

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(failures=FAILURES, cool_down_s=COOL_DOWN_S)
        self.now = 0.0
        self.tickets: list[int] = []
        self.void: set[int] = set()
        self.run = 0
        self.opened_at: float | None = None
        self.probe: int | None = None

    @rule(seconds=st.sampled_from([0.0, 1.0, 9.99, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def come(self) -> None:
        expected = self.opened_at is None or (self.probe is None and self.now >= self.opened_at + COOL_DOWN_S)
        assert self.breaker.admits(self.now) == expected
        ticket = self.breaker.admit(self.now)
        assert (ticket is not None) == expected
        if ticket is not None:
            self.tickets.append(ticket)
            if self.opened_at is not None:
                self.probe = ticket

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0), ending=st.sampled_from(["answered", "failed", "abandoned"]))
    def settle(self, pick: int, ending: str) -> None:
        ticket = self.tickets.pop(pick % len(self.tickets))
        if ending == "failed":
            self.breaker.failed(ticket, self.now)
        else:
            getattr(self.breaker, ending)(ticket)
        if ticket in self.void:
            return
        if ticket == self.probe:
            self.probe = None
            self.void.add(ticket)
            if ending == "answered":
                self.opened_at = None
            elif ending == "failed":
                self.opened_at = self.now
        elif ending == "answered":
            self.run = 0
        elif ending == "failed":
            self.run += 1
            if self.run == FAILURES:
                self.run, self.opened_at = 0, self.now
                self.void.add(ticket)

    @invariant()
    def shows_its_state(self) -> None:
        expected = Circuit.CLOSED if self.opened_at is None else Circuit.OPEN
        assert self.breaker.circuit is (Circuit.PROBING if self.probe is not None else expected)

    def teardown(self) -> None:
        """However it came here: when the vendor is well again, so is the circuit."""
        if self.probe is not None:
            self.breaker.abandoned(self.probe)
        ticket = self.breaker.admit(self.now + COOL_DOWN_S)
        assert ticket is not None
        self.breaker.answered(ticket)
        assert self.breaker.circuit is Circuit.CLOSED


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=40)


def test_opens_only_in_a_row() -> None:
    """An answer between failures starts the count anew."""
    breaker = Breaker(failures=2, cool_down_s=1)
    for _ in range(10):
        for settle in (lambda ticket: breaker.failed(ticket, 0.0), breaker.answered):
            ticket = breaker.admit(0.0)
            assert ticket is not None
            settle(ticket)
    assert breaker.circuit is Circuit.CLOSED
