"""The requests about seats, and the announcement of what an app can show."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from qlive_app.services import Services
from qlive_core.effects import Outcome
from qlive_core.model.presence import CAPABILITIES
from qlive_core.signalling import (
    Announce,
    AnnounceRes,
    AnswerInvite,
    AnswerJoin,
    EmptySeat,
    EndJoin,
    InviteJoin,
    LockSeat,
    MoveSeat,
    MuteSeat,
    Reply,
    Request,
    SignalCode,
    StartJoin,
)

Act = Callable[[str, Any], Awaitable[Outcome[None]]]


class SeatCommands:
    """Runs each of its requests by one use case; almost all are answered with a mere code."""

    def __init__(self, services: Services) -> None:
        self._services = services
        seats, control = services.seats, services.seat_control
        self._acts: dict[type[Request], Act] = {
            StartJoin: lambda user, of: seats.ask(user, of.room_id, of.position),
            AnswerJoin: lambda user, of: seats.answer(user, of.room_id, of.req_user_id, accept=of.accept),
            EndJoin: lambda user, of: seats.end(user, of.room_id),
            InviteJoin: lambda user, of: control.invite(user, of.room_id, of.req_user_id, of.position),
            AnswerInvite: lambda user, of: control.answer_invite(user, of.room_id, accept=of.accept),
            MoveSeat: lambda user, of: control.move(user, of.room_id, of.req_user_id, of.position),
            MuteSeat: lambda user, of: control.mute(user, of.room_id, of.req_user_id, muted=of.muted),
            LockSeat: lambda user, of: control.lock(user, of.room_id, of.position, locked=of.locked),
            EmptySeat: lambda user, of: control.empty(user, of.room_id, of.position),
        }

    def handlers(self) -> Mapping[type[Request], Callable[[str, Any], Awaitable[Reply]]]:
        """Return what handles which request."""
        return {**dict.fromkeys(self._acts, self._act), Announce: self._announce}

    async def _act(self, user_id: str, request: Request) -> Reply:
        outcome = await self._acts[type(request)](user_id, request)
        self._services.effects.run(outcome.effects)
        return (request.REPLY or Reply).answer(SignalCode.OK, request.rpc_id)

    async def _announce(self, user_id: str, request: Announce) -> Reply:
        await self._services.attendance.announce(user_id, request.capabilities)
        roster = await self._services.seats.roster(user_id)
        # What it now can be shown follows the reply.
        asyncio.get_running_loop().call_soon(self._services.effects.run, roster)
        return AnnounceRes(
            rpc_id=request.rpc_id, code=SignalCode.OK, error="", capabilities=tuple(sorted(CAPABILITIES))
        )
