"""Clients and calls back driven over HTTP, for tests in another process and for people with curl."""

from collections.abc import Callable

import attrs

from qlive_app.fakes.rongcloud.callbacks import Callbacks
from qlive_app.fakes.rongcloud.client import FakeClient
from qlive_app.fakes.rongcloud.messages import TEXT, Message, text_content
from qlive_app.fakes.rongcloud.presence import Presence
from qlive_app.fakes.serving.control import Refused, asked, turn
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request, json_answer

# The user in whose name qlive speaks, unless im.system_user_id says otherwise.
_SYSTEM_USER = "qlive-system"


class Remote:
    """One client for each user, under ``/_fake/clients/{user}``, and ``/_fake/callbacks``."""

    def __init__(
        self, connect: Callable[[str], FakeClient], presence: Presence, callbacks: Callbacks
    ) -> None:
        self._connect = connect
        self._presence = presence
        self._callbacks = callbacks
        self._clients: dict[str, FakeClient] = {}

    def routes(self, control: Routes) -> None:
        """Add what it answers."""
        control.add("POST", "/_fake/clients", self._come)
        control.add("DELETE", "/_fake/clients/{user}", self._go)
        control.add("POST", "/_fake/clients/{user}/join", self._join)
        control.add("POST", "/_fake/clients/{user}/leave", self._leave)
        control.add("POST", "/_fake/clients/{user}/signal", self._signal)
        control.add("POST", "/_fake/clients/{user}/send", self._send)
        control.add("POST", "/_fake/clients/{user}/say", self._say)
        control.add("GET", "/_fake/clients/{user}/receive", self._receive)
        control.add("GET", "/_fake/users/{user}/received", self._received)
        control.add("GET", "/_fake/callbacks", self._deliveries)
        control.add("POST", "/_fake/callbacks", self._turn)

    async def _come(self, request: Request, _at: Parameters) -> Answer:
        """Connect with ``token``; ``auto_pong`` has it answer pings."""
        client = self._connect(asked(request, "token"))
        client.auto_pong = bool(request.json().get("auto_pong", False))
        self._clients[client.user_id] = client
        return json_answer(200, {"user": client.user_id})

    async def _go(self, request: Request, at: Parameters) -> Answer:
        self._client(at).disconnect(logout=request.query.get("logout") == "1")
        del self._clients[at["user"]]
        return json_answer(200, {})

    async def _join(self, request: Request, at: Parameters) -> Answer:
        self._client(at).join(asked(request, "room"))
        return json_answer(200, {})

    async def _leave(self, request: Request, at: Parameters) -> Answer:
        self._client(at).leave(asked(request, "room"))
        return json_answer(200, {})

    async def _signal(self, request: Request, at: Parameters) -> Answer:
        """Send the body as it is, such as ``end-pk={}``, as a text to whom the apps send their signals."""
        return json_answer(200, _shown(self._client(at).send_text(_SYSTEM_USER, request.body.decode())))

    async def _send(self, request: Request, at: Parameters) -> Answer:
        """Send ``text``, or ``content`` of the type ``objectName``, to the user ``to``."""
        return json_answer(200, _shown(self._client(at).send(asked(request, "to"), *_content(request))))

    async def _say(self, request: Request, at: Parameters) -> Answer:
        """Send the like to the chat room ``room``."""
        return json_answer(200, _shown(self._client(at).say(asked(request, "room"), *_content(request))))

    async def _receive(self, request: Request, at: Parameters) -> Answer:
        """Return the next message, waiting ``wait_s`` for it; null if there is none."""
        try:
            message = await self._client(at).receive(timeout_s=float(request.query.get("wait_s", "0.01")))
        except TimeoutError:
            return json_answer(200, {"message": None})
        return json_answer(200, {"message": _shown(message)})

    async def _received(self, _request: Request, at: Parameters) -> Answer:
        return json_answer(200, {"messages": [_shown(each) for each in self._presence.received(at["user"])]})

    async def _deliveries(self, _request: Request, _at: Parameters) -> Answer:
        deliveries = [
            {
                "url": each.event.url,
                "contentType": each.event.content_type,
                "body": each.event.body.decode(),
                "tries": each.tries,
            }
            for each in self._callbacks.deliveries
        ]
        return json_answer(200, {"manners": attrs.asdict(self._callbacks.manners), "deliveries": deliveries})

    async def _turn(self, request: Request, at: Parameters) -> Answer:
        self._callbacks.manners = turn(self._callbacks.manners, request)
        return await self._deliveries(request, at)

    def _client(self, at: Parameters) -> FakeClient:
        if at["user"] not in self._clients:
            raise Refused(f"{at['user']!r} is not connected; POST /_fake/clients with his token")
        return self._clients[at["user"]]


def _content(request: Request) -> tuple[str, str]:
    body = request.json()
    if "text" in body:
        return TEXT, text_content(body["text"])
    return asked(request, "objectName"), asked(request, "content")


def _shown(message: Message) -> dict[str, object]:
    return {
        "uid": message.uid,
        "channel": message.channel,
        "from": message.sender,
        "to": message.target,
        "objectName": message.object_name,
        "content": message.content,
        "text": message.text,
        "time": message.at_ms,
    }
