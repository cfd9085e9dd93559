"""Remembering which messages came already, for as long as they may be repeated."""

from collections import OrderedDict


class RecentIds:
    """The ids of the last ``remember_s`` seconds, but no more than ``capacity``: then the oldest are forgotten.

    Only their hashes are kept: ids come from outside, and may be of any length.
    """

    def __init__(self, *, remember_s: float, capacity: int) -> None:
        self._remember_s = remember_s
        self._capacity = capacity
        self._came: OrderedDict[int, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._came)

    def is_repeated(self, uid: str, now: float) -> bool:
        """Remember the id; tell whether it was known."""
        while self._came and next(iter(self._came.values())) + self._remember_s <= now:
            self._came.popitem(last=False)
        key = hash(uid)
        if key in self._came:
            return True
        self._came[key] = now
        if len(self._came) > self._capacity:
            self._came.popitem(last=False)
        return False
