"""Chat rooms: who is in them, and who may not be, or may not speak."""

import re
from collections.abc import Callable
from typing import TypeAlias

from attrs import define, field

from qlive_app.fakes.rongcloud.answers import Wrong, failure, ok
from qlive_app.fakes.rongcloud.knobs import RongCloudKnobs
from qlive_app.fakes.rongcloud.limits import minutes, one, several
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.routes import Handler, Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request

_Add: TypeAlias = Callable[[str, Handler], None]
_NAMED = re.compile(r"chatroom\[(.+)\]", re.DOTALL)
_MOST_CREATED = 100
_MOST_LISTED = 500
_MOST_USERS = 20


@define
class ChatRoom:
    """A chat room. Times are Unix milliseconds."""

    id: str
    name: str
    created_ms: int
    members: dict[str, int] = field(factory=dict)
    """When each member joined."""


class Periods:
    """Users for whom something holds until a time, by place: a room, or "" for everywhere."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_ms: dict[tuple[str, str], int] = {}

    def put(self, place: str, user_id: str, for_minutes: int) -> None:
        """Let it hold from now on; a time that was set before is forgotten."""
        self._until_ms[place, user_id] = self._clock.now_ms() + for_minutes * 60_000

    def lift(self, place: str, user_id: str) -> None:
        """Let it hold no more."""
        self._until_ms.pop((place, user_id), None)

    def holds(self, place: str, user_id: str) -> bool:
        """Tell whether it holds now."""
        return self._until_ms.get((place, user_id), 0) > self._clock.now_ms()

    def listed(self, place: str) -> dict[str, int]:
        """Return for whom it holds at a place, and until when."""
        return {
            user: until
            for (where, user), until in self._until_ms.items()
            if where == place and self.holds(where, user)
        }


class ChatRooms:
    """All chat rooms by id; ``gags``, ``blocks`` and ``bans`` outlive them."""

    def __init__(self, knobs: RongCloudKnobs, clock: Clock) -> None:
        self.rooms: dict[str, ChatRoom] = {}
        self.gags = Periods(clock)
        self.blocks = Periods(clock)
        self.bans = Periods(clock)
        self.muted: set[str] = set()
        """The rooms in which nobody may speak."""
        self.kept_alive: set[str] = set()
        self.exempt: set[tuple[str, str]] = set()
        """Room and user of those who may speak even so."""
        self.protected: set[tuple[str, str]] = set()
        self.protected_types: set[str] = set()
        self.low_priority_types: set[str] = set()
        self._knobs = knobs
        self._clock = clock

    def routes(self, routes: Routes) -> None:
        """Add what it answers."""

        def add(path: str, handler: Handler) -> None:
            routes.add("POST", f"/chatroom/{path}.json", handler)

        add("create", self._create)
        add("create_new", self._create_new)
        add("destroy", self._destroy)
        add("query", self._query)
        add("get", self._get)
        add("user/query", self._members)
        add("user/exist", self._is_member)
        add("users/exist", self._are_members)
        for name, periods in (("gag", self.gags), ("block", self.blocks)):
            add(f"user/{name}/add", self._adds(periods, throws_out=periods is self.blocks))
            add(f"user/{name}/rollback", self._lifts(periods))
            add(f"user/{name}/list", self._lists(periods))
        add("user/ban/add", self._ban)
        add("user/ban/remove", self._unban)
        add("user/ban/query", self._banned)
        add("ban/add", self._mute)
        add("ban/rollback", self._unmute)
        add("ban/query", self._muted)
        self._pairs(add, "user/ban/whitelist", self.exempt, remove="rollback", most=_MOST_USERS)
        self._pairs(add, "user/whitelist", self.protected, remove="remove", most=5)
        self._names(
            add,
            "whitelist",
            self.protected_types,
            field_name="objectnames",
            remove="delete",
            answer="whitlistMsgType",
        )
        self._names(
            add,
            "message/priority",
            self.low_priority_types,
            field_name="objectName",
            remove="remove",
            answer="objectNames",
        )
        add("keepalive/add", self._keep_alive)
        add("keepalive/remove", self._let_die)
        add("keepalive/query", self._alive)

    def may_speak(self, room_id: str, user_id: str) -> bool:
        """Tell whether a client of this user may send to a room."""
        if self.gags.holds(room_id, user_id) or self.bans.holds("", user_id):
            return False
        return room_id not in self.muted or (room_id, user_id) in self.exempt

    # Rooms.

    def found_or_made(self, room_id: str) -> ChatRoom:
        """Return the chat room of that id, which comes into being if there is none."""
        return self.rooms.setdefault(room_id, ChatRoom(room_id, room_id, self._clock.now_ms()))

    def _open(self, room_id: str, name: str) -> None:
        self.found_or_made(room_id).name = name

    async def _create(self, request: Request, _at: Parameters) -> Answer:
        named = {
            found[1]: values[-1] for key, values in request.form.items() if (found := _NAMED.fullmatch(key))
        }
        if not 1 <= len(named) <= _MOST_CREATED:
            raise Wrong(1002, f"1 to {_MOST_CREATED} fields chatroom[<id>]=<name>, here are {len(named)}")
        for room_id, name in named.items():
            self._open(room_id, name)
        return ok(why=f"chat rooms {', '.join(named)}")

    async def _create_new(self, request: Request, _at: Parameters) -> Answer:
        room_id = one(request, "chatroomId", most_bytes=64)
        if request.field("destroyType", "0") not in ("0", "1"):
            raise Wrong(1002, "destroyType has to be 0 or 1")
        lasts = request.field("destroyTime", "60")
        if not lasts.isdigit() or not 60 <= int(lasts) <= 10080:
            raise Wrong(1002, "destroyTime has to be from 60 to 10080")
        self._open(room_id, room_id)
        if request.field("isBan") == "true":
            self.muted.add(room_id)
        return ok(why=f"chat room {room_id}")

    async def _destroy(self, request: Request, _at: Parameters) -> Answer:
        gone = several(request, "chatroomId", most=_MOST_CREATED)
        for room_id in gone:
            self.rooms.pop(room_id, None)
            self.muted.discard(room_id)
            self.kept_alive.discard(room_id)
        return ok(why=f"chat rooms {', '.join(gone)} are gone")

    async def _query(self, request: Request, _at: Parameters) -> Answer:
        found = [self.rooms[each] for each in several(request, "chatroomId", most=1000) if each in self.rooms]
        return ok(
            {
                "chatRooms": [
                    {"chrmId": each.id, "name": each.name, "time": str(each.created_ms)} for each in found
                ]
            }
        )

    async def _get(self, request: Request, _at: Parameters) -> Answer:
        room = self._room(request)
        return ok(
            {
                "chatroomId": room.id,
                "createTime": room.created_ms,
                "memberCount": len(room.members),
                "destroyType": 0,
                "destroyTime": 60,
                "ban": room.id in self.muted,
            }
        )

    async def _members(self, request: Request, _at: Parameters) -> Answer:
        room = self._room(request)
        count = request.field("count", str(_MOST_LISTED))
        if not count.isdigit() or not 1 <= int(count) <= _MOST_LISTED:
            raise Wrong(1002, f"count has to be from 1 to {_MOST_LISTED}")
        joined = sorted(room.members.items(), key=lambda each: each[1], reverse=request.field("order") == "2")
        users = [{"id": user_id, "time": str(at_ms)} for user_id, at_ms in joined[: int(count)]]
        return ok({"total": len(room.members), "users": users})

    async def _is_member(self, request: Request, _at: Parameters) -> Answer:
        return ok({"isInChrm": one(request, "userId") in self._room(request).members})

    async def _are_members(self, request: Request, _at: Parameters) -> Answer:
        room = self._room(request)
        asked = several(request, "userId", most=1000)
        return ok({"result": [{"userId": each, "isInChrm": int(each in room.members)} for each in asked]})

    def _room(self, request: Request) -> ChatRoom:
        room_id = one(request, "chatroomId")
        if room_id not in self.rooms:
            raise Wrong(1002, f"no chat room {room_id!r}")
        return self.rooms[room_id]

    # Order in rooms.

    def _adds(self, periods: Periods, *, throws_out: bool) -> Handler:
        async def add(request: Request, _at: Parameters) -> Answer:
            room_id, lasts = one(request, "chatroomId"), minutes(request)
            for user_id in several(request, "userId", most=_MOST_USERS):
                periods.put(room_id, user_id, lasts)
                if throws_out and room_id in self.rooms:
                    self.rooms[room_id].members.pop(user_id, None)
            return ok()

        return add

    def _lifts(self, periods: Periods) -> Handler:
        async def lift(request: Request, _at: Parameters) -> Answer:
            room_id = one(request, "chatroomId")
            for user_id in several(request, "userId", most=_MOST_USERS):
                periods.lift(room_id, user_id)
            return ok()

        return lift

    def _lists(self, periods: Periods) -> Handler:
        async def listing(request: Request, _at: Parameters) -> Answer:
            return ok({"users": _dated(periods.listed(one(request, "chatroomId")))})

        return listing

    async def _ban(self, request: Request, _at: Parameters) -> Answer:
        lasts = minutes(request)
        for user_id in several(request, "userId", most=_MOST_USERS):
            self.bans.put("", user_id, lasts)
        return ok()

    async def _unban(self, request: Request, _at: Parameters) -> Answer:
        for user_id in several(request, "userId", most=_MOST_USERS):
            self.bans.lift("", user_id)
        return ok()

    async def _banned(self, _request: Request, _at: Parameters) -> Answer:
        return ok({"users": _dated(self.bans.listed(""))})

    async def _mute(self, request: Request, _at: Parameters) -> Answer:
        self.muted.update(several(request, "chatroomId", most=_MOST_CREATED))
        return ok()

    async def _unmute(self, request: Request, _at: Parameters) -> Answer:
        self.muted.difference_update(several(request, "chatroomId", most=_MOST_CREATED))
        return ok()

    async def _muted(self, _request: Request, _at: Parameters) -> Answer:
        return ok({"chatroomIds": sorted(self.muted)})

    # Lists that only have to be remembered.

    def _pairs(self, add: _Add, path: str, kept: set[tuple[str, str]], *, remove: str, most: int) -> None:
        async def put(request: Request, _at: Parameters) -> Answer:
            kept.update((one(request, "chatroomId"), each) for each in several(request, "userId", most=most))
            return ok()

        async def take(request: Request, _at: Parameters) -> Answer:
            room_id = one(request, "chatroomId")
            kept.difference_update((room_id, each) for each in several(request, "userId", most=most))
            return ok()

        async def show(request: Request, _at: Parameters) -> Answer:
            room_id = one(request, "chatroomId")
            return ok({"users": sorted(user for room, user in kept if room == room_id)})

        add(f"{path}/add", put)
        add(f"{path}/{remove}", take)
        add(f"{path}/query", show)

    def _names(
        self, add: _Add, path: str, kept: set[str], *, field_name: str, remove: str, answer: str
    ) -> None:
        async def put(request: Request, _at: Parameters) -> Answer:
            kept.update(several(request, field_name, most=_MOST_USERS))
            return ok()

        async def take(request: Request, _at: Parameters) -> Answer:
            kept.difference_update(several(request, field_name, most=_MOST_USERS))
            return ok()

        async def show(_request: Request, _at: Parameters) -> Answer:
            return ok({answer: sorted(kept)})

        add(f"{path}/add", put)
        add(f"{path}/{remove}", take)
        add(f"{path}/query", show)

    async def _keep_alive(self, request: Request, _at: Parameters) -> Answer:
        self._check_keepalive()
        room_id = one(request, "chatroomId")
        if room_id not in self.rooms:
            return failure(1015, "chatroom is not exist")
        self.kept_alive.add(room_id)
        return ok()

    async def _let_die(self, request: Request, _at: Parameters) -> Answer:
        self._check_keepalive()
        self.kept_alive.discard(one(request, "chatroomId"))
        return ok()

    async def _alive(self, _request: Request, _at: Parameters) -> Answer:
        self._check_keepalive()
        return ok({"chatroomIds": sorted(self.kept_alive)})

    def _check_keepalive(self) -> None:
        if not self._knobs.keepalive:
            raise Wrong(1009, "keepalive is not enabled for this application")

    def holds(self) -> dict[str, object]:
        """Return what it holds, as JSON."""
        return {
            each.id: {
                "name": each.name,
                "members": list(each.members),
                "gagged": list(self.gags.listed(each.id)),
                "blocked": list(self.blocks.listed(each.id)),
                "muted": each.id in self.muted,
            }
            for each in self.rooms.values()
        }


def _dated(periods: dict[str, int]) -> list[dict[str, str]]:
    return [{"userId": user_id, "time": str(until_ms)} for user_id, until_ms in periods.items()]
