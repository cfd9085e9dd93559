"""Looking at rooms: one, or a list."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from attrs import frozen

from qlive_core.errors import BadRequest, NoSuchRoom
from qlive_core.model.account import Account
from qlive_core.model.pk import Pk, PkState
from qlive_core.model.place import PlaceKind
from qlive_core.model.room import Room, RoomType
from qlive_core.ports.stores import AccountStore, PkStore, PlaceStore, RoomStore

PAGE_LIMIT_MAX = 200


class SeatHolder(NamedTuple):
    """Who sits where. ``account`` is None for an unknown one."""

    position: int
    user_id: str
    account: Account | None


class RoomFacts(NamedTuple):
    """Everything that a room's picture is made of. ``creator`` and ``anchor`` are None for unknown accounts.

    ``anchor`` is the opponent in a PK that is live. ``seats`` are those taken in a voice room, in their order;
    only who asks for one room is told.
    """

    room: Room
    creator: Account | None
    audience_number: int
    pk: Pk | None
    anchor: Account | None
    seats: tuple[SeatHolder, ...] = ()


@frozen
class Query:
    """Which rooms to list: those of ``creator``, or those free for a PK, which wins; else all.

    Only a list by creator shows the caller's own room.
    """

    caller: str
    can_pk: bool = False
    creator: str = ""


@frozen
class Page:
    """One page, newest rooms first. ``next_after`` is where the next one begins, None at the end."""

    rooms: Sequence[RoomFacts]
    next_after: tuple[float, str] | None


@frozen
class Directory:
    """The queries about rooms."""

    rooms: RoomStore
    accounts: AccountStore
    places: PlaceStore
    pks: PkStore

    async def one(self, room_id: str) -> RoomFacts:
        """Return one room. Raises NoSuchRoom."""
        room = await self.rooms.get(room_id)
        if room is None:
            raise NoSuchRoom
        pk = await self.pks.of_room(room_id)
        anchor = _anchor_id(room, pk)
        audiences = await self.places.audience_numbers()
        seats = await self.places.seats(room_id) if room.type is RoomType.VOICE else ()
        seated = [place for place in seats if place.kind is PlaceKind.SEATED]
        people = await self.accounts.get_many({room.creator, anchor, *(p.user_id for p in seated)} - {""})
        return RoomFacts(
            room,
            people.get(room.creator),
            audiences.get(room_id, 0),
            pk,
            people.get(anchor),
            tuple(SeatHolder(p.seat, p.user_id, people.get(p.user_id)) for p in seated if p.seat is not None),
        )

    async def list(self, query: Query) -> Sequence[RoomFacts]:
        """Return the rooms that the query asks for, oldest first."""
        return await self._pictures(await self._select(query))

    async def page(self, query: Query, limit: int, after: tuple[float, str] | None) -> Page:
        """Return up to ``limit`` rooms (1 to 200), newest first, that are older than ``after``.

        Raises BadRequest for another limit.
        """
        if not 1 <= limit <= PAGE_LIMIT_MAX:
            raise BadRequest("invalid limit")
        older = [r for r in reversed(await self._select(query)) if after is None or _position(r) < after]
        shown = older[:limit]
        more = len(older) > limit
        return Page(await self._pictures(shown), _position(shown[-1]) if more else None)

    async def _select(self, query: Query) -> Sequence[Room]:
        if query.can_pk:
            return await self._free_for_pk(query.caller)
        if query.creator:
            room = await self.rooms.by_creator(query.creator)
            return [room] if room else []
        return [room for room in await self.rooms.all() if room.creator != query.caller]

    async def _free_for_pk(self, caller: str) -> Sequence[Room]:
        busy = await self._pk_by_room()
        return [
            room
            for room in await self.rooms.all()
            if room.type is RoomType.PK and room.creator != caller and room.id not in busy
        ]

    async def _pk_by_room(self) -> dict[str, Pk]:
        return {side.room_id: pk for pk in await self.pks.all() for side in (pk.proposer, pk.target)}

    async def _pictures(self, rooms: Sequence[Room]) -> Sequence[RoomFacts]:
        """Four reads whatever the number of rooms."""
        pks = await self._pk_by_room()
        anchors = {room.id: _anchor_id(room, pks.get(room.id)) for room in rooms}
        people = await self.accounts.get_many({r.creator for r in rooms} | set(anchors.values()) - {""})
        audiences = await self.places.audience_numbers()
        account: Callable[[str], Account | None] = people.get
        return [
            RoomFacts(
                room,
                account(room.creator),
                audiences.get(room.id, 0),
                pks.get(room.id),
                account(anchors[room.id]),
            )
            for room in rooms
        ]


def _position(room: Room) -> tuple[float, str]:
    return room.created_at, room.id


def _anchor_id(room: Room, pk: Pk | None) -> str:
    return pk.opponent_of(room.id).user_id if pk is not None and pk.state is PkState.LIVE else ""
