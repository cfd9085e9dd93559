"""One connection at work: reads, timers and writes around the core's connection protocol."""

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from typing import Any

import structlog
from litestar import WebSocket

from qlive_app.runtime.metrics import Metrics
from qlive_app.services import Services
from qlive_app.signalling.commands import SignalCommands
from qlive_app.signalling.hub import MAILBOX_PUSHES, Hub
from qlive_app.signalling.transport import Wire
from qlive_core.errors import QliveError, Unauthenticated
from qlive_core.model.presence import Presence
from qlive_core.model.session import hash_token
from qlive_core.signalling import (
    Auth,
    Authenticate,
    Close,
    CloseCode,
    ConnectionLimits,
    Execute,
    Leave,
    Output,
    Outputs,
    Request,
    Send,
    SignalCode,
    SignalConnection,
    encode,
)

_PONG_ALLOWANCE_S = 1.0
_ACK_ALLOWANCE_S = 0.3
_PAUSE_S = 1.0
_WORK_AT_ONCE = 16_384
_WORK_OF_A_FRAME = 512
"""A frame takes as long as so many bytes of a long one."""
_GOODBYES = (CloseCode.PONG_TIMEOUT, CloseCode.POLICY_VIOLATION)


class SignalSession:
    """The shell of one connection. Frames are handled one after the other, each to its end.

    Outgoing frames are written at once as long as the socket takes them; then they go through one bounded
    queue with one writer, and queueing never waits. A client that does not read until the queue is full is
    dropped, and finds its pushes when it is back.
    """

    __slots__ = (
        "_closing", "_commands", "_hub", "_log", "_loop", "_metrics", "_outbox", "_outbox_max", "_protocol",
        "_services", "_sink", "_timer", "_unheard", "_unheard_since", "_user_id", "_wire", "_writer",
        "connection_id", "opened_by",
    )  # fmt: skip

    def __init__(
        self,
        socket: WebSocket[Any, Any, Any],
        *,
        services: Services,
        commands: SignalCommands,
        hub: Hub,
        metrics: Metrics,
        limits: ConnectionLimits,
        outbox_max: int,
    ) -> None:
        self.connection_id = secrets.token_urlsafe(12)
        self.opened_by = ""
        self._sink = socket
        self._wire: Wire = socket.scope["state"]["wire"]
        self._services = services
        self._commands = commands
        self._hub = hub
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._protocol = SignalConnection(self._loop.time(), limits)
        self._outbox: deque[tuple[str, bool]] = deque()
        self._outbox_max = outbox_max
        self._unheard: list[str] = []  # pushes written since the client was last heard
        self._unheard_since = 0.0
        self._user_id: str | None = None
        self._writer: asyncio.Task[None] | None = None
        self._closing: Close | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._log = structlog.get_logger("qlive.signalling")

    # --- the life of a connection ---

    async def run(self) -> None:
        """Serve the connection until it ends, then begin its user's grace."""
        self._wire.on_frame = self._heard
        self._wire.on_shutdown = lambda: self.hang_up(CloseCode.SERVICE_RESTART)
        self._arm()
        code = 1006
        try:
            code = await self._read()
        finally:
            self._stop_timer()
            self._wire.on_frame = self._wire.on_shutdown = None
            await self._ended(code)

    async def _read(self) -> int:
        """Handle what comes until the connection ends; return the code of the end."""
        done = 0
        while True:
            message: Mapping[str, Any] = await self._sink.receive()
            if message["type"] != "websocket.receive":
                return self._closing.code if self._closing else int(message.get("code") or 1005)
            self._unheard.clear()
            now = self._loop.time()
            text = message.get("text")
            if text is None:
                await self._carry_out(self._protocol.binary_received(now))
            else:
                await self._carry_out(self._protocol.text_received(text, now))
            done += _WORK_OF_A_FRAME + len(text or "")
            if self._writer is not None or done >= _WORK_AT_ONCE:
                # Many frames may have come in one packet; let others and the writer on.
                done = 0
                await asyncio.sleep(0)

    async def _ended(self, code: int) -> None:
        self._metrics.count_close(code)
        user_id = self._user_id
        if user_id is None:
            return
        self._hub.detach(user_id, self)
        self._metrics.connections.set(len(self._hub))
        self._log.debug(
            "connection ended", user_id=user_id, connection=self.connection_id, close_code=int(code)
        )
        if self._closing is not None and self._closing.code is CloseCode.SERVICE_RESTART:
            return  # we leave, not he: the next life begins his grace, however long it is until then
        try:
            outcome = await self._services.attendance.drop(user_id, self.connection_id)
        except QliveError as error:
            # The presence stays open in the store; the sweep finds it there when the store is back.
            self._log.error("drop not stored", user_id=user_id, connection=self.connection_id, exc_info=error)
        else:
            self._services.effects.run(outcome.effects)

    # --- what the protocol wants done ---

    async def _carry_out(self, outputs: Outputs) -> None:
        for output in outputs:
            match output:
                case Authenticate(request):
                    await self._authenticate(request)
                case Execute(command):
                    await self._execute(command)
                case Leave():
                    await self._leave()
                case _:
                    self._carry_out_now(output)

    def _carry_out_all(self, outputs: Outputs) -> None:
        for output in outputs:
            self._carry_out_now(output)

    def _carry_out_now(self, output: Output) -> None:
        match output:
            case Send(text):
                self._enqueue(text, is_push=False)
            case Close():
                self._close(output)

    async def _execute(self, request: Request) -> None:
        if self._user_id is None or not self._hub.counts(self._user_id, self):
            return  # a newer connection speaks for the user
        reply = await self._commands.execute(
            self._user_id, request, has_announced=self._protocol.has_announced
        )
        self._enqueue(encode(reply), is_push=False)
        if self._writer is not None:  # who does not take his answers is not asked for more
            await asyncio.wait((self._writer,))

    async def _authenticate(self, request: Auth) -> None:
        try:
            if self._user_id is not None:
                self._confirm(request, await self._services.sessions.authenticate(request.token))
                return
            outcome = await self._services.attendance.connect(request.token, self.connection_id)
        except QliveError as error:
            self._refuse(request, error)
            return
        self._services.effects.run(outcome.effects)
        self.opened_by = hash_token(request.token)
        self._attach(request, outcome.reply)
        await self._check_session(request)

    async def _check_session(self, request: Auth) -> None:
        """Look once more at the session: one that ended just before the hub knew of us was looked for in vain."""
        try:
            await self._services.sessions.authenticate(request.token)
        except Unauthenticated:
            self.hang_up(CloseCode.LOGGED_OUT)
        except QliveError:
            return  # the store is away; what it said a moment ago holds

    def _confirm(self, request: Auth, user_id: str) -> None:
        self._carry_out_all(self._protocol.authorised(request, user_id, self._loop.time()))

    def _attach(self, request: Auth, presence: Presence) -> None:
        """Let the connection count: auth-res first, then a ping, then what waited for the user."""
        self._user_id = presence.user_id
        outputs = self._protocol.authorised(request, presence.user_id, self._loop.time())
        if not outputs:
            return  # closed while the token was looked up; its end is noted as any other's
        waiting = self._hub.attach(presence.user_id, self, presence.rev)
        if waiting is None:
            self.hang_up(CloseCode.REPLACED)
            return
        self._metrics.connections.set(len(self._hub))
        self._carry_out_all(outputs)
        self._outbox_max += len(waiting)  # who finds much when he is back does not read slowly
        for text in waiting:
            self.push(text)
        self._arm()

    def _refuse(self, request: Auth, error: QliveError) -> None:
        if not isinstance(error, Unauthenticated):
            self._log.warning("not authenticated", connection=self.connection_id, detail=str(error))
        if isinstance(error, Unauthenticated) or self._user_id is not None:
            self._carry_out_all(self._protocol.refused(request, SignalCode.TOKEN_INVALID))
            return
        # The token may be good. Apps end the stream when it is refused, and connect again when the connection ends.
        self._carry_out_all(self._protocol.close(CloseCode.SERVICE_RESTART, "try again"))

    async def _leave(self) -> None:
        if self._user_id is not None and self._hub.counts(self._user_id, self):
            try:
                outcome = await self._services.attendance.disconnect(self._user_id, self.connection_id)
            except QliveError as error:
                self._log.error("disconnect not stored", user_id=self._user_id, exc_info=error)
            else:
                self._services.effects.run(outcome.effects)
        self._close(Close(CloseCode.NORMAL, CloseCode.NORMAL.reason))

    # --- time ---

    def _heard(self) -> None:
        self._unheard.clear()
        for output in self._protocol.control_frame_received(self._loop.time()):
            self._carry_out_now(output)

    def _arm(self) -> None:
        self._stop_timer()
        at = self._protocol.next_tick
        if at != float("inf"):
            self._timer = self._loop.call_at(at, self._tick)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        late = self._loop.time() - self._protocol.next_tick
        if late > _PAUSE_S:
            # The process was stopped, or had no time. What came meanwhile lies in the socket and is to be read first.
            self._protocol.paused(late + _PAUSE_S)
        self._carry_out_all(self._protocol.tick(self._loop.time()))
        self._arm()

    # --- writing; this is what the hub sees ---

    def push(self, text: str) -> None:
        """Queue a push."""
        self._enqueue(text, is_push=True)

    def hang_up(self, code: CloseCode) -> None:
        """Close from the server's side."""
        self._carry_out_all(self._protocol.close(code))

    def undelivered(self, *, ended: bool) -> list[str]:
        """Return the pushes not written yet, and those that a client now silent may never have seen."""
        waiting = [text for text, is_push in self._outbox if is_push]
        self._outbox = deque((text, False) for text, is_push in self._outbox if not is_push)
        seen, self._unheard = self._unheard, []
        return [*(seen if self._was_deaf(ended=ended) else ()), *waiting]

    def _was_deaf(self, *, ended: bool) -> bool:
        """Tell whether what was written since the client was last heard may not have arrived.

        A client that ended the connection was there until then, unless what was written crossed its end. One
        that opens another while this one is open has lost this one without a word: then a ping without an
        answer tells, or bytes that its host has not acknowledged for longer than acknowledgements take.
        """
        now = self._loop.time()
        if ended:
            crossed = self._wire.was_reset and now - self._unheard_since <= _ACK_ALLOWANCE_S
            gone = self._closing is not None and self._closing.code in _GOODBYES
            return crossed or gone or self._wire.cut_off
        if now - self._protocol.last_heard > self._protocol.limits.ping_interval_s + _PONG_ALLOWANCE_S:
            return True
        return now - self._unheard_since > _ACK_ALLOWANCE_S and self._wire.unacknowledged_bytes() > 0

    def _enqueue(self, text: str, *, is_push: bool) -> None:
        if self._closing is not None:
            if is_push:
                self._outbox.append((text, True))  # the next connection gets it
            return
        if self._writer is None and self._wire.write(text):
            if is_push:
                self._note_unheard(text)
            return
        self._outbox.append((text, is_push))
        if len(self._outbox) > self._outbox_max:
            self._log.info("slow client dropped", user_id=self._user_id, connection=self.connection_id)
            self._close(Close(CloseCode.POLICY_VIOLATION, "reads too slowly"))
            self._wire.abort()
        self._start_writer()

    def _close(self, close: Close) -> None:
        if self._closing is None:
            self._closing = close
            self._start_writer()
            self._wire.end_soon()  # the writer may be stuck, and the close frame with it

    def _start_writer(self) -> None:
        if self._writer is None:
            self._writer = self._loop.create_task(self._write())

    async def _write(self) -> None:
        """Write what is queued, then the end if there is to be one. Runs only while there is work."""
        try:
            while self._outbox:
                text, is_push = self._outbox.popleft()
                if is_push and not self._may_push(text):
                    break
                await self._write_text(text, is_push=is_push)
            if self._closing is None:
                return
            if self._closing.framed:
                code, reason = self._closing.code, self._closing.reason
                await self._sink.send({"type": "websocket.close", "code": code, "reason": reason})
            else:
                self._wire.end()
        except Exception as error:  # noqa: BLE001 - the socket is gone; the reader ends the session
            self._log.debug("write failed", connection=self.connection_id, error=repr(error))
        finally:
            self._writer = None

    def _may_push(self, text: str) -> bool:
        if self._closing is None and not self._wire.is_ending():
            return True
        self._outbox.appendleft((text, True))
        return False

    async def _write_text(self, text: str, *, is_push: bool) -> None:
        if is_push:
            self._note_unheard(text)
        try:
            await self._sink.send({"type": "websocket.send", "text": text, "bytes": None})
        except Exception:
            if is_push and self._unheard and self._unheard[-1] == text:
                self._outbox.appendleft((self._unheard.pop(), True))
            raise

    def _note_unheard(self, text: str) -> None:
        if not self._unheard:
            self._unheard_since = self._loop.time()
        self._unheard = [*self._unheard[1 - MAILBOX_PUSHES :], text]
