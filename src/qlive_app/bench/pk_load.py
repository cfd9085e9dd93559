"""Closed-loop PK load: pairs of hosts that fight one PK after the other, each step timed.

proposer            server            opponent
start-pk  ───────────▶  ──on-pk-offer──▶
   ◀── start-pk-res ──
                        ◀────────────── answer-pk (as soon as the offer is there)
   ◀── on-pk-answer ──  ─ answer-pk-res ─▶
end-pk    ───────────▶  ── on-pk-end ──▶         (as soon as all three answers are there)
   ◀── end-pk-res ────                           and the next cycle begins
"""

from collections.abc import Sequence
from time import perf_counter

from qlive_app.bench.population import Host
from qlive_app.bench.signalling import message_frame
from qlive_app.bench.slices import Slice, Work

# What is heard -> the request whose sending it is timed from.
STEPS = {
    "start-pk-res": "start-pk",
    "on-pk-offer": "start-pk",
    "on-pk-answer": "answer-pk",
    "answer-pk-res": "answer-pk",
    "on-pk-end": "end-pk",
    "end-pk-res": "end-pk",
}
CYCLE = "cycle"

_TIMED_FROM = {heard.encode(): request for heard, request in STEPS.items()}
_ENDING = frozenset({b"on-pk-end", b"end-pk-res"})
_FIGHTING = frozenset(_TIMED_FROM) - _ENDING


class _Pair:
    """Both sides of one pair; every message of a cycle has to come exactly once and to be a success."""

    def __init__(self, proposer: Host, opponent: Host, run: Slice, latencies: dict[str, list[float]]) -> None:
        self._proposer = proposer.signalling
        self._opponent = opponent.signalling
        self._start = message_frame("start-pk", f'{{"rpcID":"s","pkRoomID":"{opponent.room_id}"}}')
        self._answer = message_frame(
            "answer-pk", f'{{"rpcID":"a","reqRoomID":"{proposer.room_id}","accept":true}}'
        )
        self._end = message_frame("end-pk", f'{{"rpcID":"e","pkRoomID":"{proposer.room_id}"}}')
        self._run = run
        self._latencies = {heard.encode(): times for heard, times in latencies.items()}
        self._sent_at: dict[str, float] = {}
        self._awaited: set[bytes] = set()
        for side in (self._proposer, self._opponent):
            side.on_message = self._heard
            side.report_loss(run.fail)

    def begin(self) -> None:
        self._awaited = set(_FIGHTING)
        self._sent_at["start-pk"] = perf_counter()
        self._proposer.send(self._start)

    def _heard(self, kind: bytes, body: bytes) -> None:
        now = perf_counter()
        if kind not in self._awaited or not _is_success(kind, body):
            self._run.fail(f"a PK went wrong: {kind.decode()}={body.decode()}")
            return
        self._awaited.remove(kind)
        self._latencies[kind].append(now - self._sent_at[_TIMED_FROM[kind]])
        if kind == b"on-pk-offer":
            self._sent_at["answer-pk"] = now
            self._opponent.send(self._answer)
        elif not self._awaited:
            self._next_phase(now, ended=kind in _ENDING)

    def _next_phase(self, now: float, *, ended: bool) -> None:
        if not ended:
            self._awaited = set(_ENDING)
            self._sent_at["end-pk"] = now
            self._proposer.send(self._end)
            return
        self._latencies[CYCLE.encode()].append(now - self._sent_at["start-pk"])
        if self._run.wants_more(now):
            self.begin()


def _is_success(kind: bytes, body: bytes) -> bool:
    if kind.endswith(b"-res"):
        return b'"code":0,' in body
    return kind != b"on-pk-answer" or b'"accepted":true' in body


async def fight(hosts: Sequence[Host], pairs: int, seconds: float) -> Work:
    """Let the first ``2 * pairs`` hosts fight in pairs; all are single again afterwards."""
    latencies: dict[str, list[float]] = {step: [] for step in (CYCLE, *STEPS)}
    run = Slice(pairs, seconds)
    for pair in range(pairs):
        _Pair(hosts[2 * pair], hosts[2 * pair + 1], run, latencies).begin()
    return await run.finish(latencies)
