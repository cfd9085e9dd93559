"""What is measured, and in which order: each yardstick right beside what it is held against."""

from collections.abc import Iterator

import attrs

from qlive_app.bench.figures import Figures
from qlive_app.bench.memory import Memory
from qlive_app.bench.stores import MONGO, SQLITE

ROOMS = 100
MAX_PAIRS = ROOMS // 2
PARTS = ("yardsticks", "pk", "list", "room", "memory")


@attrs.frozen
class Name:
    """A measure of qlive on a ``store``, or, without one, a yardstick."""

    measure: str
    store: str = ""


ECHO = Name("W")
ROUTE = Name("H")
UPDATES = Name("M")


@attrs.frozen
class Settings:
    """What to measure (of PARTS) on which stores, with how many pairs, and for how long."""

    parts: frozenset[str]
    pairs: tuple[int, ...]
    seconds: float
    rounds: int
    connections: int
    stores: tuple[str, ...] = (SQLITE,)

    @property
    def measures(self) -> tuple[Name, ...]:
        """The measures of one round in their order; the stores take turns at each."""
        return tuple(self._measures())

    def _measures(self) -> Iterator[Name]:
        if self._needs("pk", SQLITE):
            yield ECHO
        if self._needs("pk", MONGO):
            yield UPDATES
        if "pk" in self.parts:
            for pairs in self.pairs:
                yield from self._on_each_store(pk_name(pairs))
        if self.parts & {"yardsticks", "list", "room"}:
            yield ROUTE
        for part in ("list", "room"):
            if part in self.parts:
                yield from self._on_each_store(part)

    def _needs(self, part: str, store: str) -> bool:
        """Whether the yardstick that a store is held to in this part is wanted."""
        return store in self.stores and bool(self.parts & {"yardsticks", part})

    def _on_each_store(self, measure: str) -> Iterator[Name]:
        for store in self.stores:
            yield Name(measure, store)

    @property
    def steps(self) -> int:
        """How often progress is told of."""
        slices = len(self.measures) * (1 + self.rounds)
        return slices + bool(self.measures) + ("memory" in self.parts) * len(self.stores)


@attrs.frozen
class Outcome:
    """All figures of a run: for each measure those of every round."""

    rounds: dict[Name, list[Figures]]
    memory: dict[str, Memory] = attrs.field(factory=dict)
    """By store."""
    mongod: str | None = None
    """The version of the MongoDB server, if there was one."""

    @property
    def stores(self) -> list[str]:
        """The stores of which anything was measured."""
        return list(dict.fromkeys([*(name.store for name in self.rounds if name.store), *self.memory]))


def pk_name(pairs: int) -> str:
    """The measure's name for so many pairs at once."""
    return f"pk-{pairs}"
