"""Users: their profiles, tokens and blocks."""

import secrets

from attrs import define, field

from qlive_app.fakes.rongcloud.answers import Wrong, ok
from qlive_app.fakes.rongcloud.knobs import RongCloudKnobs
from qlive_app.fakes.rongcloud.limits import minutes, one, several
from qlive_app.fakes.rongcloud.presence import Presence
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request


@define
class User:
    """A user who was given a token. Times are Unix milliseconds."""

    id: str
    name: str
    portrait: str
    created_ms: int
    tokens: dict[str, int] = field(factory=dict)
    """When each of his tokens was issued."""
    tokens_from_ms: int = 0
    """Tokens that were issued before are void."""
    blocked_until_ms: int = 0


class People:
    """All users by id."""

    def __init__(self, knobs: RongCloudKnobs, clock: Clock, presence: Presence) -> None:
        self.users: dict[str, User] = {}
        self._knobs = knobs
        self._clock = clock
        self._presence = presence

    def routes(self, routes: Routes) -> None:
        """Add what it answers."""
        routes.add("POST", "/user/getToken.json", self._get_token)
        routes.add("POST", "/user/refresh.json", self._refresh)
        routes.add("POST", "/user/info.json", self._info)
        routes.add("POST", "/user/checkOnline.json", self._check_online)
        routes.add("POST", "/user/token/expire.json", self._expire)
        routes.add("POST", "/user/block.json", self._block)
        routes.add("POST", "/user/unblock.json", self._unblock)
        routes.add("POST", "/user/block/query.json", self._blocked)

    def of_token(self, token: str) -> User | None:
        """Return whose token this is, if it is good."""
        for user in self.users.values():
            if user.tokens.get(token, -1) >= user.tokens_from_ms:
                return user
        return None

    def is_blocked(self, user: User) -> bool:
        """Tell whether a user is kept out of the application."""
        return user.blocked_until_ms > self._clock.now_ms()

    async def _get_token(self, request: Request, _at: Parameters) -> Answer:
        user_id = one(request, "userId", most_bytes=64)
        name, portrait = _profile(request)
        user = self.users.get(user_id)
        if user is None:
            if self._knobs.max_users and len(self.users) >= self._knobs.max_users:
                raise Wrong(2007, f"more than {self._knobs.max_users} users")
            user = self.users[user_id] = User(user_id, name, portrait, self._clock.now_ms())
        user.name, user.portrait = name, portrait
        # The vendor's tokens carry the addresses of its navigation; they are to be handed on as they are.
        token = f"{secrets.token_urlsafe(30)}@fake.rongnav.example;fake.rongcfg.example"
        user.tokens[token] = self._clock.now_ms()
        return ok({"userId": user_id, "token": token}, why=f"token for {user_id} ({name})")

    async def _refresh(self, request: Request, _at: Parameters) -> Answer:
        user = self._user(request)
        name, portrait = _profile(request)
        user.name, user.portrait = name or user.name, portrait or user.portrait
        return ok()

    async def _info(self, request: Request, _at: Parameters) -> Answer:
        user = self._user(request)
        return ok({"userName": user.name, "userPortrait": user.portrait, "createTime": str(user.created_ms)})

    async def _check_online(self, request: Request, _at: Parameters) -> Answer:
        online = self._presence.is_online(one(request, "userId", most_bytes=64))
        return ok({"status": "1" if online else "0"})

    async def _expire(self, request: Request, _at: Parameters) -> Answer:
        before = one(request, "time")
        if not before.isdigit():
            raise Wrong(1002, "time has to be in milliseconds")
        for user_id in several(request, "userId", most=20):
            if user_id in self.users:
                self.users[user_id].tokens_from_ms = int(before)
        return ok()

    async def _block(self, request: Request, _at: Parameters) -> Answer:
        user = self._user(request)
        user.blocked_until_ms = self._clock.now_ms() + minutes(request) * 60_000
        self._presence.throw_out(user.id)
        return ok()

    async def _unblock(self, request: Request, _at: Parameters) -> Answer:
        self._user(request).blocked_until_ms = 0
        return ok()

    async def _blocked(self, _request: Request, _at: Parameters) -> Answer:
        blocked = [
            {"userId": user.id, "blockEndTime": user.blocked_until_ms}
            for user in self.users.values()
            if self.is_blocked(user)
        ]
        return ok({"users": blocked})

    def _user(self, request: Request) -> User:
        user_id = one(request, "userId", most_bytes=64)
        if user_id not in self.users:
            raise Wrong(1002, f"no user {user_id!r}")
        return self.users[user_id]


def _profile(request: Request) -> tuple[str, str]:
    name, portrait = request.field("name"), request.field("portraitUri")
    if len(name) > 64 or len(name.encode()) > 128:
        raise Wrong(1005, "name is longer than 64 characters or 128 bytes")
    if len(portrait.encode()) > 1024:
        raise Wrong(1005, "portraitUri is longer than 1024 bytes")
    return name, portrait
