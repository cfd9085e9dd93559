"""What holds for live PKs."""

from attrs import evolve

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.errors import Duplicate
from qlive_core.model.pk import PkState

from .facts_contract import outcomes, wins
from .kinds import Ground, a_pk, a_room


class PksContract:
    """PkStore."""

    async def test_found_by_either_room(self, stores: Stores) -> None:
        """A PK is found by both of its rooms as long as it is kept."""
        pk = a_pk(1, 1, 2)
        await stores.pks.add(pk)
        assert await stores.pks.of_room("room1") == await stores.pks.of_room("room2") == pk
        assert await stores.pks.of_room("room3") is None
        live = await stores.pks.replace(evolve(pk, state=PkState.LIVE))
        assert await stores.pks.of_room("room1") == await stores.pks.of_room("room2") == live
        assert list(await stores.pks.all()) == [live]
        await stores.pks.remove(live)
        assert await stores.pks.of_room("room1") is None
        assert await stores.pks.of_room("room2") is None
        assert list(await stores.pks.all()) == []

    async def test_removed_with_another_state(self, stores: Stores) -> None:
        """A PK can be removed as the outcome that it has become: its revision counts, not its state."""
        await stores.pks.add(a_pk(1, 1, 2))
        await stores.pks.remove(a_pk(1, 1, 2, state=PkState.REJECTED))
        await stores.pks.add(a_pk(2, 2, 1))
        assert await stores.pks.of_room("room1") == a_pk(2, 2, 1)

    async def test_crossed_offers(self, stores: Stores) -> None:
        """Of two hosts who make each other an offer at the same time, exactly one succeeds."""
        offers = [a_pk(1, 1, 2), a_pk(2, 2, 1)]
        results = await outcomes(*(stores.pks.add(offer) for offer in offers))
        assert len(wins(results)) == 1
        assert (
            await stores.pks.of_room("room1")
            == await stores.pks.of_room("room2")
            == offers[results.index(None)]
        )

    async def test_two_offers_to_one_host(self, stores: Stores) -> None:
        """Of many who make one host an offer at the same time exactly one succeeds; the others stay free."""
        offers = [a_pk(n, n, 0) for n in range(1, 20)]
        results = await outcomes(*(stores.pks.add(offer) for offer in offers))
        winner = offers[results.index(None)]
        assert len(wins(results)) == 1
        assert {result.unique for result in results if isinstance(result, Duplicate)} == {"room_id"}
        assert await stores.pks.of_room("room0") == winner
        for offer in offers:
            expected = winner if offer == winner else None
            assert await stores.pks.of_room(offer.proposer.room_id) == expected

    async def test_against_oneself(self, stores: Stores) -> None:
        """One room cannot be both sides."""
        [result] = await outcomes(stores.pks.add(a_pk(1, 1, 1)))
        assert isinstance(result, Duplicate)
        assert await stores.pks.of_room("room1") is None

    async def test_due(self, stores: Stores) -> None:
        """Due are offers whose deadline lies before that time, and no battles."""
        await stores.pks.add(a_pk(1, 1, 2, expires=10.0))
        await stores.pks.add(a_pk(2, 3, 4, expires=20.0))
        await stores.pks.add(a_pk(3, 5, 6, expires=5.0, state=PkState.LIVE))
        assert list(await stores.pks.due(10.0)) == []
        assert [pk.id for pk in await stores.pks.due(10.5)] == ["pk1"]
        assert {pk.id for pk in await stores.pks.due(21.0)} == {"pk1", "pk2"}

    async def test_roomless(self, stores: Stores) -> None:
        """A PK is roomless if either of its rooms does not exist."""
        for n in (1, 2, 3):
            await stores.rooms.add(a_room(n), limit=0)
        for pk in (a_pk(1, 1, 2), a_pk(2, 3, 99), a_pk(3, 98, 97)):
            await stores.pks.add(pk)
        assert {pk.id for pk in await stores.pks.roomless()} == {"pk2", "pk3"}

    async def test_rooms_stay_taken_after_reopening(self, ground: Ground) -> None:
        """After a restart a room in a PK still is in it, and refuses another one."""
        await ground.stores.pks.add(a_pk(1, 1, 2))
        await ground.reopen()
        assert await ground.stores.pks.of_room("room2") == a_pk(1, 1, 2)
        [result] = await outcomes(ground.stores.pks.add(a_pk(2, 2, 3)))
        assert isinstance(result, Duplicate)
