"""The PK: one host offers, the other answers, either ends it, or the clock does."""

from attrs import field, frozen

from qlive_core.effects import Compose, Count, Disarm, Notify, Outcome, StopComposing
from qlive_core.errors import (
    Duplicate,
    InvalidParameter,
    NoSuchRoom,
    NotInPk,
    NotYourPk,
    RoomBusy,
    RoomTypeUnfit,
    Stale,
    StoreUnavailable,
)
from qlive_core.model.pk import Pk, PkEvent, PkState, Role, Side, decide
from qlive_core.model.room import Room, RoomType
from qlive_core.ports.clouds import RtcCloud
from qlive_core.ports.stores import AccountStore, PkStore, RoomStore
from qlive_core.ports.world import Clock, Ids
from qlive_core.rules import Rules
from qlive_core.signalling.messages import OnPkOffer
from qlive_core.usecases.pk_news import acceptance, news_of, offer_deadline
from qlive_core.usecases.races import redecided


@frozen
class Relay:
    """What the host who accepted needs to reach the other: the proposer's RTC room and a token for it."""

    room_id: str
    token: str


@frozen
class Answered:
    """The reply to an answer. ``relay`` is there if the offer was accepted."""

    proposer_room_id: str
    relay: Relay | None


@frozen
class Battles:
    """The use cases of the PK."""

    rooms: RoomStore
    pks: PkStore
    accounts: AccountStore
    rtc: RtcCloud
    clock: Clock
    ids: Ids
    rules: Rules
    _perhaps_expired: dict[str, Pk] = field(factory=dict, init=False, eq=False, repr=False)
    """Offers, by id, whose time was over when the store failed: nobody knows whether they were removed."""

    @redecided
    async def start(self, user_id: str, target_room_id: str) -> Outcome[None]:
        """Offer a PK to the host of a room.

        Raises, in this order: NoSuchRoom, RoomTypeUnfit (not a PK room), RoomBusy (the target's), then
        InvalidParameter (no room of one's own, or this one) and RoomBusy (one's own, or a voice room).
        """
        target = await self.rooms.get(target_room_id)
        if target is None:
            raise NoSuchRoom
        if target.type is not RoomType.PK:
            raise RoomTypeUnfit
        if await self.pks.of_room(target.id) is not None:
            raise RoomBusy
        own = await self._own_room_for(user_id, target)
        account = await self.accounts.get(user_id)
        pk = self._offer(own, target)
        await self._commit_offer(pk)
        offer = OnPkOffer(
            user_id=user_id,
            nickname=account.nickname if account else "",
            room_id=own.id,
            room_name=own.name,
        )
        return Outcome(None, (offer_deadline(pk), Notify(target.creator, offer), Count(pk.state)))

    @redecided
    async def answer(self, user_id: str, proposer_room_id: str, *, accept: bool) -> Outcome[Answered]:
        """Accept or reject the live offer that was made to this host.

        Raises NotInPk if there is none, NoSuchRoom if the named room does not exist, and NotInPk if it is not
        the proposer's. An error changes nothing.
        """
        now = self.clock.now()
        pk = await self._pk_of_host(user_id)
        if pk is None or pk.state is not PkState.OFFERED or pk.target.user_id != user_id:
            raise NotInPk
        if proposer_room_id != pk.proposer.room_id:
            raise NotInPk if await self.rooms.get(proposer_room_id) else NoSuchRoom
        if accept:
            return await self._accept(pk, now)
        decision = decide(pk, PkEvent.REJECT, Role.TARGET, now=now)
        await self.pks.remove(pk)
        self._perhaps_expired.pop(pk.id, None)
        news = news_of(decision, named_room=pk.proposer.room_id)
        done = (Count(decision.pk.state), Disarm(offer_deadline(pk)))
        return Outcome(Answered(proposer_room_id, None), (*news, *done))

    @redecided
    async def end(self, user_id: str, room_id: str) -> Outcome[None]:
        """End the PK that the host is in; ``room_id`` may name either room.

        Raises NotInPk, and NotYourPk if the named room is neither. The other side hears when it is back.
        """
        pk = await self._pk_of_host(user_id)
        if pk is None or pk.state is not PkState.LIVE:
            raise NotInPk
        if pk.role_of(room_id) is None:
            raise NotYourPk
        role = Role.PROPOSER if pk.proposer.user_id == user_id else Role.TARGET
        decision = decide(pk, PkEvent.END, role, now=self.clock.now())
        await self.pks.remove(pk)
        told = news_of(decision, named_room=room_id)
        return Outcome(None, (*told, Count(decision.pk.state), StopComposing(pk)))

    async def expire(self, pk_id: str) -> Outcome[bool]:
        """Let the offer time out if it is due and still open; the reply tells whether it did.

        Safe to call by anybody at any time: exactly one caller's write succeeds, and only that one tells. When
        the store fails, to be called again: should the write have taken place, the next call tells.
        """
        pk = await self.pks.get(pk_id)
        if pk is None or pk.state is not PkState.OFFERED:
            return self._perhaps(pk_id, pk)
        if self.clock.now() < pk.offer_expires_at:
            return Outcome(False, (offer_deadline(pk),))
        try:
            await self.pks.remove(pk)
        except Stale:
            return self._perhaps(pk_id, await self.pks.get(pk_id))
        except StoreUnavailable:
            self._perhaps_expired[pk_id] = pk
            raise
        self._perhaps_expired.pop(pk_id, None)
        return self._expired(pk)

    def _perhaps(self, pk_id: str, now_stored: Pk | None) -> Outcome[bool]:
        """Return what is to be told of an offer that is not open any more."""
        removed = self._perhaps_expired.pop(pk_id, None)
        return self._expired(removed) if removed is not None and now_stored is None else Outcome(False)

    def _expired(self, pk: Pk) -> Outcome[bool]:
        decision = decide(pk, PkEvent.EXPIRE, Role.CLOCK, now=self.clock.now())
        return Outcome(True, (*news_of(decision, named_room=""), Count(decision.pk.state)))

    async def _own_room_for(self, user_id: str, target: Room) -> Room:
        own = await self.rooms.by_creator(user_id)
        if own is None or own.id == target.id:
            raise InvalidParameter
        if own.type is not RoomType.PK or await self.pks.of_room(own.id) is not None:
            raise RoomBusy
        return own

    def _offer(self, own: Room, target: Room) -> Pk:
        return Pk(
            id=self.ids.pk_id(),
            state=PkState.OFFERED,
            proposer=Side(own.creator, own.id),
            target=Side(target.creator, target.id),
            offer_expires_at=self.clock.now() + self.rules.pk_offer_timeout_s,
        )

    async def _commit_offer(self, pk: Pk) -> None:
        """Store the offer, unless a room is taken or, at the same time, closed."""
        try:
            await self.pks.add(pk)
        except Duplicate:
            raise RoomBusy from None
        for side in (pk.target, pk.proposer):
            if await self.rooms.get(side.room_id) is None:
                await self._withdraw(pk)
                raise NoSuchRoom if side is pk.target else InvalidParameter

    async def _withdraw(self, pk: Pk) -> None:
        try:
            await self.pks.remove(pk)
        except Stale:
            return  # whoever closed the room has removed it

    async def _accept(self, pk: Pk, now: float) -> Outcome[Answered]:
        decision = decide(pk, PkEvent.ACCEPT, Role.TARGET, now=now)
        await self.pks.replace(decision.pk)
        self._perhaps_expired.pop(pk.id, None)
        token = self.rtc.room_token(
            room_id=pk.proposer.room_id, user_id=pk.target.user_id, permission="user", now=self.clock.wall()
        )
        reply = Answered(pk.proposer.room_id, Relay(pk.proposer.room_id, token))
        told = acceptance(decision.pk, self.rtc, now=self.clock.wall())
        done = (Count(decision.pk.state), Disarm(offer_deadline(pk)), Compose(decision.pk))
        return Outcome(reply, (told, *done))

    async def _pk_of_host(self, user_id: str) -> Pk | None:
        own = await self.rooms.by_creator(user_id)
        return await self.pks.of_room(own.id) if own else None
