"""Rooms as viewers see them, written once and shown until something about them changes."""

from collections.abc import Callable

from qlive_app.http.answers import Person, RoomPicture, person, seat_pictures
from qlive_core.model.status import RoomStatus, room_status
from qlive_core.signalling.lenient_json import encode_fields
from qlive_core.usecases.directory import RoomFacts

CAPACITY = 4096

# Revisions of everything that a picture is made of. Which accounts are meant follows from the room and the PK,
# and from who sits where.
_Key = tuple[int, int, int, str, int, int, tuple[tuple[int, str, int], ...]]


class RoomPictures:
    """Writes pictures of rooms. Keeps the last one of each room, with seats and without, at most `capacity`.

    `play_url` of a room gives the same until `play_url_version` returns another number; without that, for ever.
    """

    def __init__(
        self,
        play_url: Callable[[str], str],
        *,
        play_url_version: Callable[[], int] | None = None,
        capacity: int = CAPACITY,
    ) -> None:
        self._play_url = play_url
        self._play_url_version = play_url_version
        self._shown_version = 0
        self._capacity = capacity
        self._kept: dict[tuple[str, bool], tuple[_Key, str]] = {}

    def text(self, facts: RoomFacts) -> str:
        """Return the picture as JSON."""
        if self._play_url_version is not None:
            self._forget_older(self._play_url_version())
        # Lists show no seats, so a voice room has two pictures.
        which, key = (facts.room.id, bool(facts.seats)), _key(facts)
        kept = self._kept.get(which)
        if kept is not None and kept[0] == key:
            return kept[1]
        text = encode_fields(self._picture(facts))
        if kept is None and len(self._kept) >= self._capacity:
            del self._kept[next(iter(self._kept))]
        self._kept[which] = key, text
        return text

    def _forget_older(self, version: int) -> None:
        if version != self._shown_version:
            self._kept.clear()
            self._shown_version = version

    def _picture(self, facts: RoomFacts) -> RoomPicture:
        room = facts.room
        return RoomPicture(
            id=room.id,
            name=room.name,
            type=room.type.value,
            creator=person(room.creator, facts.creator),
            play_url=self._play_url(room.creator),
            audience_number=facts.audience_number,
            status=room_status(room, facts.pk).value,
            pk_anchor=opponent(facts),
            joined_audiences=seat_pictures(facts.seats),
        )


def opponent(facts: RoomFacts) -> Person | None:
    """Return the other host of a room whose status is PK."""
    if facts.pk is None or room_status(facts.room, facts.pk) is not RoomStatus.PK:
        return None
    return person(facts.pk.opponent_of(facts.room.id).user_id, facts.anchor)


def _key(facts: RoomFacts) -> _Key:
    room, creator, audience_number, pk, anchor, seats = facts
    return (
        room.rev,
        creator.rev if creator else 0,
        audience_number,
        pk.id if pk else "",
        pk.rev if pk else 0,
        anchor.rev if anchor else 0,
        tuple((seat, user_id, account.rev if account else 0) for seat, user_id, account in seats),
    )
