"""What the IM cloud's times are by our clock."""

WINDOW_S = 300.0
_KNOWN_FROM = 5
_LAG_S = 5.0
"""More than a callback is usually on its way. Until a few have come, no more than this is taken for a difference."""


class VendorTime:
    """Translates times that the cloud wrote, by what its messages tell of the difference between the clocks.

    A message comes a little after it was sent, so the time from one clock to the other is never less than the
    difference of the clocks; the least of many is about that. Differences change, so only the last minutes count.
    """

    def __init__(self) -> None:
        self._least = [float("inf"), float("inf")]  # of the window before this one, and of this one
        self._since = 0.0
        self._heard = 0

    def ours(self, at: float, now: float) -> float:
        """Return by our clock when something was sent that came ``now`` and was sent ``at`` by the cloud's."""
        if now - self._since >= WINDOW_S:
            self._least = [self._least[1] if now - self._since < 2 * WINDOW_S else float("inf"), float("inf")]
            self._since = now
        self._least[1] = min(self._least[1], now - at)
        self._heard += 1
        ahead = min(self._least)
        if self._heard < _KNOWN_FROM:
            ahead = min(ahead, _LAG_S)
        return min(at + ahead, now)
