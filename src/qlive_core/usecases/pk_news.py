"""Who hears what of a PK, in the messages of the wire protocol."""

from qlive_core.effects import Arm, DeadlineKind, Notify
from qlive_core.model.pk import Decision, News, Pk, Role
from qlive_core.ports.clouds import RtcCloud
from qlive_core.signalling.messages import OnPkAnswer, OnPkEnd, OnPkTimeout


def news_of(decision: Decision, *, named_room: str) -> tuple[Notify, ...]:
    """Return the pushes that a PK's end or a rejection causes.

    ``named_room`` is the room that ``on-pk-end`` names: the one that the request named, or that was closed.
    """
    pk = decision.pk

    def push(role: Role) -> OnPkTimeout | OnPkEnd | OnPkAnswer:
        if decision.news is News.TIMED_OUT:
            other = pk.opponent_of(pk.side(role).room_id)
            return OnPkTimeout(pk_anchor_id=other.user_id, pk_room_id=other.room_id)
        if decision.news is News.ENDED:
            return OnPkEnd(pk_room_id=named_room)
        return OnPkAnswer(req_room_id=pk.proposer.room_id, accepted=False)

    return tuple(Notify(pk.side(role).user_id, push(role)) for role in decision.tell)


def offer_deadline(pk: Pk) -> Arm:
    """Return the wish to look at the offer again when its time is over."""
    return Arm(DeadlineKind.PK_OFFER, pk.id, pk.offer_expires_at)


def acceptance(pk: Pk, rtc: RtcCloud, *, now: float) -> Notify:
    """Return what the proposer of an accepted offer is told, with the tokens for the target's room.

    The same token goes by two names: the first apps move into the room, the newest relay to it.
    """
    room_id = pk.target.room_id
    token = rtc.room_token(room_id=room_id, user_id=pk.proposer.user_id, permission="user", now=now)
    answer = OnPkAnswer(
        req_room_id=pk.proposer.room_id,
        accepted=True,
        rtc_room=room_id,
        rtc_room_token=token,
        relay_rtc_room=room_id,
        relay_rtc_room_token=token,
    )
    return Notify(pk.proposer.user_id, answer)
