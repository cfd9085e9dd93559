"""Texts to users over IM: in order for each user, in few calls for many, and again if the cloud did not take them."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextvars import Context

import structlog
from attrs import define, frozen

from qlive_app.runtime.metrics import Metrics
from qlive_core.errors import ProviderUnavailable
from qlive_core.ports.clouds import ImSignals

USERS_PER_CALL = 200
CALLS_AT_ONCE = 16
PER_USER_MAX = 256
TOTAL_MAX = 100_000
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0


@define(eq=False)
class _Push:
    text: str
    until: float


@frozen
class _Batch:
    text: str
    user_ids: list[str]
    tries: int


class ImOutbox:
    """Sends texts by the cloud's API. Queueing never waits.

    Of each user's queue only the oldest text is under way, so that his order is kept. Texts of different users that
    are the same go in one call. A text that the cloud does not take is tried again, to ever fewer users at a time,
    until it is ``ttl_s`` seconds old: later it would tell of what is over.
    """

    def __init__(self, signals: ImSignals, metrics: Metrics, *, ttl_s: float) -> None:
        self._signals = signals
        self._metrics = metrics
        self._ttl_s = ttl_s
        self._queues: dict[str, deque[_Push]] = {}
        self._next: dict[str, list[str]] = {}  # by the text that is their turn, who waits for a call
        self._retries: deque[_Batch] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._pumping = False
        self._length = 0
        self._log = structlog.get_logger("qlive.im")
        metrics.im_outbox.set_function(lambda: self._length)

    def send(self, user_id: str, text: str) -> None:
        """Queue a text. When a user's queue is full it takes the place of the oldest that is not under way."""
        if self._length >= TOTAL_MAX:
            self._metrics.count_im_push("overflow")
            return
        push = _Push(text, asyncio.get_running_loop().time() + self._ttl_s)
        queue = self._queues.get(user_id)
        if queue is None:
            self._queues[user_id] = deque((push,))
            self._length += 1
            self._await_turn(user_id, text)
            return
        if len(queue) >= PER_USER_MAX:
            del queue[1]
            self._length -= 1
            self._metrics.count_im_push("overflow")
        queue.append(push)
        self._length += 1

    async def drain(self, within_s: float) -> None:
        """Wait until all texts are gone, but no longer than ``within_s`` seconds; then give them up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        while self._queues and (left := end - loop.time()) > 0:
            if self._calls:
                await asyncio.wait(self._calls, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(min(left, 0.05))  # a pause before the next try
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    # --- whose turn it is ---

    def _await_turn(self, user_id: str, text: str) -> None:
        self._next.setdefault(text, []).append(user_id)
        self._pump_soon()

    def _pump_soon(self) -> None:
        """Begin calls once whoever is queueing has queued it all."""
        if not self._pumping:
            self._pumping = True
            # A call for many users is not part of the request that was the first to need it.
            asyncio.get_running_loop().call_soon(self._pump, context=Context())

    def _pump(self) -> None:
        self._pumping = False
        while len(self._calls) < CALLS_AT_ONCE and (self._retries or self._next):
            batch = self._retries.popleft() if self._retries else self._first_tries()
            user_ids = [user_id for user_id in batch.user_ids if not self._outlived(user_id)]
            if user_ids:
                self._call(_Batch(batch.text, user_ids, batch.tries))

    def _first_tries(self) -> _Batch:
        """Take some of those who have waited longest; the rest of them wait behind those with other texts."""
        text, waiting = next(iter(self._next.items()))
        del self._next[text]
        if rest := waiting[USERS_PER_CALL:]:
            self._next[text] = rest
        return _Batch(text, waiting[:USERS_PER_CALL], 0)

    def _outlived(self, user_id: str) -> bool:
        """Give up the user's oldest text if its time is over; tell whether it was."""
        outlived = self._queues[user_id][0].until <= asyncio.get_running_loop().time()
        if outlived:
            self._is_over(user_id, "given_up")
        return outlived

    # --- calls ---

    def _call(self, batch: _Batch) -> None:
        call = asyncio.get_running_loop().create_task(self._send(batch))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        call.add_done_callback(lambda _: self._pump_soon())

    async def _send(self, batch: _Batch) -> None:
        try:
            await self._signals.send(batch.user_ids, batch.text)
        except ProviderUnavailable:
            self._try_again(batch)
        except Exception:  # noqa: BLE001 - the users' next texts have to be sent
            self._log.exception("im push failed")
            self._try_again(batch)
        else:
            for user_id in batch.user_ids:
                self._is_over(user_id, "accepted")

    def _try_again(self, batch: _Batch) -> None:
        loop = asyncio.get_running_loop()
        pause_s = min(_FIRST_PAUSE_S * 2**batch.tries, _LONGEST_PAUSE_S)
        hopeful = []
        for user_id in batch.user_ids:
            if self._queues[user_id][0].until > loop.time() + pause_s:
                hopeful.append(user_id)
            else:
                self._is_over(user_id, "given_up")
        self._metrics.im_push_retries.inc(len(hopeful))
        for user_ids in _halves(hopeful):
            loop.call_later(pause_s, self._retry, _Batch(batch.text, user_ids, batch.tries + 1))

    def _retry(self, batch: _Batch) -> None:
        self._retries.append(batch)
        self._pump_soon()

    def _is_over(self, user_id: str, fate: str) -> None:
        """Take the user's oldest text off his queue; the next one has its turn."""
        queue = self._queues[user_id]
        queue.popleft()
        self._length -= 1
        self._metrics.count_im_push(fate)
        if queue:
            self._await_turn(user_id, queue[0].text)
        else:
            del self._queues[user_id]


def _halves(user_ids: Sequence[str]) -> Iterator[list[str]]:
    """Return the users in two parts: should one of them be the trouble, the others are soon rid of him."""
    middle = (len(user_ids) + 1) // 2
    for part in (user_ids[:middle], user_ids[middle:]):
        if part:
            yield list(part)
