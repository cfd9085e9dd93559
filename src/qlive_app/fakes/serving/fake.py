"""The frame of a fake cloud: its addresses, what goes wrong, and what it was called for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from qlive_app.fakes.serving.calls import Call, Calls
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.control import CONTROL, Control
from qlive_app.fakes.serving.faults import Fault, Faults
from qlive_app.fakes.serving.listener import Listener
from qlive_app.fakes.serving.page import page
from qlive_app.fakes.serving.routes import Routes
from qlive_app.fakes.serving.wire import Answer, Request

LOOPBACK = "127.0.0.1"


class Fake(ABC):
    """A cloud that listens while it is entered as a context manager.

    Everything may be used in the same event loop while it runs: ``faults`` to have things go wrong, ``calls`` to
    see what was asked, ``clock`` to let things expire, ``knobs`` to change how it behaves.
    """

    NAME: ClassVar[str]

    def __init__(self, *, host: str, ports: Sequence[int], seed: int, knobs: Any) -> None:
        self.clock = Clock()
        self.faults = Faults(seed)
        self.calls = Calls()
        self.knobs = knobs
        self.listeners = tuple(Listener(number, host, port, self) for number, port in enumerate(ports))
        self.control = Routes()
        self._control = Control(self)

    @property
    def url(self) -> str:
        """The address, as it goes into the configuration."""
        return self.listeners[0].url

    async def __aenter__(self) -> Self:
        """Listen on every address. Raises OSError if a port is taken."""
        try:
            for listener in self.listeners:
                await listener.open()
        except OSError:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Break everything off."""
        await self._close()

    async def _close(self) -> None:
        for listener in self.listeners:
            await listener.close()

    def fault(self, listener: int, method: str, path: str) -> Fault | None:
        """Return what goes wrong with this call; control never does."""
        return None if _is_ours(method, path) else self.faults.draw(listener, method, path)

    async def answer(self, request: Request) -> Answer:
        """Answer a call to the cloud, to its control, or for its page."""
        if not _is_ours(request.method, request.path):
            return await self.serve(request)
        if request.path == "/":
            return page(self)
        return await self._control.answer(request)

    def record(self, call: Call) -> None:
        """Note a call, unless it was for control."""
        if not _is_ours(call.request.method, call.request.path):
            self.calls.add(call)

    @abstractmethod
    async def serve(self, request: Request) -> Answer:
        """Answer as the cloud would."""

    @abstractmethod
    def instead(self, fault: Fault) -> Answer:
        """Return the fault's answer in the cloud's own words."""

    @abstractmethod
    def holds(self) -> Mapping[str, object]:
        """Return what it holds, as JSON, for people who look and for tests in another process."""


def _is_ours(method: str, path: str) -> bool:
    return path.startswith(CONTROL) or (method == "GET" and path == "/")
