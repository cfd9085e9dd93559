"""What a mirror does when others write behind its back, and what it counts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attrs import evolve

from qlive_adapters.mirror.mirror import Mirror
from qlive_adapters.mirror.recent import MirroredSessions
from qlive_adapters.sqlite.engine import Engine
from qlive_adapters.sqlite.sessions import SqliteSessions
from qlive_adapters.sqlite.store import SqliteStores
from qlive_core.errors import Duplicate, Stale, StoreUnavailable
from qlive_core.model.pk import PkState
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.session import Session

from .kinds import ACCOUNTS, PLACES, PRESENCES, a_pk, a_room


@pytest.fixture
async def truth(tmp_path: Path) -> AsyncIterator[SqliteStores]:
    """The wrapped stores, which other nodes write to as well."""
    stores = SqliteStores(tmp_path / "qlive.db")
    yield stores
    await stores.close()


@pytest.fixture
def mirror(truth: SqliteStores) -> Mirror:
    """A mirror that was loaded when nothing was there yet."""
    return Mirror(truth)


async def test_load(truth: SqliteStores, mirror: Mirror) -> None:
    """A mirror that has loaded answers with all that was there before it."""
    await truth.rooms.add(a_room(1), limit=0)
    await truth.places.add(Place("user1", "room1", PlaceKind.HOSTING))
    await truth.pks.add(a_pk(1, 1, 2))
    await truth.presences.add(PRESENCES.make(1, ""))
    await mirror.load()
    assert list(await mirror.rooms.all()) == [a_room(1)]
    assert [place.user_id for place in await mirror.places.in_room("room1")] == ["user1"]
    assert await mirror.pks.of_room("room2") == a_pk(1, 1, 2)
    assert list(await mirror.presences.all()) == [PRESENCES.make(1, "")]


async def test_stale_room_is_looked_at_again(truth: SqliteStores, mirror: Mirror) -> None:
    """Who loses to another node's change then reads that change."""
    await mirror.rooms.add(a_room(1), limit=0)
    theirs = await truth.rooms.replace(a_room(1).renamed("theirs"))
    with pytest.raises(Stale):
        await mirror.rooms.replace(a_room(1).renamed("ours"))
    assert await mirror.rooms.get("room1") == await mirror.rooms.by_name("theirs") == theirs
    assert await mirror.rooms.by_name("name1") is None


async def test_removed_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """Who loses to another node's removal then reads that it is gone."""
    place = Place("user1", "room1", PlaceKind.WATCHING)
    await mirror.places.add(place)
    await truth.places.remove(place)
    with pytest.raises(Stale):
        await mirror.places.remove(place)
    assert await mirror.places.get("user1") is None
    assert dict(await mirror.places.audience_numbers()) == {}


async def test_name_taken_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """Who loses a name to another node then reads who holds it."""
    theirs = evolve(a_room(2), name="name1")
    await truth.rooms.add(theirs, limit=0)
    with pytest.raises(Duplicate):
        await mirror.rooms.add(a_room(1), limit=0)
    assert await mirror.rooms.by_name("name1") == theirs
    assert list(await mirror.rooms.all()) == [theirs]


async def test_name_passed_on_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """A room that gave up its name unnoticed does not take it from the room that has it now."""
    await mirror.rooms.add(a_room(1), limit=0)
    await truth.rooms.replace(a_room(1).renamed("other"))
    heir = evolve(a_room(2), name="name1")
    await mirror.rooms.add(heir, limit=0)
    await mirror.rooms.refresh("room1")
    assert await mirror.rooms.by_name("name1") == heir
    await truth.rooms.remove(evolve(a_room(1), rev=2))
    await mirror.rooms.refresh("room1")
    assert await mirror.rooms.by_name("other") is None


async def test_rooms_taken_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """Who loses both rooms to PKs of other nodes then reads both."""
    theirs = a_pk(2, 1, 3), a_pk(3, 2, 4)
    for pk in theirs:
        await truth.pks.add(pk)
    with pytest.raises(Duplicate):
        await mirror.pks.add(a_pk(1, 1, 2))
    assert (await mirror.pks.of_room("room1"), await mirror.pks.of_room("room2")) == theirs


async def test_identity_taken_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """Who adds what another node has added then reads that."""
    theirs = Place("user1", "theirs", PlaceKind.WATCHING)
    await truth.places.add(theirs)
    with pytest.raises(Duplicate):
        await mirror.places.add(Place("user1", "ours", PlaceKind.WATCHING))
    assert await mirror.places.get("user1") == theirs


async def test_seat_taken_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """Who loses a seat to somebody at another node then sees who has it."""
    ours, theirs = (
        Place("user1", "room", PlaceKind.WATCHING),
        Place("user2", "room", PlaceKind.SEATED, seat=3),
    )
    await mirror.places.add(ours)
    await truth.places.add(theirs)
    with pytest.raises(Duplicate):
        await mirror.places.replace(evolve(ours, kind=PlaceKind.ASKING, seat=3))
    assert list(await mirror.places.seats("room")) == [theirs]
    assert await mirror.places.get("user1") == ours


async def test_token_replaced_elsewhere(truth: SqliteStores, mirror: Mirror) -> None:
    """A login that loses to another node's login makes the mirror forget the old token."""
    session = Session("user", "old", 10.0)
    await mirror.sessions.add(session)
    await truth.sessions.replace(evolve(session, token_hash="theirs"))
    with pytest.raises(Stale):
        await mirror.sessions.replace(evolve(session, token_hash="ours"))
    assert await mirror.sessions.by_token_hash("old") is None
    assert await mirror.sessions.by_token_hash("theirs") is not None


async def test_refresh(truth: SqliteStores, mirror: Mirror) -> None:
    """Told that a fact has changed, the mirror looks at it again."""
    await truth.rooms.add(a_room(1), limit=0)
    await mirror.rooms.refresh("room1")
    assert await mirror.rooms.by_creator("user1") == a_room(1)
    await truth.rooms.remove(a_room(1))
    await mirror.rooms.refresh("room1")
    assert await mirror.rooms.by_creator("user1") is None


async def test_unknown_token_is_asked_for_again(truth: SqliteStores, mirror: Mirror) -> None:
    """A token that another node has just issued is accepted, though it was unknown before."""
    assert await mirror.sessions.by_token_hash("token") is None
    await truth.sessions.add(Session("user", "token", 10.0))
    assert await mirror.sessions.by_token_hash("token") == Session("user", "token", 10.0)


class SlowSessions(SqliteSessions):
    """Sessions behind a slow wire: an answer to a question about a token comes when it is let through."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.asked, self.let_through = asyncio.Event(), asyncio.Event()

    async def by_token_hash(self, token_hash: str) -> Session | None:
        """Look at once, answer late."""
        session = await super().by_token_hash(token_hash)
        self.asked.set()
        await self.let_through.wait()
        return session


async def test_late_answer_does_not_undo_a_logout() -> None:
    """A session that ends while somebody is still asking for it does not live on in the cache."""
    engine = Engine(":memory:")
    slow = SlowSessions(engine)
    await slow.add(Session("user", "token", 10.0))
    sessions = MirroredSessions(slow)
    question = asyncio.ensure_future(sessions.by_token_hash("token"))
    await slow.asked.wait()
    await sessions.remove(Session("user", "token", 10.0))
    slow.let_through.set()
    await question
    assert await sessions.by_token_hash("token") is None
    assert await sessions.get("user") is None
    await engine.close()


async def test_cancelled_write_is_mirrored(mirror: Mirror) -> None:
    """A write whose caller is cancelled takes place, and the mirror knows of it."""
    caller = asyncio.ensure_future(mirror.rooms.add(a_room(1), limit=0))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(Duplicate):
        await mirror.rooms.add(a_room(1), limit=0)
    assert await mirror.rooms.by_name("name1") == a_room(1)


async def test_sweep_asks_for_the_truth(truth: SqliteStores, mirror: Mirror) -> None:
    """What is due or left behind is found, whichever node left it."""
    await truth.rooms.add(a_room(1), limit=0)
    await truth.places.add(Place("user2", "gone", PlaceKind.WATCHING))
    await truth.pks.add(a_pk(1, 8, 9, expires=10.0))
    await truth.presences.add(PRESENCES.make(1, "").until(10.0))
    assert len(await mirror.rooms.hostless()) == await mirror.rooms.count() == 1
    assert len(await mirror.places.roomless()) == len(await mirror.places.unattended()) == 1
    assert len(await mirror.pks.due(11.0)) == len(await mirror.pks.roomless()) == 1
    assert len(await mirror.presences.due(11.0)) == 1


async def test_version_moves_with_the_room_list(mirror: Mirror) -> None:
    """Each change of rooms, places, PKs and accounts moves the version; reading and refusals do not."""
    seen = [mirror.version]

    def moved() -> bool:
        seen.append(mirror.version)
        return seen[-1] != seen[-2]

    await mirror.rooms.add(a_room(1), limit=0)
    assert moved()
    await mirror.places.add(PLACES.make(1, ""))
    assert moved()
    await mirror.places.clear_room("room")
    assert moved()
    await mirror.pks.add(a_pk(1, 1, 2))
    assert moved()
    await mirror.pks.replace(a_pk(1, 1, 2, state=PkState.LIVE))
    assert moved()
    await mirror.accounts.add(ACCOUNTS.make(1, ""))
    assert moved()
    await mirror.presences.add(PRESENCES.make(1, ""))
    await mirror.rooms.all()
    await mirror.accounts.get("user1")
    assert not moved()


async def test_room_list_in_hand_stays(mirror: Mirror) -> None:
    """A room list that somebody is walking through does not change under his feet."""
    await mirror.rooms.add(a_room(1), limit=0)
    in_hand = await mirror.rooms.all()
    await mirror.rooms.add(a_room(2), limit=0)
    assert list(in_hand) == [a_room(1)]
    assert list(await mirror.rooms.all()) == [a_room(1), a_room(2)]


async def test_reads_need_no_store(truth: SqliteStores, mirror: Mirror) -> None:
    """What is in memory is answered although the store is gone, and writes are refused."""
    await mirror.rooms.add(a_room(1), limit=0)
    await mirror.accounts.add(ACCOUNTS.make(1, ""))
    await truth.close()
    assert await mirror.rooms.by_name("name1") == a_room(1)
    assert await mirror.accounts.by_phone("phone1") == ACCOUNTS.make(1, "")
    with pytest.raises(StoreUnavailable):
        await mirror.rooms.remove(a_room(1))
    with pytest.raises(StoreUnavailable):
        await mirror.accounts.get("stranger")
