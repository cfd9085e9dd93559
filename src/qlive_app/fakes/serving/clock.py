"""Time that a test can put ahead, so that it need not wait for what expires."""

import time


class Clock:
    """The machine's time, plus what it was put ahead."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time() + self._ahead_s

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Put the clock ahead; a negative number puts it back."""
        self._ahead_s += seconds
