"""Facts in memory, by key and by whatever else is unique about them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

Fact = TypeVar("Fact")


class FactCache(Generic[Fact]):
    """Facts by key, with one index per unique field; all of them, or the ``capacity`` used last.

    ``uniques`` says for each unique field which values of it a fact occupies.
    """

    def __init__(
        self,
        key: Callable[[Fact], str],
        uniques: Mapping[str, Callable[[Fact], Iterable[str]]] | None = None,
        *,
        capacity: int | None = None,
    ) -> None:
        self.key = key
        self.uniques = dict(uniques or {})
        self._capacity = capacity
        self._facts: OrderedDict[str, Fact] = OrderedDict()
        self._keys: dict[str, dict[str, str]] = {unique: {} for unique in self.uniques}

    def get(self, key: str) -> Fact | None:
        """Return the fact with that key."""
        fact = self._facts.get(key)
        if fact is not None and self._capacity is not None:
            self._facts.move_to_end(key)
        return fact

    def by(self, unique: str, value: str) -> Fact | None:
        """Return the fact that occupies that value of a unique field."""
        key = self._keys[unique].get(value)
        return None if key is None else self.get(key)

    def all(self) -> list[Fact]:
        """Return all facts."""
        return list(self._facts.values())

    def put(self, fact: Fact) -> None:
        """Keep the fact in place of an older one with its key."""
        key = self.key(fact)
        self.drop(key)
        self._facts[key] = fact
        for unique, values in self.uniques.items():
            for value in values(fact):
                self._keys[unique][value] = key
        self._entered(fact)
        if self._capacity is not None and len(self._facts) > self._capacity:
            self.drop(next(iter(self._facts)))

    def drop(self, key: str) -> None:
        """Forget the fact with that key, if it is there."""
        fact = self._facts.pop(key, None)
        if fact is None:
            return
        for unique, values in self.uniques.items():
            keys = self._keys[unique]
            for value in values(fact):
                # A newer fact may have taken the value over before we heard that this one gave it up.
                if keys.get(value) == key:
                    del keys[value]
        self._left(fact)

    def _entered(self, fact: Fact) -> None:
        """Bring a subclass's own indexes up to date."""

    def _left(self, fact: Fact) -> None:
        """Bring a subclass's own indexes up to date."""
