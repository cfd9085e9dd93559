"""Carries out effects: the one place where the core's wishes meet the hub, the timers and the metrics."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from qlive_app.runtime.chores import CloudChores
from qlive_app.runtime.deadlines import Deadlines
from qlive_app.runtime.mailing import Mailing
from qlive_app.runtime.metrics import Metrics
from qlive_app.signalling.hub import Hub
from qlive_core.effects import (
    Arm,
    CloseChat,
    Compose,
    Count,
    CountSeat,
    Disarm,
    Effect,
    Forget,
    HangUp,
    HangUpReason,
    Hold,
    LetGo,
    MailQueued,
    Notify,
    OpenChat,
    ReachByIm,
    StopComposing,
)
from qlive_core.signalling import CloseCode, encode

_CLOSE_CODES = {
    HangUpReason.REPLACED: CloseCode.REPLACED,
    HangUpReason.LOGGED_OUT: CloseCode.LOGGED_OUT,
    HangUpReason.LEFT: CloseCode.NORMAL,
}

# What is told to a room is the same for everybody in it.
_encode = functools.lru_cache(maxsize=16)(encode)


class LocalEffects:
    """Effects within this process. Nothing here waits."""

    def __init__(
        self, hub: Hub, deadlines: Deadlines, chores: CloudChores, mailing: Mailing, metrics: Metrics
    ) -> None:
        self._hub = hub
        self._deadlines = deadlines
        self._metrics = metrics
        self._log = structlog.get_logger("qlive.effects")
        self._carry_out: dict[type[Any], Callable[[Any], None]] = {
            Notify: self._notify,
            Arm: self._deadlines.arm,
            Disarm: self._deadlines.disarm,
            HangUp: self._hang_up,
            Hold: lambda effect: hub.hold(effect.user_id, back=effect.back),
            ReachByIm: lambda effect: hub.reach_by_im(effect.user_id),
            LetGo: lambda effect: hub.let_go(effect.user_id),
            Forget: lambda effect: hub.forget(effect.user_id),
            MailQueued: lambda _: mailing.wake(),
            Count: lambda effect: metrics.count_pk(effect.state.value),
            CountSeat: lambda effect: metrics.count_seat(effect.outcome.value),
            **dict.fromkeys((OpenChat, CloseChat, Compose, StopComposing), chores.put),
        }

    def run(self, effects: Iterable[Effect]) -> None:
        """Carry out the effects in order; one that fails does not stop the others."""
        for effect in effects:
            try:
                self._carry_out[type(effect)](effect)
            except Exception:  # noqa: BLE001 - an effect is one of many; the commit stands
                name = type(effect).__name__
                self._metrics.effect_failures.labels(name).inc()
                self._log.exception("effect failed", effect=name)

    def _notify(self, effect: Notify) -> None:
        fate = self._hub.deliver(effect.user_id, _encode(effect.message))
        self._metrics.count_push(fate)

    def _hang_up(self, effect: HangUp) -> None:
        self._hub.hang_up(
            effect.user_id,
            _CLOSE_CODES[effect.reason],
            connection_id=effect.connection_id,
            opened_by=effect.opened_by,
            not_opened_by=effect.not_opened_by,
        )
