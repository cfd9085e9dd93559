"""What the faces are given: the use cases, and the runner of their effects."""

from collections.abc import Iterable
from typing import Protocol

from attrs import frozen

from qlive_core.effects import Effect
from qlive_core.ports.clouds import ImCloud, RtcCloud
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.audience import Audience
from qlive_core.usecases.battles import Battles
from qlive_core.usecases.census import Census
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.directory import Directory
from qlive_core.usecases.rooms import Rooms
from qlive_core.usecases.seat_control import SeatControl
from qlive_core.usecases.seats import Seats
from qlive_core.usecases.sessions import Sessions
from qlive_core.usecases.sweep import Sweep
from qlive_core.usecases.uploads import Uploads
from qlive_core.usecases.whereabouts import Whereabouts


class EffectRunner(Protocol):
    """Carries out what use cases want done."""

    def run(self, effects: Iterable[Effect]) -> None:
        """Carry out the effects in order. Never waits and never raises: what is slow is queued."""
        ...


@frozen(kw_only=True)
class Services:
    """The use cases of one process."""

    codes: Codes
    sessions: Sessions
    whereabouts: Whereabouts
    departure: Departure
    attendance: Attendance
    rooms: Rooms
    audience: Audience
    directory: Directory
    census: Census
    battles: Battles
    seats: Seats
    seat_control: SeatControl
    uploads: Uploads
    sweep: Sweep
    rtc: RtcCloud
    im: ImCloud
    effects: EffectRunner
