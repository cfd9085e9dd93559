"""What the bench aims for, and what came of it."""

import attrs

from qlive_app.bench.figures import rate_ratio
from qlive_app.bench.plan import ECHO, MAX_PAIRS, ROUTE, UPDATES, Name, Outcome, pk_name
from qlive_app.bench.stores import MONGO, SQLITE

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

    yardstick: Name
    divisor: int
    aim: float

    @property
    def unit(self) -> str:
        yardstick = self.yardstick.measure
        return yardstick if self.divisor == 1 else f"{yardstick}/{self.divisor}"


_SHARES = {
    Name(pk_name(MAX_PAIRS), SQLITE): _Share(ECHO, 15, 1.0),
    Name("list", SQLITE): _Share(ROUTE, 1, 0.4),
    Name("room", SQLITE): _Share(ROUTE, 1, 0.7),
    Name(pk_name(MAX_PAIRS), MONGO): _Share(UPDATES, 4, 1.0),
    Name("list", MONGO): _Share(ROUTE, 1, 0.4),
    Name("room", MONGO): _Share(ROUTE, 1, 0.6),
}


def results(outcome: Outcome) -> dict[Name, Result]:
    """What came of every aim that this run has measured; an idle connection is the measure "memory"."""
    rounds = outcome.rounds
    found = {
        name: Result(rate_ratio(rounds[name], rounds[share.yardstick]) * share.divisor, share.aim, share.unit)
        for name, share in _SHARES.items()
        if name in rounds and share.yardstick in rounds
    }
    for store, memory in outcome.memory.items():
        value = memory.connection_kib
        found[Name("memory", store)] = Result(value, _MEMORY_AIM_KIB, "KiB", at_most=True)
    return found
