"""What needs no outside system: this machine's time and chance, and the stand-ins that ``test`` providers are."""

from qlive_adapters.local.allowances import HourlyAllowances
from qlive_adapters.local.im import LocalIm
from qlive_adapters.local.sms import LogSmsSender
from qlive_adapters.local.world import BEAT_S, FairTurns, RandomIds, RecentSigns, SystemClock

__all__ = [
    "BEAT_S",
    "FairTurns",
    "HourlyAllowances",
    "LocalIm",
    "LogSmsSender",
    "RandomIds",
    "RecentSigns",
    "SystemClock",
]
