"""HTTP/1.1 for clients that may be slow, endless, greedy or not speaking HTTP at all.

uvicorn's protocol parses whatever arrives at once and waits for ever for what does not. Here a connection has one
request at a time: what comes behind it is kept unparsed, and nothing more is read, until it is answered. And whatever
a connection waits for, it waits for a limited time:

    ARRIVING ──whole──▶ ANSWERING ──answered──▶ RESTING ──first byte of the next──▶ ARRIVING
       └────refused, or answered before it was whole and too long to be waited for────▶ LEAVING
"""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import ClassVar

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

FRAMING_MAX_BYTES = 65_536
"""Head, chunk sizes and trailers of one request; everything but its body."""
HEADERS_MAX = 512
"""A header of four bytes takes two hundred in memory."""
REQUEST_WITHIN_S = 30.0
REST_S = 75.0
"""Viewers poll every 5 s; a connection closed just then is an error that iOS shows its user."""
TAKEN_WITHIN_S = 30.0
"""For 64 KiB of an answer, after which the next 64 KiB are written."""
LEAVE_WITHIN_S = 5.0
THROWN_AWAY_MAX_BYTES = 16 * 1024 * 1024
"""How much is thrown away of what a client still sends while it is told that nobody wants it."""
SURPLUS_MAX_BYTES = 1024 * 1024
"""How much of a body may come after the answer before the connection is given up."""

_END_OF_HEAD = b"\r\n\r\n"
_FRAMING_HEADERS = (b"content-length", b"transfer-encoding")


class Upgraded(asyncio.Protocol, ABC):
    """A protocol that takes a connection over after the head of a request has asked for it."""

    @abstractmethod
    def upgraded(self, target: str, headers: list[tuple[bytes, bytes]], early: bytes) -> None:
        """Answer the request; ``early`` are the bytes that came behind its head."""


class _State(Enum):
    ARRIVING = "the first request, or a later one that has begun, is not whole yet"
    ANSWERING = "the request is whole and not answered"
    RESTING = "everything is answered"
    LEAVING = "the last word is said; what comes is thrown away"


class _Flow(FlowControl):
    """Reading that stays paused while bytes are kept, whatever the request that is being answered asks for."""

    _held = False

    def hold(self) -> None:
        self._held = True
        self.pause_reading()

    def release(self) -> None:
        if self._held:
            self._held = False
            self.resume_reading()

    def resume_reading(self) -> None:
        if not self._held:
            super().resume_reading()


class RequestProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds. ``refusal`` makes the whole answer to what is no HTTP request.

    ``upgrades_to`` is the protocol for those who ask for WebSocket. Without it, and to whatever else somebody wants
    to be upgraded, the request is an ordinary one: its body is its own, and the answer is in HTTP/1.1.
    """

    refusal: ClassVar[Callable[[], bytes]]
    upgrades_to: ClassVar[Callable[..., Upgraded] | None] = None

    flow: _Flow
    _state = _State.ARRIVING
    _kept = b""
    """Bytes that are not parsed yet, after a request that is being answered."""
    _tail = b""
    """The last bytes parsed, in which the end of a head may have begun."""
    _begun = False
    _in_head = True
    _whole = False
    _framing = 0
    _body_left: int | None = 0
    """Bytes of the body to come; None if it comes in chunks."""
    _surplus = 0
    """Bytes of this request that came after its answer."""
    _thrown_away = 0
    _half_closed = False
    _rested_since = 0.0
    _stuck_since: float | None = None
    _due = math.inf
    _watch: asyncio.TimerHandle | None = None

    # --- the connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._wait(REQUEST_WITHIN_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        self._state, self._kept = _State.LEAVING, b""
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Go on writing to a client that has said all that it had to say."""
        self._half_closed = True
        return self._state is _State.ANSWERING

    def data_received(self, data: bytes) -> None:
        if self._state is _State.LEAVING:
            self._throw_away(len(data))
            return
        self._kept = self._kept + data if self._kept else data
        self._advance()

    def shutdown(self) -> None:
        if self._state is _State.LEAVING:
            self.transport.abort()
            return
        super().shutdown()
        if self.transport.is_closing():
            self._leave()

    # --- parsing, one request at a time ---

    def _advance(self) -> None:
        """Parse what is there up to the end of one request; keep the rest, and read no more until it is wanted."""
        data, at = self._kept, 0
        while at < len(data) and self._state in (_State.ARRIVING, _State.RESTING):
            end = self._end_of_piece(data, at)
            self._kept = b""
            self._parse(data[at:end], data, end)
            at = end
        if self._state is _State.LEAVING:
            return
        self._kept = data[at:]
        if self._kept:
            self.flow.hold()
        else:
            self.flow.release()

    def _end_of_piece(self, data: bytes, at: int) -> int:
        """Return up to where there is nothing of a later request."""
        if not self._begun:
            # The parser ignores these; they make no request, and must not be looked at one by one.
            blank = len(data) - at - len(data[at:].lstrip(b"\r\n"))
            if blank:
                return at + blank
        if self._body_left and not self._in_head:
            return min(at + self._body_left, len(data))
        seam = (self._tail + data[at : at + 3]).find(_END_OF_HEAD)
        if seam >= 0:
            return at + seam + len(_END_OF_HEAD) - len(self._tail)
        end = data.find(_END_OF_HEAD, at)
        return len(data) if end < 0 else end + len(_END_OF_HEAD)

    def _parse(self, piece: bytes, data: bytes, end: int) -> None:
        self._tail = (self._tail + piece)[-3:]
        self._framing += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self.upgrades_to is not None and self._should_upgrade():
                self._hand_over(self.upgrades_to, data[end:])
                return
            self._forget_upgrade()
        except httptools.HttpParserError as error:
            self.send_400_response(repr(error.__context__ or error))
            return
        if self._framing > FRAMING_MAX_BYTES:
            self.send_400_response("head too long")
        elif self._surplus > SURPLUS_MAX_BYTES:
            self._leave()
        elif self._whole:
            self._request_is_whole()

    def _request_is_whole(self) -> None:
        if isinstance(self.parser, _BodyParser):
            self.parser = httptools.HttpRequestParser(self)
        self._begun, self._in_head, self._whole = False, True, False
        self._tail, self._framing, self._body_left, self._surplus = b"", 0, 0, 0
        if self.cycle.response_complete:
            self._rest()
        else:
            self._state = _State.ANSWERING
            self._wait(TAKEN_WITHIN_S)

    def on_message_begin(self) -> None:
        if self._whole:
            raise ValueError("a second request where none can be")
        super().on_message_begin()
        if self._state is _State.RESTING:
            self._state = _State.ARRIVING
            self._wait(REQUEST_WITHIN_S)
        self._begun = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # trailers, which nobody wants
        super().on_header(name, value)
        if len(self.headers) > HEADERS_MAX:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        for name, value in self.headers:
            if name == b"transfer-encoding":
                self._body_left = None
            elif name == b"content-length":
                self._body_left = int(value)
        super().on_headers_complete()
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        self._framing -= len(body)
        if self._body_left is not None:
            self._body_left -= len(body)
        if self.cycle.response_complete:
            self._surplus += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._body_left != 0 and self.parser.should_upgrade():
            return  # the parser takes the body for another protocol's
        self._whole = True
        super().on_message_complete()

    # --- upgrades ---

    def _should_upgrade(self) -> bool:
        """Tell whether the request, whose head is there, asks for a protocol that is spoken here."""
        return (
            self.upgrades_to is not None
            and self._body_left == 0
            and self.scope["method"] == "GET"
            and self.scope["http_version"] == "1.1"
            and b"websocket" in _tokens(self.headers, b"upgrade")
            and b"upgrade" in _tokens(self.headers, b"connection")
        )

    def _forget_upgrade(self) -> None:
        """Go on after the head as if nobody had asked for an upgrade, with a parser that does not know it."""
        if self._whole:
            self.parser = httptools.HttpRequestParser(self)
            return
        framing = (header for header in self.headers if header[0] in _FRAMING_HEADERS)
        self.parser = _BodyParser(_BodyEvents(self))
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(b"%s:%s\r\n" % h for h in framing))

    def _hand_over(self, upgrades_to: Callable[..., Upgraded], early: bytes) -> None:
        self._stop_watching()
        self._state = _State.LEAVING
        self.flow.release()
        self.connections.discard(self)
        protocol = upgrades_to(config=self.config, server_state=self.server_state, app_state=self.app_state)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.upgraded(self.url.decode("latin-1"), self.headers, early)

    # --- answers ---

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        too_much_to_come = self._body_left is not None and self._body_left > SURPLUS_MAX_BYTES
        if self.transport.is_closing() or too_much_to_come:
            self._leave()
            return
        if self._state is _State.ANSWERING:
            self._rest()
            self._advance()
        self.flow.resume_reading()

    def _rest(self) -> None:
        self._state, self._rested_since = _State.RESTING, self.loop.time()
        if self._half_closed and not self._kept:
            self.transport.close()
            self._leave()
        else:
            self._wait(TAKEN_WITHIN_S if self.transport.get_write_buffer_size() else REST_S)

    def send_400_response(self, msg: str) -> None:
        self.logger.debug("not a request: %s", msg)
        if not self._in_head:  # somebody waits for the body, or has answered already
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self._in_head or not self.cycle.response_started:
            self.transport.write(type(self).refusal())
        self._leave()

    def _leave(self) -> None:
        """End the connection, but not while the client may still send: that would take our last word from it."""
        self._state, self._kept = _State.LEAVING, b""
        if self.transport.is_closing():
            self._wait(TAKEN_WITHIN_S)
            return
        self._wait(LEAVE_WITHIN_S)
        self.flow.release()
        self.flow.resume_reading()
        if self._half_closed:
            self.transport.close()
        else:
            self.transport.write_eof()

    def _throw_away(self, number: int) -> None:
        self._thrown_away += number
        if self._thrown_away > THROWN_AWAY_MAX_BYTES:
            self.transport.abort()

    # --- time ---

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck_since = None

    def _wait(self, seconds: float) -> None:
        """Look after so many seconds whether what is waited for has come. Replaces what was waited for before."""
        self._due = self.loop.time() + seconds
        if self._watch is None:
            self._watch = self.loop.call_at(self._due, self._look)
        elif self._due < self._watch.when():
            self._watch.cancel()
            self._watch = self.loop.call_at(self._due, self._look)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look(self) -> None:
        self._watch = None
        now = self.loop.time()
        if now < self._due:
            # Most often what was waited for has come, and something later is waited for.
            self._watch = self.loop.call_at(self._due, self._look)
        elif self._state in (_State.ARRIVING, _State.LEAVING):
            self.transport.abort()
        elif self._state is _State.ANSWERING:
            self._look_after_answer(now)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        elif now - self._rested_since < REST_S:
            self._wait(self._rested_since + REST_S - now)
        else:
            self.transport.close()

    def _look_after_answer(self, now: float) -> None:
        stuck = 0.0 if self._stuck_since is None else now - self._stuck_since
        if self.transport.is_closing() or stuck >= TAKEN_WITHIN_S:
            self.transport.abort()
        else:
            self._wait(TAKEN_WITHIN_S - stuck)


class _BodyParser(httptools.HttpRequestParser):
    """Parses the body of a request whose head is parsed already."""


class _BodyEvents:
    """What such a parser tells; its own head is nothing to tell about."""

    def __init__(self, protocol: RequestProtocol) -> None:
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete


def _tokens(headers: list[tuple[bytes, bytes]], wanted: bytes) -> set[bytes]:
    """Return the words of a header that is a list, in whatever number of lines it came."""
    return {token.strip().lower() for name, value in headers if name == wanted for token in value.split(b",")}


def refusing(
    make: Callable[[], tuple[str, bytes, dict[str, str]]], upgrades_to: Callable[..., Upgraded] | None = None
) -> type[RequestProtocol]:
    """Return a protocol that answers what is no request with the content type, body and headers of ``make``."""

    def refusal() -> bytes:
        content_type, body, headers = make()
        lines = [
            "HTTP/1.1 400 Bad Request",
            f"content-type: {content_type}",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
            "connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    members = {"refusal": staticmethod(refusal), "upgrades_to": upgrades_to and staticmethod(upgrades_to)}
    return type("RefusingProtocol", (RequestProtocol,), members)
