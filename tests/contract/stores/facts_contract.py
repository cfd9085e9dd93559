"""What holds for every store of facts."""

import asyncio
import itertools
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.errors import Duplicate, Stale

from .kinds import KINDS, PKS, UNIQUES, Ground, Kind

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
every_unique = pytest.mark.parametrize(
    ("kind", "unique"), UNIQUES, ids=lambda part: getattr(part, "name", part)
)

WORDS = st.text(st.characters(codec="utf-8"), max_size=100)
NUMBERS = itertools.count(1000)


async def outcomes(*attempts: Any) -> list[Any]:
    """Make the attempts at the same time; return their values and errors."""
    return await asyncio.gather(*attempts, return_exceptions=True)


def wins(results: list[Any]) -> list[Any]:
    """Return what came of those attempts that succeeded."""
    return [result for result in results if not isinstance(result, Exception)]


class FactsContract:
    """Adding, replacing and removing."""

    @every_kind
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(text=WORDS, value=st.floats(0, 2**33))
    @example(text="NUL \0 inside", value=0.1)
    @example(text="👩‍👩‍👧‍👦 用户_5678", value=1763881262.123456)
    @example(text="'; DROP TABLE room; -- \"\\ %_$ {}", value=1e-9)
    @example(text="名" * 100, value=2**33)
    async def test_round_trip(self, stores: Stores, kind: Kind, text: str, value: float) -> None:
        """Every fact comes back as it went in, whatever its words and times."""
        fact = kind.change(kind.make(next(NUMBERS), text), value)
        await kind.add(stores, fact)
        assert await kind.get(stores, fact) == fact

    @every_kind
    async def test_missing(self, stores: Stores, kind: Kind) -> None:
        """What was never added is None."""
        assert await kind.get(stores, kind.make(1, "")) is None

    @every_kind
    async def test_add_keeps_the_revision(self, stores: Stores, kind: Kind) -> None:
        """A new fact is kept with the revision that it has, which may be as large as a time in microseconds."""
        fact = evolve(kind.make(1, ""), rev=1_795_420_000_000_000)
        await kind.add(stores, fact)
        assert await kind.get(stores, fact) == fact

    @every_kind
    async def test_replace(self, stores: Stores, kind: Kind) -> None:
        """Replacing returns the fact with the next revision, and that is what is stored."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        changed = await kind.store(stores).replace(kind.change(fact, 8.5))
        assert changed == evolve(kind.change(fact, 8.5), rev=2)
        assert await kind.get(stores, fact) == changed

    @every_kind
    async def test_lost_update_is_refused(self, stores: Stores, kind: Kind) -> None:
        """A decision made on an old revision overwrites nothing."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        newer = await kind.store(stores).replace(kind.change(fact, 8.5))
        with pytest.raises(Stale) as refusal:
            await kind.store(stores).replace(kind.change(fact, 9.5))
        assert (refusal.value.fact, refusal.value.key) == (type(fact).__name__, kind.key_of(fact))
        assert await kind.get(stores, fact) == newer

    @every_kind
    async def test_replacing_what_is_gone(self, stores: Stores, kind: Kind) -> None:
        """Replacing does not bring a removed fact back."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        await kind.store(stores).remove(fact)
        with pytest.raises(Stale):
            await kind.store(stores).replace(kind.change(fact, 8.5))
        assert await kind.get(stores, fact) is None

    @every_kind
    async def test_remove(self, stores: Stores, kind: Kind) -> None:
        """A removed fact is gone, cannot be removed again and can be added anew."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        await kind.store(stores).remove(fact)
        assert await kind.get(stores, fact) is None
        with pytest.raises(Stale):
            await kind.store(stores).remove(fact)
        await kind.add(stores, fact)
        assert await kind.get(stores, fact) == fact

    @every_kind
    async def test_removing_an_old_revision(self, stores: Stores, kind: Kind) -> None:
        """A fact that has moved on is not removed."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        newer = await kind.store(stores).replace(kind.change(fact, 8.5))
        with pytest.raises(Stale):
            await kind.store(stores).remove(fact)
        assert await kind.get(stores, fact) == newer

    @every_kind
    async def test_identity_is_unique(self, stores: Stores, kind: Kind) -> None:
        """A second fact with the same identity is refused, and the first one stays."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        with pytest.raises(Duplicate) as refusal:
            await kind.add(stores, evolve(kind.make(2, ""), **{kind.key: kind.key_of(fact)}))
        assert (refusal.value.fact, refusal.value.unique) == (type(fact).__name__, kind.key)
        assert await kind.get(stores, fact) == fact

    @every_unique
    async def test_add_refuses_what_is_taken(self, stores: Stores, kind: Kind, unique: str) -> None:
        """A second fact with the same unique value is refused, by that field's name, and leaves no trace."""
        holder, late = kind.make(1, ""), kind.make(2, "")
        await kind.add(stores, holder)
        with pytest.raises(Duplicate) as refusal:
            await kind.add(stores, kind.take[unique](holder, late))
        assert (refusal.value.fact, refusal.value.unique) == (type(holder).__name__, unique)
        assert await kind.get(stores, late) is None
        await kind.add(stores, late)
        assert await kind.get(stores, late) == late

    @every_unique
    async def test_replace_refuses_what_is_taken(self, stores: Stores, kind: Kind, unique: str) -> None:
        """A fact cannot be given a unique value that another one holds."""
        if kind is PKS:
            return  # the sides of a PK never change
        holder, late = kind.make(1, ""), kind.make(2, "")
        await kind.add(stores, holder)
        await kind.add(stores, late)
        with pytest.raises(Duplicate) as refusal:
            await kind.store(stores).replace(kind.take[unique](holder, late))
        assert refusal.value.unique == unique
        assert await kind.get(stores, late) == late

    @every_unique
    async def test_removing_frees_what_was_taken(self, stores: Stores, kind: Kind, unique: str) -> None:
        """A unique value can be taken again once its holder is removed."""
        holder = kind.make(1, "")
        heir = kind.take[unique](holder, kind.make(2, ""))
        await kind.add(stores, holder)
        await kind.store(stores).remove(holder)
        await kind.add(stores, heir)
        assert await kind.get(stores, heir) == heir

    @every_kind
    async def test_one_of_many_adds_wins(self, stores: Stores, kind: Kind) -> None:
        """Of many who add the same identity at the same time, exactly one succeeds."""
        key = kind.key_of(kind.make(0, ""))
        rivals = [evolve(kind.make(n, ""), **{kind.key: key}) for n in range(20)]
        results = await outcomes(*(kind.add(stores, rival) for rival in rivals))
        assert len(wins(results)) == 1
        assert all(isinstance(result, Duplicate) for result in results if result is not None)
        assert await kind.get(stores, rivals[0]) == rivals[results.index(None)]

    @every_unique
    async def test_one_of_many_takers_wins(self, stores: Stores, kind: Kind, unique: str) -> None:
        """Of many who take the same unique value at the same time, exactly one succeeds."""
        rivals = [kind.make(n, "") for n in range(20)]
        rivals = [rivals[0], *(kind.take[unique](rivals[0], rival) for rival in rivals[1:])]
        results = await outcomes(*(kind.add(stores, rival) for rival in rivals))
        assert len(wins(results)) == 1
        assert {result.unique for result in results if result is not None} == {unique}
        kept = [rival for rival in rivals if await kind.get(stores, rival) is not None]
        assert kept == [rivals[results.index(None)]]

    @every_kind
    async def test_one_of_two_answers_wins(self, stores: Stores, kind: Kind) -> None:
        """Of two replacements of one revision exactly one takes place."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        store = kind.store(stores)
        results = await outcomes(*(store.replace(kind.change(fact, value)) for value in (8.5, 9.5)))
        assert wins(results) == [await kind.get(stores, fact)]
        assert sum(isinstance(result, Stale) for result in results) == 1

    @every_kind
    async def test_remove_against_replace(self, stores: Stores, kind: Kind) -> None:
        """Of a removal and a replacement of one revision exactly one takes place."""
        fact = kind.make(1, "")
        await kind.add(stores, fact)
        store = kind.store(stores)
        replaced, removed = await outcomes(store.replace(kind.change(fact, 8.5)), store.remove(fact))
        assert isinstance(replaced, Stale) != isinstance(removed, Stale)
        assert await kind.get(stores, fact) == (None if removed is None else replaced)

    @every_kind
    async def test_survives_reopening(self, ground: Ground, kind: Kind) -> None:
        """What was committed, and only that, is there after a restart."""
        kept, changed, removed = (kind.make(n, "") for n in range(3))
        for fact in (kept, changed, removed):
            await kind.add(ground.stores, fact)
        newer = await kind.store(ground.stores).replace(kind.change(changed, 8.5))
        await kind.store(ground.stores).remove(removed)
        await ground.reopen()
        assert [await kind.get(ground.stores, fact) for fact in (kept, changed, removed)] == [
            kept,
            newer,
            None,
        ]
