"""Plays the client's part of a recording and listens whether the server plays its own."""

import asyncio
import contextlib
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from .client import SignalClient
from .differences import ANYTHING, Difference, Event, expected
from .matching import Bindings, Mismatch

# The longest silence that ends by itself in a recording is the PK timeout of ten seconds.
PATIENCE_S = 30.0
FIRST_PING_WITHIN_S = 2.0
NOTHING_MORE_WITHIN_S = 0.1

_COMPARED_HEADERS = ("content-type", "set-cookie", "x-reqid")
_NO_SUCH_FRAME = re.compile(r"(?P<client>\w+): no \S+ within (?P<seconds>[\d.]+) s")
_NO_LATE_TIMEOUT = re.compile(r"\blate timeout")


@dataclass
class Outcome:
    """What a replay found: mismatches in order, and the rules of difference that it needed."""

    mismatches: list[str] = field(default_factory=list)
    rules: list[Difference] = field(default_factory=list)


class Replay:
    """One recording against one server that nobody has used before.

    Pings are a matter of time: they are answered as they come, and only the one right after an auth-res is
    looked for.
    """

    def __init__(self, recording: Path, base_url: str, ws_url: str) -> None:
        self._name = recording.stem
        self._events: list[Event] = [json.loads(line) for line in recording.read_text().splitlines()]
        self._ws_url = ws_url
        self._bindings = Bindings(httpx.URL(ws_url).port or 80)
        self._api = httpx.AsyncClient(base_url=base_url, timeout=PATIENCE_S, trust_env=False)
        self._clients: dict[str, SignalClient] = {}
        self._spoken_at = 0.0
        self._heard_at = time.monotonic()
        self._outcome = Outcome()

    async def run(self) -> Outcome:
        """Replay all events in their order. A mismatch in signalling ends it: what follows would differ too."""
        try:
            for event in self._events:
                if not await self._took_place(event):
                    break
            else:
                await self._silent(NOTHING_MORE_WITHIN_S)
        except Mismatch as mismatch:
            self._outcome.mismatches.append(f"at the end: {mismatch}")
        finally:
            for client in self._clients.values():
                await client.drop()
            await self._api.aclose()
        return self._outcome

    async def _took_place(self, recorded: Event) -> bool:
        event, rules = expected(self._name, recorded)
        self._outcome.rules += rules
        try:
            await getattr(self, f"_{event['kind']}")(event)
        except Mismatch as mismatch:
            self._outcome.mismatches.append(f"{self._name} #{event['seq']}: {mismatch}")
            return bool(event["kind"] == "http")
        return True

    async def _http(self, event: Event) -> None:
        headers = {name: self._bindings.live(value) for name, value in event["headers"].items()}
        body = None if event["body"] is None else self._bindings.live(event["body"]).encode()
        path = self._bindings.live(event["path"])
        self._note_time(event)
        answer = await self._api.request(event["method"], path, content=body, headers=headers)
        if answer.status_code != event["status"]:
            raise Mismatch(f"status {event['status']} expected, not {answer.status_code} {answer.text}")
        for name in _COMPARED_HEADERS:
            _compare_header(name, event["res_headers"].get(name), answer.headers.get(name))
        self._bindings.expect(event["res_body"], answer.text)
        _compare_request_id(event, answer)

    async def _ws_open(self, event: Event) -> None:
        client = await SignalClient.open(self._ws_url, hears_pings=True)
        self._clients[event["client"]] = client
        handshake = client.connection.response
        assert handshake is not None
        for name, value in event["res_headers"].items():
            _compare_header(name, value.lower(), str(handshake.headers.get(name)).lower())
        for name in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"):
            _compare_header(name, None, handshake.headers.get(name))

    async def _ws_send(self, event: Event) -> None:
        if event["data"] != "pong={}":
            self._note_time(event)
            await self._clients[event["client"]].send_raw(self._bindings.live(event["data"]))

    async def _ws_recv(self, event: Event) -> None:
        if event["data"] == "ping={}":
            return
        client = self._clients[event["client"]]
        frame = await _next_but_pings(client)
        self._note_time(event)
        kind, _, body = event["data"].partition("=")
        live_kind, _, live_body = frame.partition("=")
        if kind != live_kind:
            raise Mismatch(f"{event['client']} should hear {event['data']} and hears {frame}")
        self._bindings.expect(body, live_body)
        if kind == "auth-res" and json.loads(body)["code"] == 0:
            await _hears_first_ping(client)

    async def _ws_close(self, event: Event) -> None:
        client = self._clients[event["client"]]
        if event["by"] == "client":
            await client.close()
        elif (frame := await _next_frame(client)) is not None:
            raise Mismatch(f"{event['client']} should be closed and hears {frame!r}")
        self._note_time(event)
        del self._clients[event["client"]]
        if (code := await client.close_code()) != event["code"]:
            raise Mismatch(f"{event['client']} should be closed with {event['code']}, not {code}")

    async def _note(self, event: Event) -> None:
        """Some notes are findings: that nothing came for a while."""
        if found := _NO_SUCH_FRAME.fullmatch(event["text"]):
            await self._silent(float(found["seconds"]), found["client"])
        elif _NO_LATE_TIMEOUT.search(event["text"]):
            elapsed = time.monotonic() - self._heard_at
            await self._silent(event["t"] - self._spoken_at - elapsed)

    async def _db(self, event: Event) -> None:
        """What the original had in its database is its own business."""

    def _note_time(self, event: Event) -> None:
        self._spoken_at, self._heard_at = event["t"], time.monotonic()

    async def _silent(self, seconds: float, label: str = "") -> None:
        clients = [self._clients[label]] if label else list(self._clients.values())
        await asyncio.gather(*(_hears_only_pings(client, seconds) for client in clients))


async def _next_frame(client: SignalClient) -> str | None:
    try:
        frame = await client.receive(PATIENCE_S)
    except TimeoutError:
        raise Mismatch(f"nothing was heard for {PATIENCE_S} s") from None
    if isinstance(frame, bytes):
        raise Mismatch(f"a binary frame: {frame!r}")
    return frame


async def _next_but_pings(client: SignalClient) -> str:
    while (frame := await _next_frame(client)) == "ping={}":
        pass
    if frame is None:
        raise Mismatch(f"closed with {await client.close_code()}")
    return frame


async def _hears_first_ping(client: SignalClient) -> None:
    try:
        frame = await client.receive(FIRST_PING_WITHIN_S)
    except TimeoutError:
        frame = None
    if frame != "ping={}":
        raise Mismatch(f"auth-res should be followed by a ping at once, not by {frame!r}")


async def _hears_only_pings(client: SignalClient, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, NOTHING_MORE_WITHIN_S)):
            while (frame := await client.receive(PATIENCE_S)) == "ping={}":
                pass
            raise Mismatch(f"silence should have followed, not {frame!r}")


def _compare_header(name: str, wanted: str | None, found: str | None) -> None:
    if found != wanted and not (wanted == ANYTHING and found):
        raise Mismatch(f"header {name} should be {wanted!r} and is {found!r}")


def _compare_request_id(event: Event, answer: httpx.Response) -> None:
    """A caller's own id comes back; otherwise header and error body agree on one."""
    header = answer.headers["x-reqid"]
    if header != event["headers"].get("X-Reqid", header):
        raise Mismatch(f"the request's own id became {header}")
    if answer.is_error and answer.json()["requestID"] != header:
        raise Mismatch(f"requestID {answer.json()['requestID']} beside the header's {header}")
