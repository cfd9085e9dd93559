"""Any history of writes leaves the stores as plain dicts would be."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from qlive_adapters.mirror.mirror import Mirror
from qlive_adapters.mirror.wrapped import Stores
from qlive_adapters.sqlite.store import SqliteStores
from qlive_core.errors import QliveError
from qlive_core.model.account import Account
from qlive_core.model.pk import Pk, PkState, Side
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import CAPABILITIES, Presence
from qlive_core.model.room import Room, RoomType
from qlive_core.model.session import Session
from qlive_core.model.sms import SendQuota, SmsCode

from .kinds import KINDS, PKS, ROOMS, Kind
from .model import Model, same_error

# Few values, so that facts meet.
USERS = st.sampled_from(["ann", "bob", "cho", "dan"])
ROOM_IDS = st.sampled_from(["room1", "room2", "room3", "room4"])
WORDS = st.sampled_from(["x", "y", "z"])
TIMES = st.sampled_from([0.0, 1.0, 2.5, 4.0])
SOME_SEATS = st.frozensets(st.integers(0, 7), max_size=2)
SIDES = st.lists(ROOM_IDS, min_size=2, max_size=2, unique=True)

FACTS: dict[str, st.SearchStrategy[Any]] = {
    "accounts": st.builds(Account, USERS, WORDS, WORDS, WORDS, WORDS, TIMES, TIMES),
    "sms_codes": st.builds(SmsCode, WORDS, WORDS, WORDS, TIMES, st.integers(0, 5), st.tuples(TIMES, TIMES)),
    "send_quotas": st.builds(SendQuota, WORDS, st.tuples(TIMES)),
    "sessions": st.builds(Session, USERS, WORDS, TIMES),
    "rooms": st.builds(Room, ROOM_IDS, WORDS, st.sampled_from(RoomType), USERS, TIMES, SOME_SEATS),
    "places": st.builds(
        Place,
        USERS,
        ROOM_IDS,
        st.sampled_from(PlaceKind),
        TIMES,
        st.none() | st.integers(0, 2),
        st.none() | st.sampled_from([1.0, 2.5, 4.0]),
        st.booleans(),
    ),
    "pks": st.builds(
        lambda n, state, rooms, at: Pk(f"pk{n}", state, Side("a", rooms[0]), Side("b", rooms[1]), at),
        st.integers(1, 3),
        st.sampled_from([PkState.OFFERED, PkState.LIVE]),
        SIDES,
        TIMES,
    ),
    "presences": st.builds(
        Presence, USERS, WORDS, WORDS, st.none() | TIMES, st.sampled_from([frozenset(), CAPABILITIES])
    ),
}
A_FACT = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), FACTS[kind.name]))


class StoresMachine(RuleBasedStateMachine):
    """Writes to the stores and to a model, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stores = self.run(self.open())
        self.model = Model()

    async def open(self) -> Stores:
        """Return fresh stores."""
        self.sqlite = SqliteStores(":memory:")
        return self.sqlite

    def run(self, work: Any) -> Any:
        """Run a coroutine to its end."""
        return self.runner.run(work)

    def teardown(self) -> None:
        """Let go of the memory and the loop."""
        self.run(self.sqlite.close())
        self.runner.close()

    def compare(self, work: Awaitable[Any], expected: list[Exception]) -> Any:
        """Check that the work fails with one of the errors, or succeeds if there are none."""
        try:
            result, error = self.run(work), None
        except QliveError as refusal:
            result, error = None, refusal
        assert same_error(error, expected), f"{error!r} instead of {expected}"
        return result

    @rule(made=A_FACT, limit=st.sampled_from([0, 2, 3]))
    def add(self, made: tuple[Kind, Any], limit: int) -> None:
        """Add a fact."""
        kind, fact = made
        limits = {"limit": limit} if kind is ROOMS else {}
        expected = self.model.add(kind, fact, limit if kind is ROOMS else 0)
        self.compare(kind.store(self.stores).add(fact, **limits), expected)

    @rule(made=A_FACT, behind=st.sampled_from([0, 0, 0, 1, -1]))
    def replace(self, made: tuple[Kind, Any], behind: int) -> None:
        """Replace a fact, mostly the revision that is stored."""
        kind, fact = made
        stored = self.model.of(kind).get(kind.key_of(fact), fact)
        if kind is PKS:
            fact = evolve(fact, proposer=stored.proposer, target=stored.target)
        fact = evolve(fact, rev=stored.rev - behind)
        expected = self.model.replace(kind, fact)
        replaced = self.compare(kind.store(self.stores).replace(fact), expected)
        assert replaced == (None if expected else self.model.of(kind)[kind.key_of(fact)])

    @rule(made=A_FACT, behind=st.sampled_from([0, 0, 0, 1, -1]))
    def remove(self, made: tuple[Kind, Any], behind: int) -> None:
        """Remove a fact, mostly the revision that is stored."""
        kind, fact = made
        stored = self.model.of(kind).get(kind.key_of(fact), fact)
        fact = evolve(fact, rev=stored.rev - behind)
        expected = self.model.remove(kind, fact)
        self.compare(kind.store(self.stores).remove(fact), expected)

    @rule(room_id=ROOM_IDS)
    def clear_room(self, room_id: str) -> None:
        """Clear a room."""
        self.model.clear_room(room_id)
        self.run(self.stores.places.clear_room(room_id))

    @rule(expired_before=TIMES)
    def purge_sessions(self, expired_before: float) -> None:
        """Purge sessions."""
        expected = self.model.purge_sessions(expired_before)
        assert self.run(self.stores.sessions.purge(expired_before)) == expected

    @invariant()
    def same_facts(self) -> None:
        """Every fact is what the model says, and so is what is found by other fields."""
        self.run(self._same_facts())

    async def _same_facts(self) -> None:
        stores, facts = self.stores, self.model.facts
        for kind in KINDS:
            for key in (
                "ann",
                "bob",
                "cho",
                "dan",
                "x",
                "y",
                "z",
                "room1",
                "room2",
                "room3",
                "room4",
                "pk1",
                "pk2",
            ):
                assert await kind.store(stores).get(key) == facts[kind.name].get(key)
        for word in ("x", "y", "z"):
            assert await stores.rooms.by_name(word) == _holder(facts["rooms"], "name", word)
            assert await stores.accounts.by_phone(word) == _holder(facts["accounts"], "phone", word)
            assert await stores.sessions.by_token_hash(word) == _holder(facts["sessions"], "token_hash", word)

    @invariant()
    def same_answers(self) -> None:
        """Every query answers what the model says."""
        self.run(self._same_answers())

    async def _same_answers(self) -> None:
        stores, model = self.stores, self.model
        assert list(await stores.rooms.all()) == model.rooms()
        assert await stores.rooms.count() == len(model.rooms())
        assert set(await stores.rooms.hostless()) == model.hostless()
        assert set(await stores.places.all()) == set(model.facts["places"].values())
        assert dict(await stores.places.audience_numbers()) == model.audience_numbers()
        assert set(await stores.places.roomless()) == model.roomless_places()
        assert set(await stores.places.unattended()) == model.unattended()
        for before in (1.0, 3.0, 9.0):
            assert set(await stores.places.due(before)) == model.places_due(before)
        assert await stores.presences.get_many(["ann", "cho", "nobody"]) == {
            key: presence for key, presence in model.facts["presences"].items() if key in ("ann", "cho")
        }
        assert set(await stores.pks.all()) == set(model.facts["pks"].values())
        assert set(await stores.pks.roomless()) == model.roomless_pks()
        assert set(await stores.presences.all()) == set(model.facts["presences"].values())
        for room_id in ("room1", "room2", "room3", "room4"):
            assert set(await stores.places.in_room(room_id)) == model.in_room(room_id)
            assert list(await stores.places.seats(room_id)) == model.seats(room_id)
            sides = [pk for pk in model.facts["pks"].values() if pk.role_of(room_id) is not None]
            assert [await stores.pks.of_room(room_id)] == (sides or [None])


def _holder(facts: dict[str, Any], field: str, value: str) -> Any:
    return next((fact for fact in facts.values() if getattr(fact, field) == value), None)


class MirrorMachine(StoresMachine):
    """The same through a mirror that keeps few accounts and sessions."""

    async def open(self) -> Stores:
        """Return a mirror of fresh stores."""
        self.sqlite = SqliteStores(":memory:")
        return Mirror(self.sqlite, capacity=2)


StoresMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
MirrorMachine.TestCase.settings = StoresMachine.TestCase.settings


TestSqliteMachine = StoresMachine.TestCase
TestMirrorMachine = MirrorMachine.TestCase
