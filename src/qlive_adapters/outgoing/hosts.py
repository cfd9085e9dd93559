"""Which of a vendor's hosts is used: one for all calls, until it fails."""

from collections.abc import Sequence

SWAP_INTERVAL_S = 30.0
"""Least time between two swaps, as in RongCloud's Go SDK: when all hosts are bad, calls must not chase around."""


class Hosts:
    """The hosts of a vendor, at least one. Pure: time is an argument, in seconds of any monotonic clock."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = tuple(hosts)
        self._index = 0
        self._swapped_at = float("-inf")

    @property
    def current(self) -> str:
        """The host for new calls."""
        return self._hosts[self._index]

    @property
    def several(self) -> bool:
        """Whether there is any choice."""
        return len(self._hosts) > 1

    def after(self, host: str) -> str:
        """Return the host to turn to after this one failed; the same one if there is no other."""
        return self._hosts[(self._hosts.index(host) + 1) % len(self._hosts)]

    def failed(self, host: str, now: float) -> None:
        """Note a failure; if it was the current host's and there was no swap lately, the next one is current."""
        if self.several and host == self.current and now - self._swapped_at >= SWAP_INTERVAL_S:
            self._index = self._hosts.index(self.after(host))
            self._swapped_at = now
