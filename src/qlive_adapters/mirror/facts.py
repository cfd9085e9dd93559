"""What the mirrored stores have in common: how facts get into the cache, and how they get out."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar, cast

from qlive_adapters.mirror.cache import FactCache
from qlive_core.errors import Duplicate, LostRace, StoreUnavailable
from qlive_core.ports.stores import FactStore

Fact = TypeVar("Fact")
Result = TypeVar("Result")
Lookup = Callable[[str], Awaitable[Fact | None]]

_COMMIT_TAKES_S = 0.1


class Guarded(Protocol[Fact]):
    """The part of every store that does not depend on how facts are added."""

    async def get(self, key: str) -> Fact | None: ...
    async def replace(self, fact: Fact, /) -> Fact: ...
    async def remove(self, fact: Fact, /) -> None: ...


class MirroredFacts(Generic[Fact]):
    """A store in front of another one, with all of its facts in memory.

    Writes of one fact go through this process one at a time, so that their outcomes enter the cache in the
    order in which they were committed.
    """

    def __init__(
        self,
        store: Guarded[Fact],
        cache: FactCache[Fact],
        *,
        lookups: Mapping[str, Lookup[Fact]] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """``lookups`` ask the store who holds a unique value; ``changed`` is called after each change."""
        self._store = store
        self._cache = cache
        self._lookups = dict(lookups or {})
        self._changed = changed
        self._turns: dict[str, asyncio.Future[None] | None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._kept = 0

    async def get(self, key: str) -> Fact | None:
        """As FactStore.get."""
        return self._cache.get(key)

    async def replace(self, fact: Fact) -> Fact:
        """As FactStore.replace."""
        replaced = await self._write(fact, lambda: self._store.replace(fact))
        return cast("Fact", replaced)

    async def remove(self, fact: Fact) -> None:
        """As FactStore.remove."""
        await self._write(fact, lambda: self._store.remove(fact))

    async def refresh(self, key: str) -> None:
        """Look again at that fact in the wrapped store."""
        await self._begin_turn(key)
        try:
            self._keep(key, await self._store.get(key))
        finally:
            self._end_turn(key)

    async def _add(self, fact: Fact, add: Callable[[], Awaitable[None]]) -> None:
        async def commit() -> Fact:
            await add()
            return fact

        await self._write(fact, commit)

    async def _write(self, fact: Fact, commit: Callable[[], Awaitable[Fact | None]]) -> Fact | None:
        """Run ``commit``, which returns what is stored afterwards, and keep that."""
        try:
            return await self._write_in_turn(fact, commit)
        except asyncio.CancelledError:
            # The store may commit all the same, a moment later.
            self._start(self._look_again(self._cache.key(fact)))
            raise

    async def _look_again(self, key: str) -> None:
        await asyncio.sleep(_COMMIT_TAKES_S)
        with suppress(StoreUnavailable):
            await self.refresh(key)

    async def _see_through(self, work: Coroutine[Any, Any, Result]) -> Result:
        # The caller may be cancelled; the mirror must hear of the outcome.
        return await asyncio.shield(self._start(work))

    def _start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write_in_turn(self, fact: Fact, commit: Callable[[], Awaitable[Fact | None]]) -> Fact | None:
        key = self._cache.key(fact)
        try:
            await self._begin_turn(key)
            try:
                stored = await commit()
                self._keep(key, stored)
            finally:
                self._end_turn(key)
        except LostRace as lost:
            await self._learn(fact, lost)
            raise
        except StoreUnavailable:
            # Nobody knows whether the write took place. If the store does not answer now either, the mirror
            # stays as it is until a write loses to the truth.
            with suppress(StoreUnavailable):
                await self.refresh(key)
            raise
        return stored

    async def _learn(self, fact: Fact, lost: LostRace) -> None:
        await self.refresh(self._cache.key(fact))
        if not isinstance(lost, Duplicate) or lost.unique not in self._lookups:
            return
        for value in self._cache.uniques[lost.unique](fact):
            holder = await self._lookups[lost.unique](value)
            if holder is not None:
                await self.refresh(self._cache.key(holder))

    async def _begin_turn(self, key: str) -> None:
        """Wait until nobody writes that fact; from now on this caller does.

        Cheaper than a lock: almost always nobody does, and only who must wait makes something to wait for.
        """
        while key in self._turns:
            over = self._turns[key]
            if over is None:
                over = self._turns[key] = asyncio.get_running_loop().create_future()
            await asyncio.wait((over,))
        self._turns[key] = None

    def _end_turn(self, key: str) -> None:
        over = self._turns.pop(key)
        if over is not None:
            over.set_result(None)

    def _take_in(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._cache.put(fact)
        self._changed()

    async def _compare(self, stored: Iterable[Fact]) -> None:
        """Look again at every fact that is not as it is stored. What was written meanwhile is only looked at twice."""
        truth = {self._cache.key(fact): fact for fact in stored}
        mine = {self._cache.key(fact): fact for fact in self._cache.all()}
        for key in truth.keys() | mine.keys():
            if truth.get(key) != mine.get(key):
                await self.refresh(key)

    def _keep(self, key: str, fact: Fact | None) -> None:
        self._kept += 1
        if fact is None:
            self._cache.drop(key)
        elif self._cache.get(key) == fact:
            return
        else:
            self._cache.put(fact)
        self._changed()


class MirroredFactStore(MirroredFacts[Fact]):
    """A mirrored store to which a fact is added under no other condition than that it is unique."""

    def __init__(
        self,
        store: FactStore[Fact],
        cache: FactCache[Fact],
        *,
        lookups: Mapping[str, Lookup[Fact]] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(store, cache, lookups=lookups, changed=changed)
        self._adding = store

    async def add(self, fact: Fact) -> None:
        """As FactStore.add."""
        await self._add(fact, lambda: self._adding.add(fact))


class RecentFacts(MirroredFactStore[Fact]):
    """A store in front of another one, with only the facts used last in memory; it asks for the others.

    That something is not there is never remembered.
    """

    async def get(self, key: str) -> Fact | None:
        """As FactStore.get."""
        return self._cache.get(key) or await self._ask(lambda: self._store.get(key))

    async def _by(self, unique: str, value: str) -> Fact | None:
        return self._cache.by(unique, value) or await self._ask(lambda: self._lookups[unique](value))

    async def reload(self) -> None:
        """Forget what is in memory; the wrapped store is asked again."""
        self._kept += 1
        for fact in self._cache.all():
            self._cache.drop(self._cache.key(fact))
        self._changed()

    async def _ask(self, read: Callable[[], Awaitable[Fact | None]]) -> Fact | None:
        kept = self._kept
        fact = await read()
        # If something was written meanwhile, the answer may be older than what the cache has heard since.
        if fact is not None and kept == self._kept:
            self._cache.put(fact)
        return fact
