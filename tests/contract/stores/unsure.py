"""A store in trouble: what becomes of a write, and what its caller hears of it."""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.errors import StoreUnavailable

READS = {"get", "get_many", "all", "in_room", "seats", "due", "count", "hostless", "roomless", "unattended"}


class Fate(Enum):
    """What becomes of a write."""

    WELL = "it takes place and is acknowledged"
    UNACKNOWLEDGED = "it takes place, but the caller hears that the store does not answer"
    LOST = "it never takes place"
    LATE = "it takes place after the caller has heard that the store does not answer"
    GIVEN_UP = "the caller is gone before it takes place"


class UnsureStores:
    """Wraps a set of stores. ``fate`` is that of the writes from now on.

    Late writes lie in ``late`` until ``land``; while ``hides``, reads do not answer either.
    """

    def __init__(self, truth: Stores) -> None:
        self.truth = truth
        self.fate = Fate.WELL
        self.hides = False
        self.late: list[Callable[[], Any]] = []

    def __getattr__(self, port: str) -> Any:
        return _Unsure(self, getattr(self.truth, port))

    async def land(self) -> None:
        """Let what is late take place now."""
        while self.late:
            await self.late.pop(0)()


class _Unsure:
    def __init__(self, stores: UnsureStores, store: Any) -> None:
        self._stores, self._store = stores, store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        reads = name in READS or name.startswith("by_") or name == "audience_numbers"
        return self._read(method) if reads else self._write(method)

    def _read(self, method: Any) -> Any:
        async def read(*arguments: Any, **options: Any) -> Any:
            if self._stores.hides:
                raise StoreUnavailable("hidden")
            return await method(*arguments, **options)

        return read

    def _write(self, method: Any) -> Any:
        async def write(*arguments: Any, **options: Any) -> Any:
            fate = self._stores.fate
            if fate in (Fate.LATE, Fate.GIVEN_UP):
                self._stores.late.append(lambda: method(*arguments, **options))
            if fate in (Fate.WELL, Fate.UNACKNOWLEDGED):
                result = await method(*arguments, **options)
            if fate is Fate.GIVEN_UP:
                await asyncio.Event().wait()
            if fate is not Fate.WELL:
                raise StoreUnavailable(fate.value)
            return result

        return write
