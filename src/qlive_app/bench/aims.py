"""What the bench aims for, and what came of it."""

import attrs

from qlive_app.bench.figures import rate_ratio
from qlive_app.bench.plan import MAX_PAIRS, Outcome, pk_name

_MEMORY_AIM_KIB = 25.0


@attrs.frozen
class Result:
    """A ``value`` in ``unit`` that should be at least, or for ``at_most`` at most, ``aim``."""

    value: float
    aim: float
    unit: str
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.value <= self.aim if self.at_most else self.value >= self.aim


@attrs.frozen
class _Share:
    """At least ``aim`` times what the yardstick does, divided by ``divisor``."""

    yardstick: str
    divisor: int
    aim: float

    @property
    def unit(self) -> str:
        return self.yardstick if self.divisor == 1 else f"{self.yardstick}/{self.divisor}"


_SHARES = {
    pk_name(MAX_PAIRS): _Share("W", 15, 1.0),
    "list": _Share("H", 1, 0.4),
    "room": _Share("H", 1, 0.7),
}


def results(outcome: Outcome) -> dict[str, Result]:
    """By measure, what came of every aim that this run has measured."""
    rounds = outcome.rounds
    found = {
        name: Result(rate_ratio(rounds[name], rounds[share.yardstick]) * share.divisor, share.aim, share.unit)
        for name, share in _SHARES.items()
        if name in rounds and share.yardstick in rounds
    }
    if outcome.memory:
        found["memory"] = Result(outcome.memory.connection_kib, _MEMORY_AIM_KIB, "KiB", at_most=True)
    return found
