"""Whatever becomes of a write and whatever its caller hears of it, the mirror ends up as the store is."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from attrs import evolve, frozen

from qlive_adapters.mirror.mirror import Mirror
from qlive_adapters.sqlite.store import SqliteStores
from qlive_core.errors import LostRace, StoreUnavailable
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.session import Session

from .kinds import ACCOUNTS, PKS, PLACES, PRESENCES, ROOMS, SESSIONS, Kind, a_pk, a_room
from .unsure import Fate, UnsureStores

MIRRORED = (ACCOUNTS, SESSIONS, ROOMS, PLACES, PKS, PRESENCES)
WHOLE = ("rooms", "places", "pks", "presences")
PATIENCE_S = 30.0

Act = Callable[[Any], Awaitable[Any]]


@frozen(repr=False)
class Write:
    """One way to write: what has to be there before, and the write itself, on any set of stores."""

    name: str
    before: Act
    act: Act

    def __repr__(self) -> str:
        return self.name


def _add(kind: Kind, number: int = 1) -> Act:
    fact = kind.make(number, "")
    limit = {"limit": 0} if kind is ROOMS else {}
    return lambda stores: kind.store(stores).add(fact, **limit)


async def _nothing(_: Any) -> None:
    """Nothing has to be there."""


def _writes_of(kind: Kind) -> Sequence[Write]:
    fact = kind.make(1, "")
    return (
        Write(f"{kind.name}.add", _nothing, _add(kind)),
        Write(
            f"{kind.name}.replace",
            _add(kind),
            lambda stores: kind.store(stores).replace(kind.change(fact, 7.0)),
        ),
        Write(f"{kind.name}.remove", _add(kind), lambda stores: kind.store(stores).remove(fact)),
    )


WRITES = (
    *(write for kind in MIRRORED for write in _writes_of(kind)),
    Write("sessions.purge", _add(SESSIONS), lambda stores: stores.sessions.purge(1e12)),
    Write(
        "places.clear_room", _add(PLACES), lambda stores: stores.places.clear_room(PLACES.make(1, "").room_id)
    ),
    Write(
        "presences.expect_all",
        _add(PRESENCES),
        lambda stores: stores.presences.expect_all(99.0, node="another"),
    ),
)


@pytest.fixture
async def truth() -> AsyncIterator[SqliteStores]:
    """What is really stored."""
    stores = SqliteStores(":memory:")
    yield stores
    await stores.close()


async def what_is_said(stores: Any) -> dict[str, Any]:
    """Return what those stores answer about everything that the writes above are about."""
    said: dict[str, Any] = {
        kind.name: await kind.store(stores).get(kind.key_of(kind.make(1, ""))) for kind in MIRRORED
    }
    for name in WHOLE:
        facts = await getattr(stores, name).all()
        said[f"all {name}"] = sorted(facts, key=repr)
    said["by phone"] = await stores.accounts.by_phone(ACCOUNTS.make(1, "").phone)
    said["by token"] = await stores.sessions.by_token_hash(SESSIONS.make(1, "").token_hash)
    said["audience"] = dict(await stores.places.audience_numbers())
    return said


async def until_they_agree(mirror: Mirror, truth: SqliteStores) -> None:
    """Wait until the mirror says what the store says."""
    give_up_at = time.monotonic() + PATIENCE_S
    while (mirrored := await what_is_said(mirror)) != (stored := await what_is_said(truth)):
        assert time.monotonic() < give_up_at, f"the mirror says {mirrored}, the store {stored}"
        await asyncio.sleep(0.01)


async def attempt(mirror: Mirror, write: Write, fate: Fate) -> None:
    """Try the write, and go away from it if it is to be given up."""
    trying = asyncio.ensure_future(write.act(mirror))
    if fate is Fate.GIVEN_UP:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        trying.cancel()
    with suppress(StoreUnavailable, asyncio.CancelledError):
        await trying


@pytest.mark.parametrize("blind", [False, True], ids=["reads answer", "reads fail too"])
@pytest.mark.parametrize("fate", list(Fate)[1:], ids=lambda fate: fate.name)
@pytest.mark.parametrize("write", WRITES, ids=repr)
async def test_the_mirror_learns_what_became_of_a_write(
    truth: SqliteStores, write: Write, fate: Fate, *, blind: bool
) -> None:
    """Also if the mirror has looked, and found nothing, before a late write takes place."""
    unsure = UnsureStores(truth)
    mirror = Mirror(unsure)
    await write.before(mirror)
    unsure.fate, unsure.hides = fate, blind
    await attempt(mirror, write, fate)
    await asyncio.sleep(0.05)  # time to look too early
    unsure.fate, unsure.hides = Fate.WELL, False
    await unsure.land()
    await until_they_agree(mirror, truth)


async def test_a_token_in_doubt_is_asked_for(truth: SqliteStores) -> None:
    """A token whose logout may have taken place is not answered from memory: not for a moment."""
    unsure = UnsureStores(truth)
    mirror = Mirror(unsure)
    session = Session("user", "token", 10.0)
    await mirror.sessions.add(session)
    unsure.fate = Fate.LATE
    with pytest.raises(StoreUnavailable):
        await mirror.sessions.remove(session)
    assert await mirror.sessions.by_token_hash("token") == session
    await unsure.land()
    assert await mirror.sessions.by_token_hash("token") is None
    assert await mirror.sessions.get("user") is None


async def test_a_new_fact_under_the_key_of_a_doubtful_one(truth: SqliteStores) -> None:
    """A late write that comes after a newer one is void, and the newer one is what the mirror says."""
    unsure = UnsureStores(truth)
    mirror = Mirror(unsure)
    session = Session("user", "token", 10.0, rev=5)
    await mirror.sessions.add(session)
    unsure.fate = Fate.LATE
    with pytest.raises(StoreUnavailable):
        await mirror.sessions.remove(session)
    unsure.fate = Fate.WELL
    new = await mirror.sessions.replace(evolve(session, token_hash="new"))
    with pytest.raises(LostRace):
        await unsure.land()
    assert await mirror.sessions.by_token_hash("new") == new == await truth.sessions.get("user")
    assert await mirror.sessions.by_token_hash("token") is None


async def test_what_the_sweep_reads_corrects_the_mirror(truth: SqliteStores) -> None:
    """What is due or left behind, and what the store says is missing, is in the mirror as it is in the store."""
    mirror = Mirror(truth)
    ghost, ghost_presence, ghost_host = (
        a_room(7),
        PRESENCES.make(3, ""),
        Place("user2", "room2", PlaceKind.HOSTING),
    )
    await mirror.rooms.add(ghost, limit=0)
    await mirror.presences.add(ghost_presence)
    await mirror.places.add(ghost_host)
    await truth.rooms.remove(ghost)
    await truth.presences.remove(ghost_presence)
    await truth.places.remove(ghost_host)
    await truth.rooms.add(a_room(2), limit=0)  # its host has no place
    await truth.places.add(Place("user3", "room7", PlaceKind.WATCHING))  # nor room nor presence
    await truth.places.add(Place("user4", "room2", PlaceKind.ASKING, seat=1, seat_until=9.0))
    await truth.pks.add(a_pk(1, 7, 9, expires=10.0))
    await truth.presences.add(PRESENCES.make(4, "").until(10.0))
    assert await mirror.pks.due(11.0)
    assert await mirror.pks.roomless()
    assert await mirror.presences.due(11.0)
    assert await mirror.places.due(11.0)
    assert await mirror.places.roomless()
    assert await mirror.places.unattended()
    assert await mirror.rooms.hostless()
    for name in WHOLE:
        mirrored, stored = await getattr(mirror, name).all(), await getattr(truth, name).all()
        assert sorted(mirrored, key=repr) == sorted(stored, key=repr), name
