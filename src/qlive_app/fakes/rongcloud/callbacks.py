"""Calls back to the application: what users sent, and who came and went.

Source: the vendor's documentation of full message routing, of the online status subscription and of the chat room
status subscription; the form variant of the status is what the original server parsed.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlencode

import httpx
from attrs import define, frozen

from qlive_app.fakes.keys import Keys
from qlive_app.fakes.rongcloud.gate import signature
from qlive_app.fakes.rongcloud.messages import Message
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.outgoing import http_client
from qlive_app.fakes.serving.wire import FORM, JSON

MESSAGES_PATH = "/v1/im_messages/rongcloud"
STATUS_PATH = "/v1/im_user_status/rongcloud"
ONLINE, OFFLINE, LOGGED_OUT = "0", "1", "2"
JOINED, QUIT = 1, 2
_FORM_UTF8 = f"{FORM}; charset=utf-8"
_USER_AGENT = "RongCloud/1.0"
_WAITING = 10_000
_KEPT = 1000


@define
class Manners:
    """How calls back are made. The defaults are the vendor's good manners."""

    copies: int = 1
    """How often each event is sent, with the same ``msgUID``."""
    reorder: int = 1
    """So many events are gathered and sent last first."""
    gather_s: float = 0.5
    """For how long they are gathered, if there are fewer."""
    delay_s: float = 0
    """Time before each event is sent."""
    signature: Literal["right", "wrong", "missing"] = "right"
    time_name: Literal["timestamp", "signTimestamp", "missing"] = "timestamp"
    """What the signed time is called; older services say ``signTimestamp`` and leave out the app key."""
    age_s: float = 0
    """How old the signed time is; a negative number is in the future."""
    reuse_signature: bool = False
    """Whether copies and further tries carry the nonce and time of the first."""
    event_time: bool = True
    """Whether an event says when it happened: ``msgTimestamp``, or ``time`` of a status."""
    status_form: bool = False
    """Whether a status comes as the form that older services send."""
    tries: int = 3
    timeout_s: float = 5.0


@frozen
class Event:
    """What is told to the application."""

    url: str
    content_type: str
    body: bytes
    about: str


@frozen
class Delivery:
    """How the telling of an event went: what each try was answered, a status or an error."""

    event: Event
    tries: tuple[str, ...]

    @property
    def taken(self) -> bool:
        """Whether it was answered 200 in the end."""
        return self.tries[-1:] == ("200",)


class Callbacks:
    """Tells events one after the other. A URL that is empty is not called.

    ``watch`` is told each delivery.
    """

    def __init__(self, keys: Keys, clock: Clock, application: str | None) -> None:
        self.manners = Manners()
        self.message_url = f"{application}{MESSAGES_PATH}" if application else ""
        self.status_url = f"{application}{STATUS_PATH}" if application else ""
        self.chatroom_url = ""
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT)
        self.watch: Callable[[Delivery], None] = lambda _delivery: None
        self._keys = keys
        self._clock = clock
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(_WAITING)

    def sent(self, message: Message, *, source: str) -> None:
        """Tell what a client sent."""
        fields = {
            "fromUserId": message.sender,
            "toUserId": message.target,
            "objectName": message.object_name,
            "content": message.content,
            "channelType": message.channel,
            "msgTimestamp": str(message.at_ms),
            "msgUID": message.uid,
            "sensitiveType": "0",
            "source": source,
        }
        if not self.manners.event_time:
            del fields["msgTimestamp"]
        self._put(Event(self.message_url, _FORM_UTF8, urlencode(fields).encode(), message.told))

    def status(self, user_id: str, status: str, *, source: str) -> None:
        """Tell that a device of a user came or went."""
        about = f"{user_id} {'online' if status == ONLINE else 'offline'} on {source}"
        if self.manners.status_form:
            fields = {"0[userid]": user_id, "0[status]": status, "0[os]": source}
            self._put(Event(self.status_url, _FORM_UTF8, urlencode(fields).encode(), about))
            return
        found = {
            "userid": user_id,
            "status": status,
            "os": source,
            "time": self._clock.now_ms(),
            "clientIp": "203.0.113.7:5678",
            "sessionId": secrets.token_hex(8),
        }
        if not self.manners.event_time:
            del found["time"]
        self._put(Event(self.status_url, JSON, json.dumps([found]).encode(), about))

    def chatroom(self, room_id: str, user_id: str, kind: int) -> None:
        """Tell that a user joined or quit a chat room."""
        found = {
            "chatRoomId": room_id,
            "userIds": [user_id],
            "status": 0,
            "type": kind,
            "time": self._clock.now_ms(),
        }
        about = f"{user_id} {'joined' if kind == JOINED else 'quit'} {room_id}"
        self._put(Event(self.chatroom_url, JSON, json.dumps([found]).encode(), about))

    async def settled(self, *, timeout_s: float = 30.0) -> None:
        """Wait until everything was told, or given up. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._waiting.join()

    async def run(self) -> None:
        """Tell what there is to be told, until cancelled."""
        async with http_client() as http:
            while True:
                gathered = await self._gather()
                for event in reversed(gathered):
                    await asyncio.sleep(self.manners.delay_s)
                    signed = self._signed(event)
                    for _ in range(self.manners.copies):
                        await self._tell(http, event, signed)
                    self._waiting.task_done()

    def _put(self, event: Event) -> None:
        if event.url:
            self._waiting.put_nowait(event)

    async def _gather(self) -> list[Event]:
        events = [await self._waiting.get()]
        try:
            async with asyncio.timeout(self.manners.gather_s):
                while len(events) < self.manners.reorder:
                    events.append(await self._waiting.get())
        except TimeoutError:
            pass  # there are no more
        return events

    async def _tell(self, http: httpx.AsyncClient, event: Event, signed: str) -> None:
        tries: list[str] = []
        while len(tries) < self.manners.tries and tries[-1:] != ["200"]:
            url = signed if self.manners.reuse_signature else self._signed(event)
            headers = {"Content-Type": event.content_type, "User-Agent": _USER_AGENT}
            try:
                response = await http.post(
                    url, content=event.body, headers=headers, timeout=self.manners.timeout_s
                )
                tries.append(str(response.status_code))
            except httpx.TransportError as exc:
                tries.append(type(exc).__name__)
        delivery = Delivery(event, tuple(tries))
        self.deliveries.append(delivery)
        self.watch(delivery)

    def _signed(self, event: Event) -> str:
        """Return the URL of an event with the signature in its query."""
        manners = self.manners
        nonce = str(secrets.randbelow(10**9))
        at = str(int((self._clock.now() - manners.age_s) * 1000))
        parameters = {"appKey": self._keys.key} if manners.time_name == "timestamp" else {}
        if manners.time_name != "missing":
            parameters[manners.time_name] = at
        parameters["nonce"] = nonce
        if manners.signature != "missing":
            right = signature(self._keys.secret, nonce, at)
            parameters["signature"] = right if manners.signature == "right" else right[::-1]
        return f"{event.url}{'&' if '?' in event.url else '?'}{urlencode(parameters)}"
