"""What came over IM and waits to be handled: in order for each user, and never for the cloud that reports it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context

import structlog
from attrs import define, field

from qlive_app.runtime.metrics import Metrics
from qlive_app.signalling.im.recent_ids import RecentIds
from qlive_app.signalling.im.vendor_time import VendorTime
from qlive_app.signalling.im.words import Word, request_in
from qlive_core.ports.clouds import HeardOverIm
from qlive_core.ports.world import Clock

PER_USER_MAX = 64
TOTAL_MAX = 20_000
_IDS_MAX = 100_000


@define(eq=False)
class _Queue:
    words: deque[Word] = field(factory=deque)
    crowded: bool = False


class ImInbox:
    """Takes what was heard and has it handled: one word of a user after the other, many users at a time.

    ``remember_s`` is how long a message may be repeated by the cloud. Only ids of requests are remembered: hearing
    the same sign of life twice changes nothing, and there are very many of them.
    """

    def __init__(
        self,
        handle: Callable[[Word], Awaitable[None]],
        clock: Clock,
        metrics: Metrics,
        *,
        remember_s: float,
    ) -> None:
        self._handle = handle
        self._clock = clock
        self._metrics = metrics
        self._ids = RecentIds(remember_s=remember_s, capacity=_IDS_MAX)
        self._vendor_time = VendorTime()
        self._queues: dict[str, _Queue] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._full = False
        self._log = structlog.get_logger("qlive.im")
        metrics.im_inbox.set_function(lambda: self._waiting)

    def take(self, heard: HeardOverIm) -> None:
        """Queue what was heard. Never waits; what is too much is dropped and counted."""
        now = self._clock.now()
        request = None if heard.text is None else request_in(heard.text)
        if request is not None and heard.uid and self._ids.is_repeated(heard.uid, now):
            self._metrics.count_im_message("duplicate")
            return
        at = now if heard.at is None else self._vendor_time.ours(heard.at, now)
        self._queue(Word(heard.user_id, at, request, to_us=heard.text is not None))

    async def drain(self, within_s: float) -> None:
        """Wait until all is handled, but no longer than ``within_s`` seconds."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=within_s)

    def _queue(self, word: Word) -> None:
        queue = self._queues.get(word.user_id)
        if self._waiting >= TOTAL_MAX:
            self._overflow(word, said_so=self._full)
            self._full = True
            return
        if queue is None:
            queue = self._queues[word.user_id] = _Queue()
            self._start(word.user_id, queue)
        elif len(queue.words) >= PER_USER_MAX:
            self._overflow(word, said_so=queue.crowded)
            queue.crowded = True
            return
        self._full = False
        self._waiting += 1
        queue.words.append(word)

    def _overflow(self, word: Word, *, said_so: bool) -> None:
        self._metrics.count_im_message("overflow")
        if not said_so:
            self._log.warning(
                "im messages dropped, too many wait", user_id=word.user_id, waiting=self._waiting
            )

    def _start(self, user_id: str, queue: _Queue) -> None:
        # Words of later callbacks will be handled too, so the context of this one is none of its business.
        worker = asyncio.get_running_loop().create_task(self._work(user_id, queue), context=Context())
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, user_id: str, queue: _Queue) -> None:
        try:
            while queue.words:
                word = queue.words.popleft()
                self._waiting -= 1
                await self._handle_safely(word)
        finally:
            del self._queues[user_id]

    async def _handle_safely(self, word: Word) -> None:
        try:
            await self._handle(word)
        except Exception:  # noqa: BLE001 - the user's next word has to be heard
            self._metrics.count_im_message("failed")
            self._log.exception("im message failed", user_id=word.user_id)
