"""A vendor as adapters see it: calls that take no longer than their budget, whatever the vendor does."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import httpx
import msgspec
import structlog
from attrs import define

from qlive_adapters.outgoing.breaker import Breaker, Circuit
from qlive_adapters.outgoing.exchange import Answer, Operation, Reader, Request
from qlive_adapters.outgoing.hosts import Hosts
from qlive_adapters.outgoing.outcome import MAYBE_DONE, VENDOR_TROUBLE, CallFailed, Outcome, Unsuccessful
from qlive_adapters.outgoing.retry import attempt_s, retry_pause
from qlive_adapters.outgoing.wire import Wire

T = TypeVar("T")

_TEXT_MAX = 64
_LEVELS = {Outcome.OK: "debug", Outcome.BROKEN: "debug", Outcome.REFUSED: "info"}


class Observer(Protocol):
    """Counts what happens to calls."""

    def observe_vendor_call(self, vendor: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call; ``seconds`` is with all waits and retries."""
        ...

    def observe_vendor_circuit(self, vendor: str, *, is_open: bool) -> None:
        """Note whether calls fail at once now."""
        ...


@define
class _Trail:
    """What happened in a call so far."""

    started: float
    attempts: int = 0
    answer: Answer | None = None
    maybe_done: bool = False


class Vendor:
    """One vendor's API on its hosts, in the order of preference: addresses such as ``https://api.example.com``.

    At most ``at_once`` calls are made at a time, and at most ``waiting`` wait for their turn; a wait counts
    against the budget. After ``failures`` calls in a row that failed for the vendor's sake, calls fail at once
    for ``cool_down_s`` seconds; then one is let through to find out.
    """

    def __init__(
        self,
        name: str,
        hosts: Sequence[str],
        observer: Observer,
        *,
        auth: httpx.Auth | None = None,
        request_id_header: str = "X-Reqid",
        at_once: int = 32,
        waiting: int = 512,
        failures: int = 5,
        cool_down_s: float = 10.0,
    ) -> None:
        self.name = name
        self._hosts = Hosts(hosts)
        self._observer = observer
        self._wire = Wire(connections=at_once, auth=auth, request_id_header=request_id_header)
        self._turns = asyncio.Semaphore(at_once)
        self._calls = 0
        self._calls_max = at_once + waiting
        self._breaker = Breaker(failures=failures, cool_down_s=cool_down_s)
        self._is_closed = False
        self._log = structlog.get_logger("qlive.vendor", vendor=name)
        self._told_open = False
        observer.observe_vendor_circuit(name, is_open=False)

    @property
    def is_circuit_open(self) -> bool:
        """Whether calls fail at once because so many failed; also while one finds out whether they still do."""
        return self._breaker.circuit is not Circuit.CLOSED

    async def call(self, operation: Operation, request: Request, read: Reader[T]) -> T:
        """Make the call and return what ``read`` makes of the answer. Raises CallFailed."""
        trail = _Trail(_now())
        try:
            result = await self._in_turn(operation, request, read, trail)
        except Unsuccessful as failure:
            code = _plain(failure.code)
            self._tell(operation, failure.outcome, trail, code)
            raise CallFailed(self.name, failure.outcome, code=code, maybe_done=trail.maybe_done) from failure
        self._tell(operation, Outcome.OK, trail, "")
        return result

    async def aclose(self) -> None:
        """Close all connections; calls fail from now on."""
        self._is_closed = True
        await self._wire.aclose()

    async def _in_turn(self, operation: Operation, request: Request, read: Reader[T], trail: _Trail) -> T:
        # Looked at twice: who comes now need not wait, and who waited may be in for bad news.
        if not self._breaker.admits(_now()):
            raise Unsuccessful(Outcome.BROKEN)
        async with self._turn(until=trail.started + operation.budget_s):
            ticket = self._breaker.admit(_now())
            if ticket is None:
                raise Unsuccessful(Outcome.BROKEN)
            return await self._on_ticket(ticket, operation, request, read, trail)

    @asynccontextmanager
    async def _turn(self, *, until: float) -> AsyncIterator[None]:
        if self._calls >= self._calls_max:
            raise Unsuccessful(Outcome.TIMEOUT, "too many waiting")
        self._calls += 1
        try:
            try:
                async with asyncio.timeout_at(until):
                    await self._turns.acquire()
            except TimeoutError:
                raise Unsuccessful(Outcome.TIMEOUT, "no turn") from None
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._calls -= 1

    async def _on_ticket(
        self, ticket: int, operation: Operation, request: Request, read: Reader[T], trail: _Trail
    ) -> T:
        try:
            result = await self._attempts(operation, request, read, trail)
        except Unsuccessful as failure:
            if failure.outcome in VENDOR_TROUBLE:
                self._breaker.failed(ticket, _now())
            else:
                self._breaker.answered(ticket)
            raise
        except BaseException:
            self._breaker.abandoned(ticket)
            raise
        else:
            self._breaker.answered(ticket)
            return result
        finally:
            self._tell_circuit()

    async def _attempts(self, operation: Operation, request: Request, read: Reader[T], trail: _Trail) -> T:
        deadline = trail.started + operation.budget_s
        host = self._hosts.current
        while True:
            trail.attempts += 1
            left_s = deadline - _now()
            try:
                return await self._attempt(
                    host, request, read, trail, attempt_s(operation, trail.attempts, left_s)
                )
            except Unsuccessful as failure:
                trail.maybe_done |= failure.outcome in MAYBE_DONE
                if failure.outcome in VENDOR_TROUBLE:
                    self._hosts.failed(host, _now())
                    host = self._hosts.after(host)
                pause = retry_pause(
                    operation,
                    failure.outcome,
                    trail.attempts,
                    left_s=deadline - _now(),
                    several_hosts=self._hosts.several,
                    chance=random.random(),  # noqa: S311 - spreads load, hides nothing
                )
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _attempt(
        self, host: str, request: Request, read: Reader[T], trail: _Trail, within_s: float
    ) -> T:
        if self._is_closed:
            raise Unsuccessful(Outcome.BROKEN, "closed")
        trail.answer = None
        trail.answer = await self._wire.exchange(host, request, until=_now() + within_s)
        try:
            return read(trail.answer)
        except msgspec.DecodeError as error:
            raise Unsuccessful(Outcome.FAILED, "malformed answer") from error

    def _tell(self, operation: Operation, outcome: Outcome, trail: _Trail, code: str) -> None:
        seconds = _now() - trail.started
        self._observer.observe_vendor_call(self.name, operation.name, outcome.value, seconds)
        answer = trail.answer
        getattr(self._log, _LEVELS.get(outcome, "warning"))(
            "vendor call",
            operation=operation.name,
            outcome=outcome.value,
            status=answer.status if answer else None,
            # Not "code": that is what login codes are called, which the log hides.
            vendor_code=code or None,
            request_id=_plain(answer.request_id) if answer else None,
            attempts=trail.attempts,
            seconds=round(seconds, 3),
        )

    def _tell_circuit(self) -> None:
        if self.is_circuit_open != self._told_open:
            self._told_open = self.is_circuit_open
            self._observer.observe_vendor_circuit(self.name, is_open=self._told_open)
            self._log.warning("vendor is left alone" if self._told_open else "vendor is back")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _plain(text: str) -> str:
    """Return a short text of one line: it may come from outside."""
    return "".join(char for char in text[:_TEXT_MAX] if char.isprintable())
