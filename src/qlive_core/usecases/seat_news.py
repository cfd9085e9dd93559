"""Who hears what of a seat, in the messages of the wire protocol."""

from collections.abc import Iterator, Sequence

from attrs import frozen

from qlive_core.effects import Notify
from qlive_core.model.account import Account
from qlive_core.model.place import Place
from qlive_core.model.room import Room
from qlive_core.model.seat import Party, SeatDecision, SeatNews
from qlive_core.signalling.messages import Push
from qlive_core.signalling.seat_messages import (
    OnAudienceJoin,
    OnInviteAnswer,
    OnInviteTimeout,
    OnJoinAnswer,
    OnJoinEnd,
    OnJoinInvite,
    OnJoinRequest,
    OnJoinTimeout,
    OnSeatMove,
    OnSeatMute,
)


@frozen
class Company:
    """Who is in the room when something about a seat is told.

    ``listener`` and ``host`` are None for accounts that are gone. ``others`` is the rest of the audience, and
    ``able`` those whose apps show more than the first ones did; both are empty where the news does not need them.
    """

    room: Room
    listener: Account | None = None
    host: Account | None = None
    others: Sequence[str] = ()
    able: frozenset[str] = frozenset()


def news_of(decision: SeatDecision, company: Company) -> Iterator[Notify]:
    """Return the pushes that a decision causes, in their order."""
    for party, news in decision.transition.tell:
        pushes = {able: _pushes(news, decision, company, able=able) for able in (False, True)}
        for user_id in _ears(party, decision, company):
            for push in pushes[user_id in company.able]:
                yield Notify(user_id, push)


def _ears(party: Party, decision: SeatDecision, company: Company) -> Sequence[str]:
    if party is Party.OTHERS:
        return company.others
    return (decision.before.user_id if party is Party.LISTENER else company.room.creator,)


def _pushes(news: SeatNews, decision: SeatDecision, company: Company, *, able: bool) -> Sequence[Push]:
    if news is SeatNews.MOVED and not able:
        return _unseated(decision, company), _seated(decision, company)
    if news is SeatNews.MUTED and not able:
        return ()
    return (_push(news, decision, company),)


def _push(news: SeatNews, decision: SeatDecision, company: Company) -> Push:
    room_id, user_id = decision.before.room_id, decision.before.user_id
    old, new = _seat(decision.before), _seat(decision.after)
    match news:
        case SeatNews.ASKED:
            return OnJoinRequest(room_id=room_id, req_user_id=user_id, position=new, **_looks(company))
        case SeatNews.ACCEPTED | SeatNews.REJECTED:
            accepted = news is SeatNews.ACCEPTED
            return OnJoinAnswer(room_id=room_id, req_user_id=user_id, accept=accepted, position=new)
        case SeatNews.TIMED_OUT:
            return OnJoinTimeout(room_id=room_id, req_user_id=user_id)
        case SeatNews.SEATED:
            return _seated(decision, company)
        case SeatNews.UNSEATED:
            return _unseated(decision, company)
        case SeatNews.INVITED:
            nickname = company.host.nickname if company.host else ""
            return OnJoinInvite(
                room_id=room_id, user_id=company.room.creator, nickname=nickname, position=new
            )
        case SeatNews.TAKEN_UP | SeatNews.DECLINED:
            taken = news is SeatNews.TAKEN_UP
            return OnInviteAnswer(room_id=room_id, req_user_id=user_id, accept=taken, position=old)
        case SeatNews.LAPSED:
            return OnInviteTimeout(room_id=room_id, req_user_id=user_id)
        case SeatNews.MOVED:
            return OnSeatMove(room_id=room_id, req_user_id=user_id, from_position=old, position=new)
        case SeatNews.MUTED:
            muted = decision.after is not None and decision.after.muted
            return OnSeatMute(room_id=room_id, req_user_id=user_id, position=old, muted=muted)


def _seated(decision: SeatDecision, company: Company) -> OnAudienceJoin:
    place = decision.before
    return OnAudienceJoin(
        room_id=place.room_id, req_user_id=place.user_id, position=_seat(decision.after), **_looks(company)
    )


def _unseated(decision: SeatDecision, company: Company) -> OnJoinEnd:
    place = decision.before
    return OnJoinEnd(
        room_id=place.room_id, req_user_id=place.user_id, position=_seat(place), **_looks(company)
    )


def _seat(place: Place | None) -> int:
    """Return the seat; 0, as the original says, where there is none."""
    return place.seat if place is not None and place.seat is not None else 0


def _looks(company: Company) -> dict[str, str]:
    """Return how the listener looks to others: apps need all three texts, also of an account that is gone."""
    account = company.listener
    if account is None:
        return {"nickname": "", "gender": "", "avatar": ""}
    return {"nickname": account.nickname, "gender": account.gender, "avatar": account.avatar}
