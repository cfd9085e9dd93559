"""Entering and leaving rooms over HTTP."""

from attrs import frozen

from qlive_app.http.answers import EnteredRoomAnswer, person, seat_pictures
from qlive_app.http.call import Call
from qlive_app.http.operations import Operation
from qlive_app.http.pictures import opponent
from qlive_app.http.replies import DONE, Reply, json_reply
from qlive_app.http.schemas import LeaveRoomBody, RoomBody
from qlive_app.http.ws_url import SignallingUrl
from qlive_app.services import Services
from qlive_core.errors import NoSuchRoom, UserBroadcasting, UserJoined
from qlive_core.model.room import RoomType
from qlive_core.model.status import room_status


@frozen
class AudienceRoutes:
    """What viewers do."""

    services: Services
    signalling_url: SignallingUrl

    async def enter(self, call: Call, body: RoomBody) -> Reply:
        outcome = await self.services.audience.enter(call.user_id, body.room_id)
        self.services.effects.run(outcome.effects)
        facts = await self.services.directory.one(outcome.reply.id)
        room = facts.room
        voice = room.type is RoomType.VOICE
        return json_reply(
            EnteredRoomAnswer(
                room_id=room.id,
                room_name=room.name,
                room_type=room.type.value,
                play_url=self.services.rtc.play_url(room.creator),
                rtc_room_token=self.services.rooms.token(room.id, call.user_id, "user") if voice else "",
                creator=person(room.creator, facts.creator),
                status=room_status(room, facts.pk).value,
                pk_anchor=opponent(facts),
                joined_audiences=seat_pictures(facts.seats),
                ws_url=self.signalling_url.for_call(call) if voice else "",
            )
        )

    async def leave(self, call: Call, _body: LeaveRoomBody) -> Reply:
        outcome = await self.services.audience.leave(call.user_id)
        self.services.effects.run(outcome.effects)
        return DONE

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module."""
        return (
            Operation(
                method="POST",
                path="/v1/enter_room",
                name="enterRoom",
                tag="audience",
                summary="Watch a room",
                doc="The caller leaves the room that he watched before, unless he has a seat there or asks for one.",
                body=RoomBody,
                answer=EnteredRoomAnswer,
                refusals=(NoSuchRoom, UserBroadcasting, UserJoined),
                run=self.enter,
            ),
            Operation(
                method="POST",
                path="/v1/leave_room",
                name="leaveRoom",
                tag="audience",
                summary="Stop watching",
                doc="It is no error to watch nothing.",
                body=LeaveRoomBody,
                refusals=(UserBroadcasting,),
                run=self.leave,
            ),
        )
