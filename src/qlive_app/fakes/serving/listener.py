"""A listening socket that speaks HTTP/1.1 and can break off anywhere in it.

Whole servers take care that answers are complete and statuses are known ones; a fake has to do otherwise. So this
is h11 on asyncio streams, one call after the other on each connection.
"""

import asyncio
import os
import socket
import struct
import time
from contextlib import suppress
from typing import Protocol

import h11

from qlive_app.fakes.serving.calls import Call
from qlive_app.fakes.serving.faults import Fault
from qlive_app.fakes.serving.wire import Answer, Request, reason_phrase

_READ = 65536
_LARGEST_BODY = 64 * 2**20
_NO_LINGERING = struct.pack("ii", 1, 0)


class Desk(Protocol):
    """Who answers what a listener receives."""

    def fault(self, listener: int, method: str, path: str) -> Fault | None:
        """Return what shall go wrong with this call."""
        ...

    async def answer(self, request: Request) -> Answer:
        """Do what is asked, and return what is answered."""
        ...

    def instead(self, fault: Fault) -> Answer:
        """Return what a fault of the kind "answer" answers."""
        ...

    def record(self, call: Call) -> None:
        """Note a call, just before the caller sees what came of it."""
        ...


class Listener:
    """One address. It keeps its port while it is closed and opened again."""

    def __init__(self, number: int, host: str, port: int, desk: Desk) -> None:
        self._number = number
        self._host = host
        self._port = port
        self._desk = desk
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port; 0 before it was opened for the first time, if any would do."""
        return self._port

    @property
    def url(self) -> str:
        """The address as a URL without path."""
        return f"http://{self._host}:{self._port}"

    async def open(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        self._server = await asyncio.start_server(
            self._accept, self._host, self._port, family=socket.AF_INET, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections from now on and break off those that there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(_Connection(self._number, self._desk, reader, writer).serve())
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)


class _Connection:
    def __init__(
        self, number: int, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._number = number
        self._desk = desk
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        """Answer calls until either side has had enough."""
        try:
            while await self._serve_one():
                self._http.start_next_cycle()
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # the caller went away, or does not speak HTTP
        finally:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()

    async def _serve_one(self) -> bool:
        """Answer one call; tell whether the connection can be used for another."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return False
        began = time.perf_counter()
        method, target = head.method.decode(), head.target.decode()
        headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items())
        fault = self._desk.fault(self._number, method, target.partition("?")[0])
        body = b""
        if fault is None or fault.kind != "reset" or fault.takes_effect:
            body = await self._body()
        request = Request(method, target, headers, body)
        answer = await self._desk.answer(request) if fault is None or fault.takes_effect else None
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        self._desk.record(
            Call(
                at=time.time(),
                listener=self._number,
                request=request,
                answer=answer,
                fault=fault,
                took_s=time.perf_counter() - began,
            )
        )
        return await self._show(answer, fault)

    async def _body(self) -> bytes:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self._writer.write(self._http.send(go_on) or b"")
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > _LARGEST_BODY:
                raise h11.RemoteProtocolError("body too large")
        return bytes(body)

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if not isinstance(event, type) or event is h11.PAUSED:
                return event
            self._http.receive_data(await self._reader.read(_READ))

    async def _show(self, answer: Answer | None, fault: Fault | None) -> bool:
        """Let the caller see what came of it; tell whether the connection can be used on."""
        kind = fault.kind if fault is not None else None
        if kind == "reset":
            self._reset()
            return False
        if kind == "silent":
            while await self._reader.read(_READ):
                pass  # until the caller hangs up
            return False
        shown = self._desk.instead(fault) if fault is not None and kind == "answer" else answer
        assert shown is not None  # noqa: S101 -- without an answer there is a fault that replaces it
        body = shown.body
        if kind == "malformed":
            body = body[: len(body) // 2] or b"{"
        announced = max(len(body), 1) if kind == "half" else len(body)
        head = self._http.send(
            h11.Response(
                status_code=shown.status,
                reason=reason_phrase(shown.status),
                headers=[
                    ("Content-Type", shown.content_type),
                    ("Content-Length", str(announced)),
                    *shown.headers,
                ],
            )
        )
        if kind == "half":
            self._writer.write((head or b"") + body[: len(body) // 2])
            return False
        rest = (self._http.send(h11.Data(data=body)) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        self._writer.write((head or b"") + rest)
        await self._writer.drain()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def _reset(self) -> None:
        """Have the caller see a reset and not an orderly end."""
        descriptor = self._writer.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(descriptor)) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self._writer.transport.abort()
