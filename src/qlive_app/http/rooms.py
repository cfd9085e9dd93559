"""Rooms over HTTP: what their hosts do, and how everybody finds them."""

from collections.abc import Sequence

from attrs import frozen

from qlive_app.http.answers import HostedRoomAnswer, RenamedRoomAnswer, RoomListAnswer, RoomPicture
from qlive_app.http.call import Call
from qlive_app.http.operations import Operation, Parameter
from qlive_app.http.paging import DEFAULT_LIMIT, page_request, write_cursor
from qlive_app.http.pictures import RoomPictures
from qlive_app.http.replies import DONE, Reply, json_reply
from qlive_app.http.schemas import CreateRoomBody, RenameRoomBody, RoomBody
from qlive_app.http.unchanged import UnchangedReplies
from qlive_app.http.ws_url import SignallingUrl
from qlive_app.services import Services
from qlive_core.errors import (
    BadRequest,
    InvalidRoomName,
    NoSuchRoom,
    OwnsAnotherRoom,
    RoomLimitReached,
    RoomNameTaken,
    UnsupportedRoomType,
    UserJoined,
    UserWatching,
)
from qlive_core.usecases.directory import PAGE_LIMIT_MAX, Query, RoomFacts
from qlive_core.usecases.rooms import HostedRoom

_WHOLE_LIST = ""  # no room has this id
_ROOM_ID = Parameter(name="roomID", within="path", required=True, doc="The room.")


@frozen
class RoomRoutes:
    """Opening, changing, closing and finding rooms. `unchanged` goes by the facts that pictures show."""

    services: Services
    pictures: RoomPictures
    signalling_url: SignallingUrl
    unchanged: UnchangedReplies

    async def create(self, call: Call, body: CreateRoomBody) -> Reply:
        outcome = await self.services.rooms.create(call.user_id, body.name, body.type)
        self.services.effects.run(outcome.effects)
        return self._hosted(call, outcome.reply)

    async def refresh(self, call: Call, body: RoomBody) -> Reply:
        return self._hosted(call, await self.services.rooms.refresh(call.user_id, body.room_id))

    async def rename(self, call: Call, body: RenameRoomBody) -> Reply:
        room = await self.services.rooms.rename(call.user_id, call.path_parameter("roomID"), body.name)
        return json_reply(RenamedRoomAnswer(room_id=room.id, room_name=room.name))

    async def close(self, call: Call, body: RoomBody) -> Reply:
        outcome = await self.services.rooms.close(call.user_id, body.room_id)
        self.services.effects.run(outcome.effects)
        return DONE

    async def one(self, call: Call) -> Reply:
        room_id = call.path_parameter("roomID")
        # Most viewers have no connection: asking for the room is their way to say that they still watch it.
        self.services.effects.run(await self.services.audience.poll(call.user_id, room_id))
        return await self.unchanged.get(room_id, lambda: self._shown(room_id))

    async def list(self, call: Call) -> Reply:
        parameters = call.query()
        query = Query(call.user_id, parameters.get("can_pk") == "true", parameters.get("creator", ""))
        page = page_request(parameters)
        if page is not None:
            shown = await self.services.directory.page(query, page.limit, page.after)
            cursor = write_cursor(shown.next_after) if shown.next_after else ""
            return json_reply(RoomListAnswer(rooms=self._texts(shown.rooms), next_cursor=cursor))
        if query.can_pk or query.creator:
            return await self._listed(query)
        return await self._whole(query)

    async def _whole(self, query: Query) -> Reply:
        """List everything but the caller's own room; those who have none all get the same."""
        if await self.services.directory.rooms.by_creator(query.caller) is not None:
            return await self._listed(query)
        return await self.unchanged.get(_WHOLE_LIST, lambda: self._listed(query))

    async def _shown(self, room_id: str) -> Reply:
        return Reply(self.pictures.text(await self.services.directory.one(room_id)).encode())

    async def _listed(self, query: Query) -> Reply:
        rooms = await self.services.directory.list(query)
        # Apps ask for null, not for an empty list, to see that there is no room.
        return json_reply(RoomListAnswer(rooms=self._texts(rooms) or None))

    def _texts(self, rooms: Sequence[RoomFacts]) -> Sequence[str]:
        text = self.pictures.text
        return [text(facts) for facts in rooms]

    def _hosted(self, call: Call, hosted: HostedRoom) -> Reply:
        room = hosted.room
        return json_reply(
            HostedRoomAnswer(
                room_id=room.id,
                room_name=room.name,
                rtc_room=room.id,
                rtc_room_token=hosted.rtc_token,
                ws_url=self.signalling_url.for_call(call),
            )
        )

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module."""
        return (*self._collection(), *self._hosting())

    def _collection(self) -> tuple[Operation, ...]:
        return (
            Operation(
                method="GET",
                path="/v1/rooms",
                name="listRooms",
                tag="rooms",
                summary="List rooms",
                doc="Oldest first and all of them; with `limit` or `cursor` pages, newest first. The caller's own "
                "room is shown only if asked for by `creator`.",
                parameters=(
                    Parameter(name="can_pk", doc='"true": only rooms that could be offered a PK.'),
                    Parameter(name="creator", doc="Only the room of this user. `can_pk` wins."),
                    Parameter(
                        name="limit",
                        doc="Rooms on a page.",
                        schema={
                            "type": "integer",
                            "minimum": 1,
                            "maximum": PAGE_LIMIT_MAX,
                            "default": DEFAULT_LIMIT,
                        },
                    ),
                    Parameter(name="cursor", doc="The `nextCursor` of the page before."),
                ),
                answer=RoomListAnswer,
                refusals=(BadRequest,),
                run=self.list,
            ),
            Operation(
                method="POST",
                path="/v1/rooms",
                name="createRoom",
                tag="rooms",
                summary="Open a room",
                doc="Asking again for one's own room by its name returns it with a new token.",
                body=CreateRoomBody,
                answer=HostedRoomAnswer,
                refusals=(
                    InvalidRoomName,
                    UnsupportedRoomType,
                    RoomLimitReached,
                    RoomNameTaken,
                    OwnsAnotherRoom,
                    UserWatching,
                    UserJoined,
                ),
                run=self.create,
            ),
            Operation(
                method="GET",
                path="/v1/rooms/{roomID}",
                name="showRoom",
                tag="rooms",
                summary="Look at a room",
                doc="Viewers ask again and again: it keeps them in the audience.",
                parameters=(_ROOM_ID,),
                answer=RoomPicture,
                refusals=(NoSuchRoom,),
                run=self.one,
            ),
            Operation(
                method="PUT",
                path="/v1/rooms/{roomID}",
                name="renameRoom",
                tag="rooms",
                summary="Rename one's room",
                parameters=(_ROOM_ID,),
                body=RenameRoomBody,
                answer=RenamedRoomAnswer,
                refusals=(InvalidRoomName, NoSuchRoom, RoomNameTaken),
                run=self.rename,
            ),
        )

    def _hosting(self) -> tuple[Operation, ...]:
        return (
            Operation(
                method="POST",
                path="/v1/refresh_room",
                name="refreshRoom",
                tag="rooms",
                summary="Get a new token for one's room",
                body=RoomBody,
                answer=HostedRoomAnswer,
                refusals=(NoSuchRoom,),
                run=self.refresh,
            ),
            Operation(
                method="POST",
                path="/v1/close_room",
                name="closeRoom",
                tag="rooms",
                summary="Close one's room",
                doc="Ends its PK and tells everybody concerned.",
                body=RoomBody,
                refusals=(NoSuchRoom,),
                run=self.close,
            ),
        )
