"""Live streaming: streams that are published to signed addresses, played from others, and may be forbidden."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import define, field

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.qiniu.knobs import QiniuKnobs
from qlive_app.fakes.qiniu.signatures import decoded, digest
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.control import Refused, asked
from qlive_app.fakes.serving.routes import Handler, Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request, json_answer

HUB = "qlive-test-hub"
_MOST_AT_ONCE = 100
_FOREVER = -1


class PublishRefused(Refused):
    """Nobody may publish to this address now; the text says why."""


class PlayRefused(Refused):
    """Nothing can be played from this address now; the text says why."""


@define
class Stream:
    """A stream; ``started_at`` is None while it is not live. Times are Unix seconds."""

    name: str
    created_at: int
    disabled_till: int = 0
    started_at: int | None = None
    history: list[tuple[int, int]] = field(factory=list)
    """Beginnings and ends of the times that it was live before."""

    def is_disabled(self, now: float) -> bool:
        return self.disabled_till == _FOREVER or self.disabled_till > now

    def end(self, now: float) -> None:
        if self.started_at is not None:
            self.history.append((self.started_at, int(now)))
            self.started_at = None


class Pili:
    """The streams of the hub ``hub``."""

    def __init__(self, keys: Keys, knobs: QiniuKnobs, clock: Clock) -> None:
        self.hub = HUB
        self.streams: dict[str, Stream] = {}
        self._keys = keys
        self._knobs = knobs
        self._clock = clock

    def routes(self, routes: Routes, control: Routes) -> None:
        """Add what it answers."""
        routes.add("GET", "/v2/hubs/{hub}/streams", self._in_hub(self._list))
        routes.add("POST", "/v2/hubs/{hub}/streams", self._in_hub(self._create))
        routes.add("POST", "/v2/hubs/{hub}/livestreams", self._in_hub(self._live_ones))
        routes.add("GET", "/v2/hubs/{hub}/streams/{title}", self._of_stream(self._attributes))
        routes.add("GET", "/v2/hubs/{hub}/streams/{title}/live", self._of_stream(self._live))
        routes.add("GET", "/v2/hubs/{hub}/streams/{title}/historyactivity", self._of_stream(self._history))
        routes.add("POST", "/v2/hubs/{hub}/streams/{title}/disabled", self._of_stream(self._disable))
        control.add("POST", "/_fake/pili/publish", self._publish_asked)
        control.add("POST", "/_fake/pili/stop", self._stop_asked)
        control.add("POST", "/_fake/pili/play", self._play_asked)

    # What encoders and players would do.

    def publish(self, url: str) -> Stream:
        """Begin to publish; the stream comes to be with its first. Raises PublishRefused."""
        parts = urlsplit(url)
        if parts.scheme != "rtmp":
            raise PublishRefused(f"{parts.scheme}:// is not rtmp://")
        name = self._name(parts.path, PublishRefused)
        self._check_publish(parts.path, parts.query)
        now = self._clock.now()
        stream = self.streams.setdefault(name, Stream(name, int(now)))
        if stream.is_disabled(now):
            raise PublishRefused(f"the stream {name!r} is disabled")
        stream.started_at = int(now)
        return stream

    def stop(self, url: str) -> None:
        """Stop publishing; nothing happens if nobody did."""
        name = self._name(urlsplit(url).path, PublishRefused)
        if name in self.streams:
            self.streams[name].end(self._clock.now())

    def play(self, url: str) -> Stream:
        """Begin to play by RTMP, HLS or HTTP-FLV. Raises PlayRefused."""
        parts = urlsplit(url)
        name = self._name(parts.path.removesuffix(".m3u8").removesuffix(".flv"), PlayRefused)
        if self._knobs.play_security == "expire":
            self._check_play(parts.path, dict(parse_qsl(parts.query)))
        stream = self.streams.get(name)
        if stream is None or stream.started_at is None:
            raise PlayRefused(f"the stream {name!r} is not live")
        return stream

    def is_live(self, name: str) -> bool:
        """Tell whether a stream is being published."""
        return name in self.streams and self.streams[name].started_at is not None

    def _name(self, path: str, refused: Callable[[str], Refused]) -> str:
        hub, _, name = path.removeprefix("/").partition("/")
        if hub != self.hub or not name or "/" in name:
            raise refused(f"{path} is not /{self.hub}/<stream>")
        return name

    def _check_publish(self, path: str, query: str) -> None:
        security = self._knobs.publish_security
        given = dict(parse_qsl(query, keep_blank_values=True))
        if security == "none":
            return
        if security == "static":
            if given.get("key") != self._knobs.publish_key:
                raise PublishRefused("key is not the publish key")
            return
        token = given.pop("token", "")
        base = f"{path}?{urlencode(sorted(given.items()))}"
        name, prefix, secret = {
            "expiry": ("expire", "", self._knobs.publish_key),
            "expiry_sk": ("e", f"{self._keys.key}:", self._keys.secret),
        }[security]
        if not hmac.compare_digest(token.encode(), f"{prefix}{digest(secret, base.encode())}".encode()):
            raise PublishRefused(f"token is not over {base!r}")
        if not given.get(name, "").isdigit() or int(given[name]) <= self._clock.now():
            raise PublishRefused(f"{name} is not a time to come")

    def _check_play(self, path: str, given: dict[str, str]) -> None:
        until, sign = given.get("t", ""), given.get("sign", "")
        wanted = hashlib.md5(f"{self._knobs.play_key}{path}{until}".encode()).hexdigest()  # noqa: S324 -- the vendor's
        if not hmac.compare_digest(sign.encode(), wanted.encode()):
            raise PlayRefused(f"sign is not over key, {path!r} and {until!r}")
        try:
            ends = int(until, self._knobs.play_time_base)
        except ValueError:
            raise PlayRefused(
                f"t {until!r} is not a number to the base {self._knobs.play_time_base}"
            ) from None
        if ends <= self._clock.now():
            raise PlayRefused("the address has expired")

    async def _publish_asked(self, request: Request, _parameters: Parameters) -> Answer:
        return json_answer(200, {"stream": self.publish(asked(request, "url")).name})

    async def _stop_asked(self, request: Request, _parameters: Parameters) -> Answer:
        self.stop(asked(request, "url"))
        return json_answer(200, {})

    async def _play_asked(self, request: Request, _parameters: Parameters) -> Answer:
        return json_answer(200, {"stream": self.play(asked(request, "url")).name})

    # The server API.

    def _in_hub(self, handler: Callable[[Request, str], Awaitable[Answer]]) -> Handler:
        async def checked(request: Request, at: Parameters) -> Answer:
            if at["hub"] != self.hub:
                return json_answer(
                    612, {"error": "hub not found"}, why=f"no hub {at['hub']!r}, try {self.hub!r}"
                )
            try:
                name = decoded(at["title"]).decode() if "title" in at else ""
            except ValueError:
                return json_answer(
                    400, {"error": "invalid stream title"}, why="not URL-safe base64 with padding"
                )
            return await handler(request, name)

        return checked

    def _of_stream(self, handler: Callable[[Request, Stream], Awaitable[Answer]]) -> Handler:
        async def found(request: Request, name: str) -> Answer:
            stream = self.streams.get(name)
            if stream is None:
                error = "stream not found" if self._knobs.missing_stream == 612 else "not found"
                return json_answer(self._knobs.missing_stream, {"error": error}, why=f"no stream {name!r}")
            return await handler(request, stream)

        return self._in_hub(found)

    async def _list(self, request: Request, _name: str) -> Answer:
        prefix, live_only = request.query.get("prefix", ""), request.query.get("liveonly") == "true"
        names = sorted(
            name
            for name, stream in self.streams.items()
            if name.startswith(prefix) and (stream.started_at is not None or not live_only)
        )
        after, limit = request.query.get("marker", ""), request.query.get("limit", "5000")
        if not limit.isdigit():
            return json_answer(400, {"error": "invalid args"})
        page = [name for name in names if name > after][: int(limit)]
        more = bool(page) and page[-1] != names[-1]
        return json_answer(
            200, {"items": [{"key": name} for name in page], "marker": page[-1] if more else ""}
        )

    async def _create(self, request: Request, _name: str) -> Answer:
        name = _read(request).get("key")
        if not isinstance(name, str) or not name:
            return json_answer(400, {"error": "invalid key"})
        if name in self.streams:
            return json_answer(614, {"error": "stream already exists"})
        self.streams[name] = Stream(name, int(self._clock.now()))
        return json_answer(200, {})

    async def _attributes(self, _request: Request, stream: Stream) -> Answer:
        return json_answer(
            200,
            {
                "createdAt": stream.created_at,
                "updatedAt": stream.created_at,
                "expireAt": 0,
                "disabledTill": stream.disabled_till,
                "converts": [],
                "watermark": False,
                "publishSecurity": self._knobs.publish_security,
                "publishKey": self._knobs.publish_key,
                "nropEnable": False,
            },
        )

    async def _live(self, _request: Request, stream: Stream) -> Answer:
        if stream.started_at is None and self._knobs.offline_live != "zeros":
            status = int(self._knobs.offline_live)
            return json_answer(status, {"error": "not found" if status == 404 else "no data"})
        return json_answer(200, _figures(stream))

    async def _live_ones(self, request: Request, _name: str) -> Answer:
        names = _read(request).get("items")
        if not isinstance(names, list) or not 1 <= len(names) <= _MOST_AT_ONCE:
            return json_answer(400, {"error": "invalid items"}, why=f"1 to {_MOST_AT_ONCE} items")
        live = [self.streams[name] for name in names if self.is_live(name)]
        return json_answer(200, {"items": [{"key": each.name, **_figures(each)} for each in live]})

    async def _history(self, _request: Request, stream: Stream) -> Answer:
        return json_answer(200, {"items": [{"start": start, "end": end} for start, end in stream.history]})

    async def _disable(self, request: Request, stream: Stream) -> Answer:
        body, now = _read(request), self._clock.now()
        till, period = body.get("disabledTill", 0), body.get("disablePeriodSecond")
        if type(till) is not int or till < _FOREVER:
            return json_answer(400, {"error": "invalid disabledTill"})
        stream.disabled_till = int(now + period) if period else till
        if stream.is_disabled(now):
            stream.end(now)
        return json_answer(
            200, {}, why=f"disabled till {stream.disabled_till}" if stream.disabled_till else "enabled"
        )

    def holds(self) -> dict[str, object]:
        """Return what it holds, as JSON."""
        return {
            "hub": self.hub,
            "streams": {
                each.name: {"live": each.started_at is not None, "disabledTill": each.disabled_till}
                for each in self.streams.values()
            },
        }


def _read(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _figures(stream: Stream) -> dict[str, object]:
    live = stream.started_at is not None
    return {
        "startAt": stream.started_at or 0,
        "clientIP": "203.0.113.7:1935" if live else "",
        "serverIP": "198.51.100.1" if live else "",
        "bps": 1_200_000 if live else 0,
        "fps": {"audio": 43, "video": 25, "data": 0} if live else {"audio": 0, "video": 0, "data": 0},
    }
