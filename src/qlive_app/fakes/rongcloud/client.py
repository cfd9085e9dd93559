"""A client: a user's device that is connected to the cloud, as a test or a person wants it to behave."""

import asyncio

from qlive_app.fakes.rongcloud.callbacks import JOINED, LOGGED_OUT, OFFLINE, ONLINE, QUIT, Callbacks
from qlive_app.fakes.rongcloud.chatrooms import ChatRooms
from qlive_app.fakes.rongcloud.knobs import RongCloudKnobs
from qlive_app.fakes.rongcloud.limits import Rate
from qlive_app.fakes.rongcloud.messages import TEXT, Channel, Message, new_uid, text_content
from qlive_app.fakes.rongcloud.presence import Presence
from qlive_app.fakes.rongcloud.publishing import deliver_in_room
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.control import Refused

PING, PONG = "ping={}", "pong={}"
_WAITING = 1000


class ClientRefused(Refused):
    """The cloud refuses a client; ``code`` is the number that the vendor's SDK reports."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code


class FakeClient:
    """A connected device. What it sends is told to the application; what is sent to its user waits in it.

    With ``auto_pong`` it answers the text ``ping={}`` by ``pong={}`` and does not show it.
    """

    def __init__(
        self,
        user_id: str,
        source: str,
        *,
        rooms: ChatRooms,
        presence: Presence,
        callbacks: Callbacks,
        knobs: RongCloudKnobs,
        clock: Clock,
    ) -> None:
        self.user_id = user_id
        self.auto_pong = False
        self._source = source
        self._rooms = rooms
        self._presence = presence
        self._callbacks = callbacks
        self._knobs = knobs
        self._clock = clock
        self._rate = Rate()
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(_WAITING)
        self._connected = True
        callbacks.status(user_id, ONLINE, source=source)
        presence.came(self)

    @property
    def connected(self) -> bool:
        """Whether neither it nor the cloud has ended the connection."""
        return self._connected

    def disconnect(self, *, logout: bool = False) -> None:
        """End the connection, by leaving the app or by logging out."""
        self._end(LOGGED_OUT if logout else OFFLINE)

    def thrown_out(self) -> None:
        """Be disconnected by the cloud."""
        self._end(OFFLINE)

    def join(self, room_id: str) -> None:
        """Join a chat room, which is made if there is none, as the vendor's SDK does for `joinChatRoom`.

        Raises ClientRefused: 23409 kicked out before.
        """
        self._check_connected()
        if self._rooms.blocks.holds(room_id, self.user_id):
            raise ClientRefused(23409, f"{self.user_id} was kicked out of {room_id!r}")
        self._rooms.found_or_made(room_id).members[self.user_id] = self._clock.now_ms()
        self._callbacks.chatroom(room_id, self.user_id, JOINED)

    def leave(self, room_id: str) -> None:
        """Leave a chat room; nothing happens if it is not in it."""
        room = self._rooms.rooms.get(room_id)
        if room is not None and room.members.pop(self.user_id, None) is not None:
            self._callbacks.chatroom(room_id, self.user_id, QUIT)

    def send_text(self, user_id: str, text: str) -> Message:
        """Send a text to a user."""
        return self.send(user_id, TEXT, text_content(text))

    def send(self, user_id: str, object_name: str, content: str) -> Message:
        """Send a message to a user; the content is the JSON text of its body. Raises ClientRefused."""
        message = self._message("PERSON", user_id, object_name, content)
        self._presence.deliver(user_id, message)
        self._callbacks.sent(message, source=self._source)
        return message

    def say_text(self, room_id: str, text: str) -> Message:
        """Send a text to a chat room that it has joined."""
        return self.say(room_id, TEXT, text_content(text))

    def say(self, room_id: str, object_name: str, content: str) -> Message:
        """Send a message to a chat room.

        Raises ClientRefused: 23410 there is none, 23406 not joined, 23408 not allowed to speak, 20604 too many.
        """
        room = self._rooms.rooms.get(room_id)
        if room is None:
            raise ClientRefused(23410, f"there is no chat room {room_id!r}")
        if self.user_id not in room.members:
            raise ClientRefused(23406, f"{self.user_id} is not in {room_id!r}")
        if not self._rooms.may_speak(room_id, self.user_id):
            raise ClientRefused(23408, f"{self.user_id} must not speak in {room_id!r}")
        message = self._message("TEMPGROUP", room_id, object_name, content)
        deliver_in_room(message, self._rooms, self._presence, to_sender=False)
        self._callbacks.sent(message, source=self._source)
        return message

    async def receive(self, *, timeout_s: float = 5.0) -> Message:
        """Return the next message that reached this device. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            return await self._waiting.get()

    def receive_message(self, message: Message) -> None:
        """Take a message; if too many wait, the oldest is lost."""
        if (
            self.auto_pong
            and message.channel == "PERSON"
            and message.object_name == TEXT
            and message.text == PING
        ):
            self.send_text(message.sender, PONG)
            return
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(message)

    def _message(self, channel: Channel, target: str, object_name: str, content: str) -> Message:
        self._check_connected()
        now = self._clock.now()
        if self._rate.exceeds("", self._knobs.client_messages_per_s, now):
            raise ClientRefused(20604, "sending too fast")
        return Message(
            uid=new_uid(),
            channel=channel,
            sender=self.user_id,
            target=target,
            object_name=object_name,
            content=content,
            at_ms=self._clock.now_ms(),
        )

    def _check_connected(self) -> None:
        if not self._connected:
            raise ClientRefused(30001, "not connected")

    def _end(self, status: str) -> None:
        if not self._connected:
            return
        self._connected = False
        self._presence.went(self)
        if not self._presence.is_online(self.user_id):
            for room_id in list(self._rooms.rooms):
                self.leave(room_id)
        self._callbacks.status(self.user_id, status, source=self._source)
