"""Replies that can be sent again until a fact changes."""

from collections.abc import Awaitable, Callable

from qlive_app.http.replies import Reply

CAPACITY = 1024


class UnchangedReplies:
    """Keeps up to `capacity` replies for as long as `version` returns the same.

    Without a `version` nothing is kept. Who may see a reply is decided before it is asked for.
    """

    def __init__(self, version: Callable[[], object] | None, *, capacity: int = CAPACITY) -> None:
        self._version = version
        self._capacity = capacity
        self._kept_version: object = None
        self._kept: dict[str, Reply] = {}

    async def get(self, key: str, make: Callable[[], Awaitable[Reply]]) -> Reply:
        """Return the reply that is kept under `key`, else a new one. What `make` raises is not kept."""
        if self._version is None:
            return await make()
        version = self._version()
        if version != self._kept_version:
            self._kept.clear()
            self._kept_version = version
        reply = self._kept.get(key)
        if reply is None:
            reply = await make()
            # If a fact changed meanwhile, nobody can tell which version the reply shows.
            if version == self._version() and len(self._kept) < self._capacity:
                self._kept[key] = reply
        return reply
