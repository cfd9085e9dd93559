"""What holds when everything happens at once."""

import asyncio
import random
from typing import Any

from attrs import evolve

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.errors import LostRace, Stale
from qlive_core.model.feedback import Feedback
from qlive_core.model.pk import PkState

from .facts_contract import outcomes, wins
from .kinds import KINDS, PRESENCES, Kind, a_pk, a_room


class StormContract:
    """Many writers, many kinds, no interference."""

    async def test_each_outcome_is_its_own(self, stores: Stores) -> None:
        """Writes that fail spoil nothing of the many that are made at the same time."""
        attempts: list[Any] = []
        expected: list[Any] = []
        for n in range(30):
            for kind in KINDS:
                fact = kind.make(n, "")
                attempts += [kind.add(stores, fact), kind.store(stores).replace(evolve(fact, rev=5))]
                expected += [None, Stale]
            attempts.append(stores.feedback.add(Feedback(f"user{n}", "text", "", 1.0)))
            expected.append(int)
        order = random.Random(7).sample(range(len(attempts)), len(attempts))
        results = await outcomes(*(attempts[index] for index in order))
        kinds = [None if result is None else type(result) for result in results]
        assert kinds == [expected[index] for index in order]
        for kind in KINDS:
            facts = [kind.make(n, "") for n in range(30)]
            assert [await kind.get(stores, fact) for fact in facts] == facts

    async def test_no_update_is_lost(self, stores: Stores) -> None:
        """Writers who decide again after a lost race all get through, each exactly once."""
        presence = PRESENCES.make(1, "")
        await stores.presences.add(presence)

        async def count_one() -> int:
            for lost in range(100):
                stored = await stores.presences.get(presence.user_id)
                assert stored is not None
                try:
                    await stores.presences.replace(evolve(stored, connection_id=f"{stored.connection_id}+"))
                except LostRace:
                    continue
                return lost
            raise AssertionError("lost a hundred times")

        await asyncio.gather(*(count_one() for _ in range(12)))
        assert await stores.presences.get(presence.user_id) == evolve(
            presence, connection_id="+" * 12, rev=13
        )

    async def test_hosts_at_war(self, stores: Stores) -> None:
        """However offers, answers and ends race, no room is ever in two PKs and none stays stuck."""
        dice = random.Random(11)

        async def host(n: int) -> None:
            for turn in range(6):
                rival = dice.choice([other for other in range(8) if other != n])
                await outcomes(stores.pks.add(a_pk(n * 100 + turn, n, rival)))
                pk = await stores.pks.of_room(f"room{n}")
                if pk is not None and pk.state is PkState.OFFERED:
                    await outcomes(stores.pks.replace(evolve(pk, state=PkState.LIVE)))
                elif pk is not None:
                    await outcomes(stores.pks.remove(pk))
                self._nobody_twice(await stores.pks.all())

        await asyncio.gather(*(host(n) for n in range(8)))
        for pk in await stores.pks.all():
            await stores.pks.remove(pk)
        results = await outcomes(*(stores.pks.add(a_pk(9000 + n, n, n + 1)) for n in range(0, 8, 2)))
        assert results == [None] * 4

    def _nobody_twice(self, pks: Any) -> None:
        rooms = [side.room_id for pk in pks for side in (pk.proposer, pk.target)]
        assert len(rooms) == len(set(rooms))

    async def test_own_writes_are_read(self, stores: Stores) -> None:
        """Whoever has written reads what he wrote, while many others write."""

        async def live(kind: Kind, n: int) -> None:
            fact = kind.make(n, "")
            await kind.add(stores, fact)
            assert await kind.get(stores, fact) == fact
            changed = await kind.store(stores).replace(kind.change(fact, 8.5))
            assert await kind.get(stores, fact) == changed
            await kind.store(stores).remove(changed)
            assert await kind.get(stores, fact) is None

        await asyncio.gather(*(live(kind, n) for kind in KINDS for n in range(10)))

    async def test_rooms_open_and_close(self, stores: Stores) -> None:
        """While rooms open and close, all that is said about them agrees."""

        async def evening(n: int) -> None:
            for _ in range(3):
                room = a_room(n, created_at=float(n % 3))
                await stores.rooms.add(room, limit=0)
                assert room in await stores.rooms.all()
                assert await stores.rooms.by_creator(room.creator) == room
                await stores.rooms.remove(room)
                assert await stores.rooms.by_name(room.name) is None

        results = await outcomes(*(evening(n) for n in range(15)))
        assert wins(results) == [None] * 15
        assert list(await stores.rooms.all()) == []
        assert await stores.rooms.count() == 0
