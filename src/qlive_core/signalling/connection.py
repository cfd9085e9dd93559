"""One signalling connection as the server sees it, without sockets and without a clock.

    CONNECTED ──token accepted──▶ AUTHORISED ──disconnect, silence──▶ CLOSED
        └────────────not authorised in time, violation─────────────▶┘

The shell around it owns the socket, the clock and the use cases. It feeds what arrives, one thing at a time and in
order, calls ``tick`` when ``next_tick`` is reached, and carries out the outputs that come back, in order:

* ``Authenticate``: find out whose token it is, feed no further frame meanwhile, then call ``authorised`` or
  ``refused``.
* ``Execute``: run the use case and send its reply and pushes.
* ``Close``: end the connection, with a close frame only if it is ``framed``. OkHttp, after any close frame, stops
  reading and reports no failure, and the first Android app reconnects only after a failure. So a client that has
  announced nothing and should come back sees no frame, just the end of the TCP connection.
* ``Leave``: run the use case that ends the user's presence, then close with 1000. The connection counts as closed
  from here on, so nothing that was sent behind the ``disconnect`` has an effect.

Times are seconds of one monotonic clock. All rules about what may happen when are in ``TABLE``: whatever has no entry
in the row of the present state is ignored, and ignored frames are not even parsed.
"""

import math
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

import attrs
from attrs.validators import gt

from qlive_core.signalling.codec import (
    BadRequest,
    NotAFrame,
    decode_request_body,
    encode,
    request_class,
    split_frame,
)
from qlive_core.signalling.codes import CloseCode, SignalCode
from qlive_core.signalling.messages import (
    Auth,
    AuthRes,
    Disconnect,
    Message,
    Ping,
    Pong,
    Reply,
    Request,
)
from qlive_core.signalling.outputs import Authenticate, Close, Execute, Leave, Output, Outputs, Send
from qlive_core.signalling.seat_messages import Announce

__all__ = [
    "TABLE",
    "TIMERS",
    "Authenticate",
    "Close",
    "CloseCode",
    "ConnectionLimits",
    "Event",
    "Execute",
    "Leave",
    "Output",
    "Send",
    "SignalConnection",
    "State",
    "Transition",
]


@attrs.frozen(kw_only=True)
class ConnectionLimits:
    """What a connection is allowed. A message counts in bytes of UTF-8."""

    authorize_timeout_s: float = attrs.field(default=5.0, validator=gt(0))
    """From the opening of the connection, however many tokens are tried."""
    ping_interval_s: float = attrs.field(default=5.0, validator=gt(0))
    pong_timeout_s: float = attrs.field(default=20.0, validator=gt(0))
    """Longest silence of an authorised client."""
    max_message_bytes: int = attrs.field(default=65536, validator=gt(0))
    max_message_bytes_before_auth: int = attrs.field(default=4096, validator=gt(0))
    messages_per_s: float = attrs.field(default=2000.0, validator=gt(0))
    burst: int = attrs.field(default=2000, validator=gt(0))
    """So many messages may come at once, after a pause."""
    bytes_per_s: float = attrs.field(default=262_144.0, validator=gt(0))
    burst_bytes: int = attrs.field(default=1_048_576, validator=gt(0))
    """So many bytes of messages may come at once, after a pause; one message of the longest may in any case."""

    @property
    def announced_pong_timeout_s(self) -> int:
        """The pong timeout as auth-res has it: never 0, as iOS would give up at once, and never too long."""
        return max(1, int(self.pong_timeout_s))


class State(Enum):
    CONNECTED = "connected"
    AUTHORISED = "authorised"
    CLOSED = "closed"


class Event(Enum):
    """What can happen to a connection."""

    AUTH = "an auth message came"
    PING = "a ping message came"
    PONG = "a pong message came"
    DISCONNECT = "a disconnect message came"
    REQUEST = "any other request came"
    UNKNOWN = "a message of unknown type came"
    BAD_REQUEST = "a request came whose body makes no sense"
    UNFRAMED = "a text without = came"
    TOO_LONG = "a message beyond the size limit came"
    FLOODED = "more messages, or bytes of them, came than may"
    BINARY = "a binary frame came"
    ACCEPTED = "the token turned out to be good"
    REFUSED = "the token turned out to be bad"
    AUTH_OVERDUE = "the time to authorise has passed"
    PING_DUE = "it is time to ping"
    SILENT = "nothing was heard for too long"
    ENDED = "the server wants the connection closed"


# --- reactions: what comes out of a transition --------------------------------------------------------------------

_PING = Send(encode(Ping()))
_PONG = Send(encode(Pong()))


def _authenticate(_connection: "SignalConnection", request: Auth) -> Outputs:
    return (Authenticate(request),)


def _execute(connection: "SignalConnection", request: Request) -> Outputs:
    if isinstance(request, Announce):
        connection.has_announced = bool(request.capabilities)
    return (Execute(request),)


def _leave(_connection: "SignalConnection", _request: Disconnect) -> Outputs:
    return (Leave(),)


def _ping(_connection: "SignalConnection", _payload: None) -> Outputs:
    return (_PING,)


def _pong(_connection: "SignalConnection", _payload: Ping) -> Outputs:
    return (_PONG,)


def _answer(_connection: "SignalConnection", reply: Reply | None) -> Outputs:
    return (Send(encode(reply)),) if reply else ()


def _welcome(connection: "SignalConnection", accepted: tuple[Auth, str]) -> Outputs:
    # auth-res must come before the first ping: iOS ends its stream if it hears anything else first.
    return (_auth_res(connection.limits, accepted[0]), _PING)


def _confirm(connection: "SignalConnection", accepted: tuple[Auth, str]) -> Outputs:
    # A second auth never changes whose connection this is. The pings go on as they were, so none is added.
    request, user_id = accepted
    if user_id == connection.user_id:
        return (_auth_res(connection.limits, request),)
    return (Send(encode(AuthRes.answer(SignalCode.TOKEN_INVALID, request.rpc_id))),)


def _auth_res(limits: ConnectionLimits, request: Auth) -> Send:
    code, timeout_s = SignalCode.OK, limits.announced_pong_timeout_s
    reply = AuthRes(rpc_id=request.rpc_id, code=code, error=code.text, pong_timeout=timeout_s)
    return Send(encode(reply))


def _end(connection: "SignalConnection", how: tuple[CloseCode, str]) -> Outputs:
    code, reason = how
    return (_close(connection, code, reason, comes_back=code is CloseCode.SERVICE_RESTART),)


def _close(connection: "SignalConnection", code: CloseCode, reason: str, *, comes_back: bool) -> Close:
    return Close(code, reason or code.reason, framed=connection.has_announced or not comes_back)


@attrs.frozen
class Transition:
    """Where an event leads and what comes out of it."""

    target: State
    react: Callable[["SignalConnection", Any], Outputs]


def _closing(code: CloseCode, reason: str = "", *, comes_back: bool = False) -> Transition:
    """Close; ``comes_back`` says that the client should open another connection."""
    return Transition(
        State.CLOSED,
        lambda connection, _payload: (_close(connection, code, reason, comes_back=comes_back),),
    )


_ALWAYS_FATAL = {
    Event.BINARY: _closing(CloseCode.UNSUPPORTED_DATA),
    Event.UNFRAMED: _closing(CloseCode.INVALID_FRAME),
    Event.TOO_LONG: _closing(CloseCode.TOO_LONG),
    Event.FLOODED: _closing(CloseCode.POLICY_VIOLATION, "too many messages"),
    Event.ENDED: Transition(State.CLOSED, _end),
}

TABLE: Mapping[State, Mapping[Event, Transition]] = MappingProxyType(
    {
        State.CONNECTED: MappingProxyType(
            {
                Event.AUTH: Transition(State.CONNECTED, _authenticate),
                Event.BAD_REQUEST: Transition(State.CONNECTED, _answer),
                Event.ACCEPTED: Transition(State.AUTHORISED, _welcome),
                Event.REFUSED: Transition(State.CONNECTED, _answer),
                Event.AUTH_OVERDUE: _closing(
                    CloseCode.POLICY_VIOLATION, "not authorised in time", comes_back=True
                ),
                **_ALWAYS_FATAL,
            }
        ),
        State.AUTHORISED: MappingProxyType(
            {
                Event.AUTH: Transition(State.AUTHORISED, _authenticate),
                Event.ACCEPTED: Transition(State.AUTHORISED, _confirm),
                Event.REFUSED: Transition(State.AUTHORISED, _answer),
                Event.REQUEST: Transition(State.AUTHORISED, _execute),
                Event.BAD_REQUEST: Transition(State.AUTHORISED, _answer),
                Event.PING: Transition(State.AUTHORISED, _pong),
                Event.PING_DUE: Transition(State.AUTHORISED, _ping),
                Event.DISCONNECT: Transition(State.CLOSED, _leave),
                Event.SILENT: _closing(CloseCode.PONG_TIMEOUT, comes_back=True),
                **_ALWAYS_FATAL,
            }
        ),
        State.CLOSED: MappingProxyType({}),
    }
)

_EVENT_OF: Mapping[type[Message], Event] = MappingProxyType(
    {Auth: Event.AUTH, Ping: Event.PING, Pong: Event.PONG, Disconnect: Event.DISCONNECT}
)

# What time alone brings about in each state; of two that are due, the first happens.
TIMERS: Mapping[State, tuple[tuple[Event, Callable[["SignalConnection"], float]], ...]] = MappingProxyType(
    {
        State.CONNECTED: ((Event.AUTH_OVERDUE, lambda connection: connection.authorise_by),),
        State.AUTHORISED: (
            (Event.SILENT, lambda connection: connection.silent_at),
            (Event.PING_DUE, lambda connection: connection.next_ping),
        ),
        State.CLOSED: (),
    }
)


# --- the connection -----------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class SignalConnection:
    """The protocol of one connection that was opened at ``opened_at``.

    ``user_id`` is whose connection it is, once authorised, and stays readable after closing. ``last_heard`` is when
    the client last gave a sign of life. ``has_announced`` tells whether its app is newer than the first ones. All of
    these, ``state`` and ``next_ping`` are to be read only.
    """

    opened_at: float
    limits: ConnectionLimits = attrs.field(factory=ConnectionLimits)
    state: State = attrs.field(init=False, default=State.CONNECTED)
    user_id: str | None = attrs.field(init=False, default=None)
    has_announced: bool = attrs.field(init=False, default=False)
    last_heard: float = attrs.field(init=False)
    next_ping: float = attrs.field(init=False, default=math.inf)
    _allowance: float = attrs.field(init=False)
    _bytes_allowance: float = attrs.field(init=False)
    _allowance_at: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.last_heard = self._allowance_at = self.opened_at
        self._allowance = self.limits.burst
        self._bytes_allowance = max(self.limits.burst_bytes, self.limits.max_message_bytes)

    # What arrives.

    def text_received(self, text: str, now: float) -> Outputs:
        """A text message of the client, whole."""
        self.heard(now)
        size = _bytes_of(text)
        if self._is_too_long(size):
            return self._on(Event.TOO_LONG)
        if not self._is_allowed(now, size):
            return self._on(Event.FLOODED)
        try:
            type_, body = split_frame(text)
        except NotAFrame:
            return self._on(Event.UNFRAMED)
        return self._message_received(type_, body)

    def binary_received(self, now: float) -> Outputs:
        """A binary message of the client, of whatever content."""
        self.heard(now)
        return self._on(Event.BINARY)

    def control_frame_received(self, now: float) -> Outputs:
        """A WebSocket ping or pong frame, which is all that iOS sends to show life. Counts as a message."""
        self.heard(now)
        return () if self._is_allowed(now, 0) else self._on(Event.FLOODED)

    def heard(self, now: float) -> Outputs:
        """Any other sign of life. Not counted as a message."""
        if self.state is not State.CLOSED:
            self.last_heard = now
        return ()

    # What time brings.

    def tick(self, now: float) -> Outputs:
        """Do what is due. To be called when ``next_tick`` is reached; earlier it does nothing, later no harm."""
        for event, due_at in TIMERS[self.state]:
            if now >= due_at(self):
                if event is Event.PING_DUE:
                    self._schedule_ping(now)
                return self._on(event)
        return ()

    def paused(self, seconds: float) -> None:
        """Nobody listened for so long: it counts neither as silence nor towards the time to authorise."""
        self.last_heard += seconds
        self.opened_at += seconds

    @property
    def next_tick(self) -> float:
        """When ``tick`` has something to do; infinity once closed. Any other call may change it."""
        return min((due_at(self) for _, due_at in TIMERS[self.state]), default=math.inf)

    @property
    def authorise_by(self) -> float:
        """The connection closes unless it is authorised by then."""
        return self.opened_at + self.limits.authorize_timeout_s

    @property
    def silent_at(self) -> float:
        """An authorised connection closes then unless it is heard before."""
        return self.last_heard + self.limits.pong_timeout_s

    # What the shell found out or wants.

    def authorised(self, request: Auth, user_id: str, now: float) -> Outputs:
        """The token of ``request`` belongs to ``user_id``.

        On an authorised connection it answers again, with code 0 for the same user and with 10002 for another, and
        changes nothing. Gives () if the connection closed meanwhile: look at ``state`` before registering it.
        """
        if self.state is State.CONNECTED:
            self.user_id = user_id
            self.next_ping = now + self.limits.ping_interval_s
        return self._on(Event.ACCEPTED, (request, user_id))

    def refused(self, request: Auth, code: SignalCode) -> Outputs:
        """The token of ``request`` is no good. The client may try another within the same deadline."""
        return self._on(Event.REFUSED, AuthRes.answer(code, request.rpc_id))

    def close(self, code: CloseCode, reason: str = "") -> Outputs:
        """Close from the server's side: replaced, logged out, shutting down."""
        return self._on(Event.ENDED, (code, reason))

    # How.

    def _message_received(self, type_: str, body: str) -> Outputs:
        cls = request_class(type_)
        event = _EVENT_OF.get(cls, Event.REQUEST) if cls is not None else Event.UNKNOWN
        if event not in TABLE[self.state]:
            return ()
        decoded = decode_request_body(type_, body)
        if isinstance(decoded, BadRequest):
            return self._on(Event.BAD_REQUEST, decoded.reply)
        return self._on(event, decoded)

    def _on(self, event: Event, payload: object = None) -> Outputs:
        transition = TABLE[self.state].get(event)
        if transition is None:
            return ()
        outputs = transition.react(self, payload)
        self.state = transition.target
        return outputs

    def _is_too_long(self, size: int) -> bool:
        limit = self.limits.max_message_bytes
        if self.state is State.CONNECTED:
            limit = min(limit, self.limits.max_message_bytes_before_auth)
        return size > limit

    def _is_allowed(self, now: float, size: int) -> bool:
        limits, passed = self.limits, max(0.0, now - self._allowance_at)
        most_bytes = max(limits.burst_bytes, limits.max_message_bytes)
        self._allowance = min(limits.burst, self._allowance + passed * limits.messages_per_s)
        self._bytes_allowance = min(most_bytes, self._bytes_allowance + passed * limits.bytes_per_s)
        self._allowance_at = now
        if self._allowance < 1 or self._bytes_allowance < size:
            return False
        self._allowance -= 1
        self._bytes_allowance -= size
        return True

    def _schedule_ping(self, now: float) -> None:
        # On the raster of the first ping, except after a tick so late that a ping would follow at once.
        interval = self.limits.ping_interval_s
        self.next_ping += interval
        if self.next_ping <= now:
            self.next_ping = now + interval


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
