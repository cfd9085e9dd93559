"""Messages that the server sends: to people, to chat rooms, and as the system."""

from qlive_app.fakes.rongcloud.answers import Wrong, ok
from qlive_app.fakes.rongcloud.chatrooms import ChatRooms
from qlive_app.fakes.rongcloud.limits import one, several
from qlive_app.fakes.rongcloud.messages import Channel, Message, new_uid
from qlive_app.fakes.rongcloud.presence import Presence
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request

_MOST_BYTES = 128 * 1024
_LONGEST_NAME = 32
_WHY_CHARACTERS = 160


class Publishing:
    """Delivers what the server sends; none of it is routed back."""

    def __init__(self, rooms: ChatRooms, presence: Presence, clock: Clock) -> None:
        self._rooms = rooms
        self._presence = presence
        self._clock = clock

    def routes(self, routes: Routes) -> None:
        """Add what it answers."""
        routes.add("POST", "/message/private/publish.json", self._private)
        routes.add("POST", "/statusmessage/private/publish.json", self._status)
        routes.add("POST", "/message/system/publish.json", self._system)
        routes.add("POST", "/message/chatroom/publish.json", self._to_rooms)
        routes.add("POST", "/message/chatroom/broadcast.json", self._to_all_rooms)

    async def _private(self, request: Request, _at: Parameters) -> Answer:
        return self._to_people(request, "PERSON", most=1000, stored=True)

    async def _status(self, request: Request, _at: Parameters) -> Answer:
        return self._to_people(request, "PERSON", most=1000, stored=False)

    async def _system(self, request: Request, _at: Parameters) -> Answer:
        return self._to_people(request, "NOTIFY", most=100, stored=True)

    def _to_people(self, request: Request, channel: Channel, *, most: int, stored: bool) -> Answer:
        sent = [
            self._message(request, channel, user_id, stored=stored)
            for user_id in several(request, "toUserId", most=most)
        ]
        for message in sent:
            self._presence.deliver(message.target, message)
            if request.field("isIncludeSender") == "1":
                self._presence.deliver(message.sender, message)
        uids = [{"userId": each.target, "messageUID": each.uid} for each in sent]
        return ok({"messageUIDs": uids}, why=_told(sent))

    async def _to_rooms(self, request: Request, _at: Parameters) -> Answer:
        return self._say(request, several(request, "toChatroomId", most=100))

    async def _to_all_rooms(self, request: Request, _at: Parameters) -> Answer:
        return self._say(request, list(self._rooms.rooms))

    def _say(self, request: Request, room_ids: list[str]) -> Answer:
        sent = [self._message(request, "TEMPGROUP", room_id, stored=True) for room_id in room_ids]
        for message in sent:
            deliver_in_room(
                message, self._rooms, self._presence, to_sender=request.field("isIncludeSender") == "1"
            )
        uids = [{"chatroomId": each.target, "messageUID": each.uid} for each in sent]
        return ok({"messageUIDs": uids}, why=_told(sent))

    def _message(self, request: Request, channel: Channel, target: str, *, stored: bool) -> Message:
        name = one(request, "objectName")
        if len(name) > _LONGEST_NAME:
            raise Wrong(1005, f"objectName is longer than {_LONGEST_NAME} characters")
        return Message(
            uid=new_uid(),
            channel=channel,
            sender=one(request, "fromUserId"),
            target=target,
            object_name=name,
            content=one(request, "content", most_bytes=_MOST_BYTES),
            at_ms=self._clock.now_ms(),
            stored=stored,
        )


def deliver_in_room(message: Message, rooms: ChatRooms, presence: Presence, *, to_sender: bool) -> None:
    """Bring a message to the members of its room; nobody hears it if there is no such room."""
    room = rooms.rooms.get(message.target)
    for user_id in list(room.members) if room is not None else ():
        if to_sender or user_id != message.sender:
            presence.deliver(user_id, message)


def _told(sent: list[Message]) -> str:
    if not sent:
        return "to nobody"
    others = f" (and {len(sent) - 1} more)" if len(sent) > 1 else ""
    return f"{sent[0].told[:_WHY_CHARACTERS]}{others}"
