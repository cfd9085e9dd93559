"""What the stores ought to hold, in plain dicts, and what their queries ought to answer."""

from typing import Any

from attrs import evolve

from qlive_core.errors import Duplicate, LostRace, RoomLimitReached, Stale
from qlive_core.model.place import PlaceKind

from .kinds import KINDS, PKS, PLACES, Kind


def occupied(kind: Kind, fact: Any) -> set[tuple[str, str]]:
    """Return the names and values of all that must be unique about the fact."""
    if kind is PKS:
        return {("id", fact.id), ("room_id", fact.proposer.room_id), ("room_id", fact.target.room_id)}
    if kind is PLACES:
        seat = set() if fact.seat is None else {("seat", f"{fact.room_id} {fact.seat}")}
        return {("user_id", fact.user_id), *seat}
    return {(field, getattr(fact, field)) for field in (kind.key, *kind.take)}


class Model:
    """Facts by kind and identity."""

    def __init__(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {kind.name: {} for kind in KINDS}

    def of(self, kind: Kind) -> dict[str, Any]:
        """Return the facts of that kind, by identity."""
        return self.facts[kind.name]

    def taken(self, kind: Kind, fact: Any, *, by_others: bool) -> set[str]:
        """Return the names of the fields whose values are held, by facts of other identity or by any."""
        own = occupied(kind, fact)
        holders = [
            holder for key, holder in self.of(kind).items() if not by_others or key != kind.key_of(fact)
        ]
        return {field for holder in holders for field, _ in own & occupied(kind, holder)}

    def add(self, kind: Kind, fact: Any, limit: int) -> list[Exception]:
        """Add the fact, or return the errors of which any will do."""
        fields = self.taken(kind, fact, by_others=False)
        errors: list[Exception] = [Duplicate(type(fact).__name__, field) for field in sorted(fields)]
        if limit and len(self.of(kind)) >= limit:
            errors.append(RoomLimitReached())
        if not errors:
            self.of(kind)[kind.key_of(fact)] = fact
        return errors

    def replace(self, kind: Kind, fact: Any) -> list[Exception]:
        """Replace the fact, or return the errors of which any will do."""
        errors = self._stale(kind, fact)
        if not errors:
            errors = [
                Duplicate(type(fact).__name__, field)
                for field in sorted(self.taken(kind, fact, by_others=True))
            ]
        if not errors:
            self.of(kind)[kind.key_of(fact)] = evolve(fact, rev=fact.rev + 1)
        return errors

    def remove(self, kind: Kind, fact: Any) -> list[Exception]:
        """Remove the fact, or return the errors of which any will do."""
        errors = self._stale(kind, fact)
        if not errors:
            del self.of(kind)[kind.key_of(fact)]
        return errors

    def _stale(self, kind: Kind, fact: Any) -> list[Exception]:
        stored = self.of(kind).get(kind.key_of(fact))
        if stored is not None and stored.rev == fact.rev:
            return []
        return [Stale(type(fact).__name__, kind.key_of(fact))]

    def rooms(self) -> list[Any]:
        """Return all rooms, oldest first."""
        return sorted(self.facts["rooms"].values(), key=lambda room: (room.created_at, room.id))

    def in_room(self, room_id: str) -> set[Any]:
        """Return the places that name the room."""
        return {place for place in self.facts["places"].values() if place.room_id == room_id}

    def clear_room(self, room_id: str) -> None:
        """Remove the places that name the room."""
        for place in self.in_room(room_id):
            del self.facts["places"][place.user_id]

    def audience_numbers(self) -> dict[str, int]:
        """Return how many are in the audience of each room."""
        nobody = (PlaceKind.HOSTING, PlaceKind.LAPSED)
        watched = [p.room_id for p in self.facts["places"].values() if p.kind not in nobody]
        return {room_id: watched.count(room_id) for room_id in watched}

    def seats(self, room_id: str) -> list[Any]:
        """Return the places of the room that have a seat, in the order of seats."""
        return sorted((p for p in self.in_room(room_id) if p.seat is not None), key=lambda place: place.seat)

    def places_due(self, before: float) -> set[Any]:
        """Return the places that have a deadline before that time."""
        places = self.facts["places"].values()
        return {p for p in places if p.seat_until is not None and p.seat_until < before}

    def hostless(self) -> set[Any]:
        """Return rooms that their creators do not host."""
        hosting = {
            (p.user_id, p.room_id) for p in self.facts["places"].values() if p.kind is PlaceKind.HOSTING
        }
        return {room for room in self.rooms() if (room.creator, room.id) not in hosting}

    def roomless_places(self) -> set[Any]:
        """Return places in rooms that do not exist."""
        return {p for p in self.facts["places"].values() if p.room_id not in self.facts["rooms"]}

    def unattended(self) -> set[Any]:
        """Return places of users who are not there."""
        places = {p for p in self.facts["places"].values() if p.kind is not PlaceKind.LAPSED}
        return {p for p in places if p.user_id not in self.facts["presences"]}

    def roomless_pks(self) -> set[Any]:
        """Return PKs of rooms that do not exist."""
        rooms = self.facts["rooms"].keys()
        return {
            pk for pk in self.facts["pks"].values() if not {pk.proposer.room_id, pk.target.room_id} <= rooms
        }

    def purge_sessions(self, expired_before: float) -> int:
        """Remove sessions that have expired and return how many."""
        sessions = self.facts["sessions"]
        expired = [key for key, session in sessions.items() if session.expires_at < expired_before]
        for key in expired:
            del sessions[key]
        return len(expired)


def same_error(error: Exception | None, expected: list[Exception]) -> bool:
    """Tell whether the error is one of those expected, down to its fields, or there is none and should be none."""
    if isinstance(error, LostRace):
        return any(type(error) is type(other) and vars(error) == vars(other) for other in expected)
    return type(error) in {type(other) for other in expected} if expected else error is None
