"""How often something may still be tried, in memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

from qlive_core.ports.world import Allowances

HOUR_S = 3600.0
CAPACITY = 100_000
"""Keys, of about 300 bytes each. Only failures leave any, and one address has few of those."""


class HourlyAllowances:
    """Token buckets that fill within an hour. ``now`` must never step back.

    One process serves a database, so there is nobody to share this with; a restart forgives an hour's tries.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, *, capacity: int = CAPACITY) -> None:
        self._now = now
        self._capacity = capacity
        # What is missing from a full bucket, and since when it fills.
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._values: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._spent) + len(self._values)

    def take(self, key: str, limit: int) -> bool:
        """As Allowances.take."""
        spent = self._missing(key, limit)
        if spent + 1 > limit:
            return False
        self._note(key, spent + 1)
        return True

    def give_back(self, key: str, limit: int) -> None:
        """As Allowances.give_back."""
        spent = self._missing(key, limit) - 1
        if spent > 0:
            self._note(key, spent)
        else:
            self._spent.pop(key, None)

    def forget(self, key: str) -> None:
        """As Allowances.forget."""
        self._spent.pop(key, None)

    def remember(self, key: str, value: str) -> None:
        """As Allowances.remember."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def recall(self, key: str) -> str | None:
        """As Allowances.recall."""
        return self._values.get(key)

    def _missing(self, key: str, limit: int) -> float:
        spent, since = self._spent.get(key, (0.0, 0.0))
        return max(0.0, spent - (self._now() - since) * limit / HOUR_S) if spent else 0.0

    def _note(self, key: str, spent: float) -> None:
        self._spent[key] = spent, self._now()
        self._spent.move_to_end(key)
        if len(self._spent) > self._capacity:
            self._spent.popitem(last=False)


_allowances: type[Allowances] = HourlyAllowances
