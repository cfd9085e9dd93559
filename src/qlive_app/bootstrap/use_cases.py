"""The use cases on their stores and clouds."""

from attrs import frozen

from qlive_adapters.local import FairTurns, HourlyAllowances, RandomIds, RecentSigns
from qlive_adapters.mirror.mirror import Mirror
from qlive_app.bootstrap.clouds import Clouds
from qlive_app.services import EffectRunner, Services
from qlive_core.ports.world import Clock
from qlive_core.rules import Rules
from qlive_core.usecases.attendance import Attendance
from qlive_core.usecases.audience import Audience
from qlive_core.usecases.battles import Battles
from qlive_core.usecases.census import Census
from qlive_core.usecases.codes import Codes
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.directory import Directory
from qlive_core.usecases.feedback_mails import FeedbackMails
from qlive_core.usecases.reconciler import Reconciler
from qlive_core.usecases.rooms import Rooms
from qlive_core.usecases.seat_control import SeatControl
from qlive_core.usecases.seating import Seating
from qlive_core.usecases.seats import Seats
from qlive_core.usecases.sessions import Sessions
from qlive_core.usecases.sweep import Sweep
from qlive_core.usecases.uploads import Uploads
from qlive_core.usecases.whereabouts import Whereabouts


@frozen(kw_only=True)
class UseCases:
    """What users do, and what is done beside them: mail and reconciling, each None where there is no cloud for it."""

    services: Services
    mails: FeedbackMails | None
    reconciler: Reconciler | None


def use_cases_of(
    stores: Mirror, clouds: Clouds, clock: Clock, rules: Rules, effects: EffectRunner
) -> UseCases:
    """Wire the use cases."""
    ids, signs = RandomIds(), RecentSigns()
    rooms, places, pks, presences = stores.rooms, stores.places, stores.pks, stores.presences
    accounts = stores.accounts
    codes = Codes(
        stores.sms_codes, stores.send_quotas, clouds.sms, FairTurns(), HourlyAllowances(), clock, ids, rules
    )
    whereabouts = Whereabouts(places, rooms, pks)
    seating = Seating(rooms, places, accounts, presences)
    departure = Departure(rooms, places, pks, presences, seating, signs, clock)
    sessions = Sessions(accounts, stores.sessions, codes, whereabouts, departure, clock, ids, rules)
    attendance = Attendance(
        presences, places, sessions, departure, whereabouts, signs, clock, rules, node=ids.salt()
    )
    services = Services(
        codes=codes,
        sessions=sessions,
        whereabouts=whereabouts,
        departure=departure,
        attendance=attendance,
        rooms=Rooms(rooms, places, whereabouts, attendance, departure, clouds.rtc, clock, ids, rules),
        audience=Audience(rooms, places, whereabouts, attendance, seating, signs, clock, rules),
        directory=Directory(rooms, accounts, places, pks),
        census=Census(rooms, places, pks, presences),
        battles=Battles(rooms, pks, accounts, clouds.rtc, clock, ids, rules),
        seats=Seats(rooms, places, accounts, seating, clock, rules),
        seat_control=SeatControl(rooms, places, accounts, seating, clock, rules),
        uploads=Uploads(clouds.uploads, stores.feedback, clock, rules),
        sweep=Sweep(
            rooms,
            places,
            pks,
            presences,
            stores.sessions,
            stores.sms_codes,
            stores.send_quotas,
            attendance,
            departure,
            clock,
            rules,
        ),
        rtc=clouds.rtc,
        im=clouds.im,
        effects=effects,
    )
    return UseCases(
        services=services,
        mails=FeedbackMails(stores.feedback, accounts, clouds.mailer, clock, rules)
        if clouds.mailer
        else None,
        reconciler=_reconciler(stores, clouds, clock, seating, attendance),
    )


def _reconciler(
    stores: Mirror, clouds: Clouds, clock: Clock, seating: Seating, attendance: Attendance
) -> Reconciler | None:
    """Return what compares facts with clouds; the local stand-ins have nothing to be compared with."""
    media, chat = clouds.media, clouds.chat
    if media is None and chat is None:
        return None
    return Reconciler(
        rooms=stores.rooms,
        places=stores.places,
        pks=stores.pks,
        presences=stores.presences,
        accounts=stores.accounts,
        seating=seating,
        attendance=attendance,
        rtc=media.rooms if media else None,
        im=chat.presence if chat else None,
        chats=chat.rooms if chat else None,
        clock=clock,
    )
