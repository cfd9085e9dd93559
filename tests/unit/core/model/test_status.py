"""Statuses follow from facts."""

import pytest

from qlive_core.model.pk import Pk, PkState, Side
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.room import Room, RoomType
from qlive_core.model.status import room_status, shown_room, user_status

ROOM = Room("room-1", "one", RoomType.PK, "host-1", 0.0)
VOICE = Room("room-1", "one", RoomType.VOICE, "host-1", 0.0)
OFFERED = Pk("pk", PkState.OFFERED, Side("host-1", "room-1"), Side("host-2", "room-2"), 10.0)
LIVE = Pk("pk", PkState.LIVE, Side("host-1", "room-1"), Side("host-2", "room-2"), 10.0)
HOSTING = Place("host-1", "room-1", PlaceKind.HOSTING)
WATCHING = Place("viewer", "room-1", PlaceKind.WATCHING)
LAPSED = Place("viewer", "room-1", PlaceKind.LAPSED)


def seated(kind: PlaceKind) -> Place:
    """Return the place of somebody who has to do with a seat."""
    return Place("viewer", "room-1", kind, seat=3)


@pytest.mark.parametrize(
    ("room", "pk", "status"),
    [(ROOM, None, "single"), (ROOM, OFFERED, "waitPK"), (ROOM, LIVE, "PK"), (VOICE, None, "voiceLive")],
)
def test_status_of_a_room(room: Room, pk: Pk | None, status: str) -> None:
    """A room is what its PK makes it; a voice room is always the same."""
    assert room_status(room, pk).value == status


@pytest.mark.parametrize(
    ("place", "room", "pk", "status"),
    [
        (None, None, None, "idle"),
        (HOSTING, None, None, "idle"),
        (WATCHING, None, None, "idle"),
        (LAPSED, ROOM, None, "idle"),
        (WATCHING, ROOM, None, "watching"),
        (seated(PlaceKind.ASKING), VOICE, None, "joinWait"),
        (seated(PlaceKind.INVITED), VOICE, None, "watching"),
        (seated(PlaceKind.SEATED), VOICE, None, "joined"),
        (seated(PlaceKind.SEATED), None, None, "idle"),
        (HOSTING, ROOM, None, "singleLive"),
        (HOSTING, VOICE, None, "singleLive"),
        (HOSTING, ROOM, OFFERED, "pkWait"),
        (HOSTING, ROOM, LIVE, "pkLive"),
    ],
)
def test_status_of_a_user(place: Place | None, room: Room | None, pk: Pk | None, status: str) -> None:
    """A place in a room that is gone is nowhere, and so is a lapsed one."""
    assert user_status(place, room, pk).value == status


def test_the_room_that_a_host_is_shown() -> None:
    """During a PK both hosts are in the target's room, as in the original; while waiting each is at home."""
    assert shown_room(ROOM, None) == shown_room(ROOM, OFFERED) == "room-1"
    assert shown_room(ROOM, LIVE) == "room-2"
