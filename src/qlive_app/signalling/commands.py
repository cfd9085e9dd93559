"""From a request to its use case, and back to a reply."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_app.signalling.errors import code_of
from qlive_app.signalling.seat_commands import SeatCommands
from qlive_core.errors import Refused, Unavailable
from qlive_core.signalling import AnswerPk, AnswerPkRes, EndPk, EndPkRes, Reply, Request, SignalCode, StartPk
from qlive_core.signalling.messages import StartPkRes

Handler = Callable[[str, Any], Awaitable[Reply]]


class SignalCommands:
    """Runs requests for a user. One request, one reply, whatever happens."""

    def __init__(self, services: Services, metrics: Metrics) -> None:
        self.services = services
        self._metrics = metrics
        self._log = structlog.get_logger("qlive.signalling")
        self._handlers: dict[type[Request], Handler] = {
            StartPk: self._start_pk,
            AnswerPk: self._answer_pk,
            EndPk: self._end_pk,
            **SeatCommands(services).handlers(),
        }

    async def execute(self, user_id: str, request: Request, *, has_announced: bool) -> Reply:
        """Run the request, carry out its effects and return the reply; errors become codes.

        ``has_announced`` tells whether the app that asks has announced anything that it can show.
        """
        started = time.perf_counter()
        try:
            reply = await self._handlers[type(request)](user_id, request)
        except Exception as error:  # noqa: BLE001 - whatever fails, the client gets its one reply
            reply = self._failed(user_id, request, error, has_announced=has_announced)
        self._metrics.observe_message(request.TYPE, reply.code, time.perf_counter() - started)
        return reply

    async def _start_pk(self, user_id: str, request: StartPk) -> Reply:
        outcome = await self.services.battles.start(user_id, request.pk_room_id)
        self.services.effects.run(outcome.effects)
        return StartPkRes.answer(SignalCode.OK, request.rpc_id)

    async def _answer_pk(self, user_id: str, request: AnswerPk) -> Reply:
        outcome = await self.services.battles.answer(user_id, request.req_room_id, accept=request.accept)
        self.services.effects.run(outcome.effects)
        relay = outcome.reply.relay
        return AnswerPkRes(
            req_room_id=outcome.reply.proposer_room_id,
            rpc_id=request.rpc_id,
            code=SignalCode.OK,
            error="",
            relay_rtc_room=relay.room_id if relay else "",
            relay_rtc_room_token=relay.token if relay else "",
        )

    async def _end_pk(self, user_id: str, request: EndPk) -> Reply:
        outcome = await self.services.battles.end(user_id, request.pk_room_id)
        self.services.effects.run(outcome.effects)
        return EndPkRes.answer(SignalCode.OK, request.rpc_id)

    def _failed(self, user_id: str, request: Request, error: Exception, *, has_announced: bool) -> Reply:
        reply_class = request.REPLY or Reply
        if not isinstance(error, Refused):
            self._log.error(
                "signalling request failed",
                user_id=user_id,
                type=request.TYPE,
                detail=str(error),
                # When the store is away, this is said many times a second.
                exc_info=None if isinstance(error, Unavailable) else error,
            )
        code = code_of(error, type(request), has_announced=has_announced)
        return reply_class.answer(code, request.rpc_id)
