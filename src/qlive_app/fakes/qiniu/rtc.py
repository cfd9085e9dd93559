"""RTC: rooms that people join with a token, and the jobs that mix or forward their streams."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.qiniu.pili import Pili, PublishRefused
from qlive_app.fakes.qiniu.signatures import BadToken, opened
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.control import Refused, asked
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request, json_answer

APP = "qlive-test-app"
_ROOM_NAME = re.compile(r"[a-zA-Z0-9_-]{3,64}")
_USER_ID = re.compile(r"[a-zA-Z0-9_-]{3,50}")
_PAGE = 100
_STRETCH_MODES = ("aspectFill", "aspectFit", "scaleToFit")


class TokenRefused(Refused):
    """A room token does not let anybody in; the text says why."""


@frozen
class Joined:
    """Somebody in a room, as the token said."""

    app_id: str
    room: str
    user_id: str
    permission: str


@frozen
class Job:
    """A stream job that runs. ``trouble`` says why its output is not published, if it is not."""

    id: str
    app_id: str
    room: str
    order: Mapping[str, Any]
    trouble: str = ""

    @property
    def output(self) -> str:
        """The address that it publishes to."""
        return str(self.order["outputs"][0]["url"])


class Rtc:
    """Rooms by application; a room exists while somebody is in it."""

    def __init__(self, keys: Keys, clock: Clock, pili: Pili) -> None:
        self.apps: dict[str, dict[str, dict[str, Joined]]] = {APP: {}}
        self.jobs: dict[tuple[str, str], Job] = {}
        """The jobs that run, by room and id."""
        self._keys = keys
        self._clock = clock
        self._pili = pili
        self._numbers = itertools.count(1)

    def routes(self, routes: Routes, control: Routes) -> None:
        """Add what it answers."""
        routes.add("GET", "/v3/apps/{app}", self._app)
        routes.add("GET", "/v3/apps/{app}/rooms", self._rooms)
        routes.add("DELETE", "/v3/apps/{app}/rooms/{room}", self._close)
        routes.add("GET", "/v3/apps/{app}/rooms/{room}/users", self._users)
        routes.add("DELETE", "/v3/apps/{app}/rooms/{room}/users/{user}", self._kick)
        routes.add("POST", "/v4/apps/{app}/rooms/{room}/jobs", self._start)
        routes.add("POST", "/v4/apps/{app}/rooms/{room}/jobs/update", self._update)
        routes.add("POST", "/v4/apps/{app}/rooms/{room}/jobs/stop", self._stop)
        control.add("POST", "/_fake/rtc/join", self._join_asked)
        control.add("POST", "/_fake/rtc/leave", self._leave_asked)

    # What a client's SDK would do.

    def join(self, token: str) -> Joined:
        """Let somebody in with his room token. Raises TokenRefused."""
        try:
            claims = opened(token, self._keys)
        except BadToken as exc:
            raise TokenRefused(str(exc)) from exc
        app_id, room, user = claims.get("appId"), claims.get("roomName"), claims.get("userId")
        if not isinstance(app_id, str) or app_id not in self.apps:
            raise TokenRefused(f"appId: no app {app_id!r}")
        if not isinstance(room, str) or _ROOM_NAME.fullmatch(room) is None:
            raise TokenRefused(f"roomName {room!r} is not of the form {_ROOM_NAME.pattern}")
        if not isinstance(user, str) or _USER_ID.fullmatch(user) is None:
            raise TokenRefused(f"userId {user!r} is not of the form {_USER_ID.pattern}")
        if claims.get("permission") not in ("admin", "user"):
            raise TokenRefused(f"permission {claims.get('permission')!r} is neither admin nor user")
        ends = claims.get("expireAt")
        if type(ends) is not int:
            raise TokenRefused(f"expireAt {ends!r} is not a whole number")
        if ends <= self._clock.now():
            raise TokenRefused("the token has expired")
        joined = Joined(app_id, room, user, claims["permission"])
        self.apps[app_id].setdefault(room, {})[user] = joined
        return joined

    def leave(self, room: str, user: str, app_id: str = APP) -> None:
        """Take somebody out of a room; the last one closes it. Nothing happens if he is not in it."""
        rooms = self.apps[app_id]
        if room in rooms:
            rooms[room].pop(user, None)
            if not rooms[room]:
                del rooms[room]

    def members(self, room: str, app_id: str = APP) -> set[str]:
        """Return who is in a room."""
        return set(self.apps[app_id].get(room, ()))

    async def _join_asked(self, request: Request, _parameters: Parameters) -> Answer:
        joined = self.join(asked(request, "token"))
        return json_answer(
            200, {"room": joined.room, "user": joined.user_id, "permission": joined.permission}
        )

    async def _leave_asked(self, request: Request, _parameters: Parameters) -> Answer:
        self.leave(asked(request, "room"), asked(request, "user"))
        return json_answer(200, {})

    # The server API.

    async def _app(self, _request: Request, at: Parameters) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        return json_answer(
            200, {"appId": at["app"], "hub": self._pili.hub, "title": at["app"], "maxUsers": 10}
        )

    async def _rooms(self, request: Request, at: Parameters) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        try:
            offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", _PAGE))
        except ValueError:
            return json_answer(400, {"error": "invalid args"})
        prefix = request.query.get("prefix", "")
        names = sorted(each for each in self.apps[at["app"]] if each.startswith(prefix))
        end = offset + limit
        return json_answer(200, {"end": end >= len(names), "offset": end, "rooms": names[offset:end]})

    async def _close(self, _request: Request, at: Parameters) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        if self.apps[at["app"]].pop(at["room"], None) is None:
            return _not_active(at)
        return json_answer(200, {})

    async def _users(self, _request: Request, at: Parameters) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        users = sorted(self.members(at["room"], at["app"]))
        return json_answer(200, {"users": [{"userId": each} for each in users]})

    async def _kick(self, _request: Request, at: Parameters) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        members = self.members(at["room"], at["app"])
        if not members:
            return _not_active(at)
        if at["user"] not in members:
            return json_answer(612, {"error": "user not found"}, why=f"{at['user']} is not in the room")
        self.leave(at["room"], at["user"], at["app"])
        return json_answer(200, {}, why=f"{at['user']} is out")

    # Stream jobs.

    async def _start(self, request: Request, at: Parameters) -> Answer:
        return self._run(request, at, must_run=False)

    async def _update(self, request: Request, at: Parameters) -> Answer:
        return self._run(request, at, must_run=True)

    def _run(self, request: Request, at: Parameters, *, must_run: bool) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        try:
            order = request.json()
        except ValueError:
            order = None
        try:
            wrong = _wrong_with(order)
        except (AttributeError, TypeError):
            wrong = "a value is of the wrong type"
        if wrong:
            return json_answer(400, {"error": "invalid input"}, why=wrong)
        job_id = str(order.get("id") or f"{order['type']}-{next(self._numbers):04}")
        place = (at["room"], job_id)
        if must_run and place not in self.jobs:
            return json_answer(612, {"error": "job not found"})
        self._end(place)
        job = Job(job_id, at["app"], at["room"], order)
        try:
            self._pili.publish(job.output)
        except PublishRefused as exc:
            job = Job(job_id, at["app"], at["room"], order, trouble=str(exc))
        self.jobs[place] = job
        return json_answer(
            200, {"status": "OK", "id": job_id}, why=job.trouble or f"publishes to {job.output}"
        )

    async def _stop(self, request: Request, at: Parameters) -> Answer:
        if at["app"] not in self.apps:
            return _no_app(at)
        try:
            job_id = str(asked(request, "id"))
        except ValueError:
            return json_answer(400, {"error": "invalid input"}, why="the body needs an id")
        self._end((at["room"], job_id))
        return json_answer(200, {"status": "OK", "id": job_id})

    def _end(self, place: tuple[str, str]) -> None:
        job = self.jobs.pop(place, None)
        if job is not None and not job.trouble:
            self._pili.stop(job.output)

    def holds(self) -> dict[str, object]:
        """Return what it holds, as JSON."""
        return {
            "rooms": {
                app: {room: sorted(users) for room, users in rooms.items()}
                for app, rooms in self.apps.items()
            },
            "jobs": [
                {"id": each.id, "room": each.room, "output": each.output, "trouble": each.trouble}
                for each in self.jobs.values()
            ],
        }


def _no_app(at: Parameters) -> Answer:
    return json_answer(612, {"error": "app not found"}, why=f"no app {at['app']!r}, try {APP!r}")


def _not_active(at: Parameters) -> Answer:
    return json_answer(615, {"error": "room not active"}, why=f"nobody is in {at['room']!r}")


def _wrong_with(order: Any) -> str:
    """Say what is wrong with the order of a job; empty if nothing is."""
    if not isinstance(order, dict) or order.get("type") not in ("basic", "simple"):
        return "type has to be basic or simple"
    outputs = order.get("outputs")
    if not (isinstance(outputs, list) and len(outputs) == 1 and isinstance(outputs[0], dict)):
        return "outputs has to be exactly one"
    if outputs[0].get("type") != "rtmp" or not str(outputs[0].get("url")).startswith("rtmp://"):
        return "the output has to be of type rtmp with an rtmp:// url"
    inputs = order.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return "inputs must not be empty"
    if order["type"] == "simple" and len(inputs) != 1:
        return "a simple job has one input"
    return next(filter(None, map(_wrong_with_input, inputs)), "") or _wrong_with_config(
        order.get("config", {})
    )


def _wrong_with_input(given: Any) -> str:
    if not isinstance(given, dict) or given.get("kind") not in ("media", "image"):
        return "the kind of an input has to be media or image"
    if given["kind"] == "media" and not given.get("userId"):
        return "a media input needs a userId"
    if given["kind"] == "image" and not given.get("url"):
        return "an image input needs a url"
    position = given.get("position", {})
    if position.get("w", 0) % 2 or position.get("h", 0) % 2:
        return "w and h of a position have to be even"
    if not 0 <= position.get("z", 0) <= 65535:
        return "z of a position has to be from 0 to 65535"
    return ""


def _wrong_with_config(config: Any) -> str:
    if config.get("width", 0) % 2 or config.get("height", 0) % 2:
        return "width and height have to be even"
    if config.get("stretchMode", _STRETCH_MODES[0]) not in _STRETCH_MODES:
        return f"stretchMode has to be one of {', '.join(_STRETCH_MODES)}"
    return ""
