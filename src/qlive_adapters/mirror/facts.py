"""What the mirrored stores have in common: how facts get into the cache, and how they get out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar, cast

from qlive_adapters.mirror.cache import FactCache
from qlive_adapters.mirror.doubts import Doubts, Look
from qlive_core.errors import Duplicate, LostRace, StoreUnavailable
from qlive_core.ports.stores import FactStore


class Revised(Protocol):
    """A fact."""

    @property
    def rev(self) -> int:
        """Return its revision."""
        ...


Fact = TypeVar("Fact", bound=Revised)
Lookup = Callable[[str], Awaitable[Fact | None]]


class Guarded(Protocol[Fact]):
    """The part of every store that does not depend on how facts are added."""

    async def get(self, key: str) -> Fact | None: ...
    async def replace(self, fact: Fact, /) -> Fact: ...
    async def remove(self, fact: Fact, /) -> None: ...


class MirroredFacts(Generic[Fact]):
    """A store in front of another one, with all of its facts in memory.

    Writes of one fact go through this process one at a time, so that their outcomes enter the cache in the
    order in which they were committed. A write of which nobody knows whether it took place is looked after until
    that is known; see ``doubts.py``.
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
        self._doubts = Doubts()
        self._kept = 0

    async def get(self, key: str) -> Fact | None:
        """As FactStore.get."""
        return self._cache.get(key)

    async def replace(self, fact: Fact) -> Fact:
        """As FactStore.replace."""
        replaced = await self._write(fact, lambda: self._store.replace(fact), on=fact.rev)
        return cast("Fact", replaced)

    async def remove(self, fact: Fact) -> None:
        """As FactStore.remove."""
        await self._write(fact, lambda: self._store.remove(fact), on=fact.rev)

    async def refresh(self, key: str) -> Fact | None:
        """Look again at that fact in the wrapped store, and return it."""
        await self._begin_turn(key)
        try:
            stored = await self._store.get(key)
            self._keep(key, stored)
        finally:
            self._end_turn(key)
        return stored

    async def _add(self, fact: Fact, add: Callable[[], Awaitable[None]]) -> None:
        async def commit() -> Fact:
            await add()
            return fact

        await self._write(fact, commit, on=None)

    async def _write(
        self, fact: Fact, commit: Callable[[], Awaitable[Fact | None]], *, on: int | None
    ) -> Fact | None:
        """Run ``commit``, which returns what is stored afterwards, and keep that.

        ``on`` is the revision that must be stored for it to take place, None for nothing at all.
        """
        key = self._cache.key(fact)
        try:
            return await self._write_in_turn(fact, commit)
        except (asyncio.CancelledError, StoreUnavailable):
            # The store may have committed all the same, or will do so later. The caller need not wait for that.
            self._doubt(key, on)
            raise

    def _doubt(self, key: str, on: int | None) -> None:
        async def look() -> bool:
            stored = await self.refresh(key)
            # No revision of a key comes twice: as soon as another one is stored, the write is done or void.
            return stored is not None if on is None else stored is None or stored.rev != on

        self._look_after(key, look)

    def _look_after(self, subject: str | tuple[str, str], look: Look) -> None:
        self._doubts.begin(subject, look)

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

    async def _corrected(self, stored: Sequence[Fact]) -> Sequence[Fact]:
        """Return facts that were read for the sweep; where the mirror knows otherwise, it looks again."""
        for fact in stored:
            key = self._cache.key(fact)
            if self._cache.get(key) != fact:
                await self.refresh(key)
        return stored

    async def correct_absence(self, keys: Iterable[str]) -> None:
        """Look again at facts that the mirror has, and of which the wrapped store said that they are not there."""
        for key in keys:
            if self._cache.get(key) is not None:
                await self.refresh(key)

    def _keep(self, key: str, fact: Fact | None) -> None:
        """Take in what is stored now."""
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

    That something is not there is never remembered, nor what is in doubt: a token may have been logged out.
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
            self._remember(fact)
        return fact

    def _remember(self, fact: Fact) -> None:
        if self._cache.key(fact) not in self._doubts:
            self._cache.put(fact)

    def _keep(self, key: str, fact: Fact | None) -> None:
        super()._keep(key, None if key in self._doubts else fact)

    def _look_after(self, subject: str | tuple[str, str], look: Look) -> None:
        super()._look_after(subject, look)
        if isinstance(subject, str):
            self._keep(subject, None)
