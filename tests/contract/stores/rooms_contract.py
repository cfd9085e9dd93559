"""What holds for rooms and for who is in them."""

import pytest
from attrs import evolve

from qlive_adapters.mirror.wrapped import Stores
from qlive_core.errors import Duplicate, RoomLimitReached
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence

from .facts_contract import outcomes, wins
from .kinds import Ground, a_room


class RoomsContract:
    """RoomStore."""

    async def test_found_by_name_and_creator(self, stores: Stores) -> None:
        """A room is found by its name and by who hosts it."""
        room = a_room(1)
        await stores.rooms.add(room, limit=0)
        assert await stores.rooms.by_name("name1") == room
        assert await stores.rooms.by_creator("user1") == room
        assert await stores.rooms.by_name("name2") is None
        assert await stores.rooms.by_creator("user2") is None

    async def test_renamed(self, stores: Stores) -> None:
        """A renamed room is found by its new name, and its old one is free."""
        room = a_room(1)
        await stores.rooms.add(room, limit=0)
        renamed = await stores.rooms.replace(room.renamed("other"))
        assert await stores.rooms.by_name("other") == renamed
        assert await stores.rooms.by_name("name1") is None
        await stores.rooms.add(evolve(a_room(2), name="name1"), limit=0)

    async def test_names_are_exact(self, stores: Stores) -> None:
        """Names that differ in case, accents or spaces only are different names."""
        names = ["Cafe", "cafe", "café", "cafe ", "cafe\u0301"]
        for n, name in enumerate(names):
            await stores.rooms.add(evolve(a_room(n), name=name), limit=0)
        found = [await stores.rooms.by_name(name) for name in names]
        assert [room and room.id for room in found] == [a_room(n).id for n in range(len(names))]

    async def test_in_creation_order(self, stores: Stores) -> None:
        """All rooms come oldest first, and in the order of their ids if they are of one age."""
        rooms = [a_room(3, created_at=1.0), a_room(1, created_at=2.0), a_room(2, created_at=2.0)]
        for room in reversed(rooms):
            await stores.rooms.add(room, limit=0)
        assert list(await stores.rooms.all()) == rooms
        assert await stores.rooms.count() == 3
        await stores.rooms.remove(rooms[1])
        assert list(await stores.rooms.all()) == [rooms[0], rooms[2]]

    async def test_limit_is_exact(self, stores: Stores) -> None:
        """However many rooms are opened at the same time, there are never more than the limit."""
        results = await outcomes(*(stores.rooms.add(a_room(n), limit=7) for n in range(40)))
        assert len(wins(results)) == 7
        assert sum(isinstance(result, RoomLimitReached) for result in results) == 33
        assert await stores.rooms.count() == len(await stores.rooms.all()) == 7

    async def test_closing_makes_room(self, stores: Stores) -> None:
        """Under a limit that is reached, a room can be opened once another one is closed."""
        await stores.rooms.add(a_room(1), limit=1)
        with pytest.raises(RoomLimitReached):
            await stores.rooms.add(a_room(2), limit=1)
        await stores.rooms.remove(a_room(1))
        await stores.rooms.add(a_room(2), limit=1)
        assert list(await stores.rooms.all()) == [a_room(2)]

    async def test_zero_is_no_limit(self, stores: Stores) -> None:
        """Limit 0 allows any number of rooms."""
        await outcomes(*(stores.rooms.add(a_room(n), limit=0) for n in range(30)))
        assert await stores.rooms.count() == 30

    async def test_refused_rooms_do_not_count(self, stores: Stores) -> None:
        """Rooms whose name is taken use up nothing of the limit."""
        rivals = [evolve(a_room(n), name="same") for n in range(10)]
        results = await outcomes(*(stores.rooms.add(room, limit=2) for room in rivals))
        assert sum(isinstance(result, Duplicate) for result in results) == 9
        await stores.rooms.add(a_room(20), limit=2)
        assert await stores.rooms.count() == 2

    async def test_hostless(self, stores: Stores) -> None:
        """A room is hostless unless its creator's place hosts that very room."""
        for n in range(4):
            await stores.rooms.add(a_room(n), limit=0)
        await stores.places.add(Place("user0", "room0", PlaceKind.HOSTING))
        await stores.places.add(Place("user1", "room1", PlaceKind.WATCHING))
        await stores.places.add(Place("user2", "room0", PlaceKind.HOSTING))
        assert {room.id for room in await stores.rooms.hostless()} == {"room1", "room2", "room3"}


class PlacesContract:
    """PlaceStore."""

    async def test_in_room(self, stores: Stores) -> None:
        """Those in a room are its host, its audience and those whose lease ran out there."""
        here = {Place(kind.value, "here", kind) for kind in PlaceKind}
        for place in here | {Place("stranger", "elsewhere", PlaceKind.WATCHING)}:
            await stores.places.add(place)
        assert set(await stores.places.in_room("here")) == here
        assert list(await stores.places.in_room("nowhere")) == []
        assert len(await stores.places.all()) == len(here) + 1

    async def test_moving(self, stores: Stores) -> None:
        """Who moves to another room is there and no longer here."""
        place = Place("user", "here", PlaceKind.WATCHING)
        await stores.places.add(place)
        moved = await stores.places.replace(evolve(place, room_id="there"))
        assert list(await stores.places.in_room("here")) == []
        assert list(await stores.places.in_room("there")) == [moved]
        assert dict(await stores.places.audience_numbers()) == {"there": 1}

    async def test_audience_numbers(self, stores: Stores) -> None:
        """Those who watch are counted, with a seat or without, and rooms that nobody watches are left out."""
        for n in range(3):
            await stores.places.add(Place(f"watcher{n}", "full", PlaceKind.WATCHING))
        await stores.places.add(Place("host", "full", PlaceKind.HOSTING))
        await stores.places.add(Place("sleeper", "empty", PlaceKind.LAPSED))
        assert dict(await stores.places.audience_numbers()) == {"full": 3}
        for kind in (PlaceKind.ASKING, PlaceKind.INVITED, PlaceKind.SEATED):
            await stores.places.add(Place(kind.value, "singing", kind))
        assert dict(await stores.places.audience_numbers()) == {"full": 3, "singing": 3}
        await stores.places.clear_room("singing")
        await stores.places.replace(Place("watcher0", "full", PlaceKind.LAPSED))
        await stores.places.remove(Place("watcher1", "full", PlaceKind.WATCHING))
        assert dict(await stores.places.audience_numbers()) == {"full": 1}

    async def test_clear_room(self, stores: Stores) -> None:
        """Clearing a room removes all places in it and no others; clearing it again does nothing."""
        stranger = Place("stranger", "elsewhere", PlaceKind.WATCHING)
        for place in (stranger, *(Place(kind.value, "here", kind) for kind in PlaceKind)):
            await stores.places.add(place)
        await stores.places.clear_room("here")
        await stores.places.clear_room("here")
        assert list(await stores.places.in_room("here")) == []
        assert list(await stores.places.all()) == [stranger]
        assert dict(await stores.places.audience_numbers()) == {"elsewhere": 1}

    async def test_seats(self, stores: Stores) -> None:
        """Seats of a room come in their order; the same seat of another room is another seat."""
        places = [Place(f"user{seat}", "room", PlaceKind.SEATED, seat=seat) for seat in (0, 3, 7)]
        for place in (*reversed(places), Place("else", "other", PlaceKind.ASKING, seat=3)):
            await stores.places.add(place)
        await stores.places.add(Place("watcher", "room", PlaceKind.WATCHING))
        assert list(await stores.places.seats("room")) == places
        with pytest.raises(Duplicate):
            await stores.places.add(Place("late", "room", PlaceKind.ASKING, seat=7))
        moved = await stores.places.replace(evolve(places[0], seat=5))
        freed = await stores.places.replace(evolve(places[2], kind=PlaceKind.WATCHING, seat=None))
        assert freed.seat is None
        assert list(await stores.places.seats("room")) == [places[1], moved]
        await stores.places.add(Place("late", "room", PlaceKind.ASKING, seat=7))
        await stores.places.clear_room("room")
        assert list(await stores.places.seats("room")) == []
        assert [place.user_id for place in await stores.places.seats("other")] == ["else"]

    async def test_due(self, stores: Stores) -> None:
        """Due are requests and invitations that end before that time; a seat that is held does not."""
        for user, until in (("seated", None), ("early", 10.0), ("late", 20.0)):
            await stores.places.add(
                Place(user, f"room of {user}", PlaceKind.ASKING, seat=1, seat_until=until)
            )
        assert list(await stores.places.due(10.0)) == []
        assert [place.user_id for place in await stores.places.due(10.5)] == ["early"]

    async def test_roomless(self, stores: Stores) -> None:
        """Places whose room does not exist are roomless."""
        await stores.rooms.add(a_room(1), limit=0)
        await stores.places.add(Place("user1", "room1", PlaceKind.HOSTING))
        lost = {Place("user2", "gone", PlaceKind.WATCHING), Place("user3", "gone", PlaceKind.LAPSED)}
        for place in lost:
            await stores.places.add(place)
        assert set(await stores.places.roomless()) == lost

    async def test_unattended(self, stores: Stores) -> None:
        """Places of users without a presence are unattended, unless they have lapsed."""
        for kind in PlaceKind:
            await stores.places.add(Place(kind.value, "room", kind))
        await stores.presences.add(Presence("hosting", "connection", "node", None))
        there = {PlaceKind.HOSTING, PlaceKind.LAPSED}
        unattended = {Place(kind.value, "room", kind) for kind in PlaceKind if kind not in there}
        assert set(await stores.places.unattended()) == unattended

    async def test_survives_reopening_by_room(self, ground: Ground) -> None:
        """After a restart the same users are in the same rooms."""
        place = Place("user", "room", PlaceKind.WATCHING)
        await ground.stores.places.add(place)
        await ground.reopen()
        assert list(await ground.stores.places.in_room("room")) == [place]
        assert dict(await ground.stores.places.audience_numbers()) == {"room": 1}
