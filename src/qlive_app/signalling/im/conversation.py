"""From a word over IM to its use case, and back to a reply over IM."""

from collections.abc import Callable

import structlog
from attrs import field, frozen

from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_app.signalling.commands import SignalCommands
from qlive_app.signalling.im.words import Word
from qlive_core.errors import Unavailable
from qlive_core.signalling import BadRequest, Disconnect, Reply, Request, encode


@frozen
class ImConversation:
    """Handles words of users, each to its end. A reply goes the way that the request came, behind its pushes.

    ``spoke`` is told whenever a user spoke to us and is there.
    """

    services: Services
    commands: SignalCommands
    send: Callable[[str, str], None]
    spoke: Callable[[str], None]
    metrics: Metrics
    _log: structlog.stdlib.BoundLogger = field(factory=lambda: structlog.get_logger("qlive.im"), init=False)

    async def hear(self, word: Word) -> None:
        """Handle one word."""
        try:
            kind = await self._hear(word)
        except Unavailable as error:
            # When the store is away this is said often; in itself it is no more than one user who will speak again.
            self._log.error("im message not handled", user_id=word.user_id, detail=str(error))
            kind = "failed"
        self.metrics.count_im_message(kind)

    async def _hear(self, word: Word) -> str:
        if isinstance(word.request, Disconnect):
            left = await self.services.attendance.leave_by_im(word.user_id, word.at)
            self.services.effects.run(left.effects)
            return "command" if left.reply else "stale"
        seen = await self.services.attendance.heard_over_im(word.user_id, word.at)
        self.services.effects.run(seen.effects)
        if not seen.reply:
            return "stranger"
        if word.to_us:
            self.spoke(word.user_id)
        return "sign" if word.request is None else await self._answer(word, word.request)

    async def _answer(self, word: Word, request: Request | BadRequest) -> str:
        if isinstance(request, BadRequest):
            self._reply(word.user_id, request.reply)
            return "malformed"
        here = await self.services.whereabouts.of(word.user_id)
        # What an audience asks for names its room, so only a host's word can be taken for one about a newer room.
        if here.hosted_room is not None and here.outdates(word.at):
            return "stale"
        able = await self.services.attendance.capabilities(word.user_id)
        reply = await self.commands.execute(word.user_id, request, has_announced=bool(able))
        self._reply(word.user_id, reply)
        return "command"

    def _reply(self, user_id: str, reply: Reply | None) -> None:
        if reply is not None:
            self.send(user_id, encode(reply))
