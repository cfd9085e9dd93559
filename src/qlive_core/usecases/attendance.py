"""Being there: connections come and go, leases run, and whoever is gone too long has left."""

from collections.abc import Callable, Iterable

from attrs import frozen

from qlive_core.effects import (
    Arm,
    DeadlineKind,
    Effect,
    HangUp,
    HangUpReason,
    LetGo,
    Outcome,
    ReachByIm,
)
from qlive_core.errors import Stale, Unauthenticated
from qlive_core.model.place import Place, PlaceKind
from qlive_core.model.presence import Presence, PresenceState
from qlive_core.model.revision import first_revision
from qlive_core.ports.stores import PlaceStore, PresenceStore
from qlive_core.ports.world import Clock, SignsOfLife
from qlive_core.rules import Rules
from qlive_core.usecases.departure import Departure
from qlive_core.usecases.races import redecided
from qlive_core.usecases.sessions import Sessions
from qlive_core.usecases.whereabouts import Whereabouts


@frozen
class Attendance:
    """The use cases of presence. ``node`` names this process."""

    presences: PresenceStore
    places: PlaceStore
    sessions: Sessions
    departure: Departure
    whereabouts: Whereabouts
    signs: SignsOfLife
    clock: Clock
    rules: Rules
    node: str

    async def connect(self, token: str, connection_id: str) -> Outcome[Presence]:
        """Make this connection the one that counts for the token's user; an older one is hung up.

        Raises BadToken. The session is looked at again after the commit: a logout or a new login that came
        in between has the last word.
        """
        user_id = await self.sessions.authenticate(token)
        older, presence = await self._open(user_id, connection_id, token)
        try:
            await self.sessions.authenticate(token)
        except Unauthenticated:
            await self.drop(user_id, connection_id)
            raise
        if older and older != connection_id:
            return Outcome(presence, (HangUp(user_id, HangUpReason.REPLACED, older),))
        return Outcome(presence)

    @redecided
    async def drop(self, user_id: str, connection_id: str) -> Outcome[None]:
        """Note that a connection is gone: its user's grace begins. Fenced: an older connection changes nothing."""
        presence = await self.presences.get(user_id)
        if presence is None:
            return Outcome(None, (LetGo(user_id),))
        if presence.connection_id != connection_id or presence.state is not PresenceState.OPEN:
            return Outcome(None)
        ends = self.clock.now() + self.rules.grace_s
        await self.presences.replace(presence.until(ends))
        return Outcome(None, (absence_deadline(user_id, ends),))

    async def disconnect(self, user_id: str, connection_id: str) -> Outcome[None]:
        """Take the user's word that they leave where they are. Fenced as ``drop`` is.

        A room that they enter at the same moment by another call is not meant.
        """
        seen = await self.departure.seen(user_id)
        if seen.presence is None or seen.presence.connection_id != connection_id:
            return Outcome(None)
        left = await self.departure.leave(seen)
        return Outcome(None, (*left.effects, *await self.attend(user_id)))

    @redecided
    async def lease(self, user_id: str, lease_s: float) -> tuple[Effect, ...]:
        """Expect a user without a connection for ``lease_s`` seconds from now; one with needs no lease.

        Who is seen over IM need not connect: he is expected no longer than he may be silent there.
        """
        presence = await self.presences.get(user_id)
        now = self.clock.now()
        ends = now + lease_s
        if presence is None:
            await self.presences.add(Presence(user_id, "", self.node, ends, rev=first_revision(now)))
        elif presence.state is PresenceState.OPEN:
            return ()
        else:
            if self._is_over_im(presence):
                ends = now + min(lease_s, self.rules.im_pong_timeout_s)
            ends = max(ends, presence.expires_at or ends)
            await self.presences.replace(presence.leased(ends, self.node))
        return (absence_deadline(user_id, ends),)

    async def attend(self, user_id: str) -> tuple[Effect, ...]:
        """Lease a place whose user has no presence, because the last one ended just as they came here."""
        place = await self.places.get(user_id)
        if place is None or place.kind is PlaceKind.LAPSED or await self.presences.get(user_id) is not None:
            return ()
        hosting = place.kind is PlaceKind.HOSTING
        return await self.lease(user_id, self.rules.host_lease_s if hosting else self.rules.audience_lease_s)

    @redecided
    async def announce(self, user_id: str, capabilities: Iterable[str]) -> None:
        """Keep what the user's app can show, as far as it is known, for as long as he is there."""
        presence = await self.presences.get(user_id)
        if presence is not None and (able := presence.able(capabilities)) != presence:
            await self.presences.replace(able)

    async def capabilities(self, user_id: str) -> frozenset[str]:
        """Return what the user's app has announced that it can show."""
        presence = await self.presences.get(user_id)
        return presence.capabilities if presence is not None else frozenset()

    async def sign_of_life(self, user_id: str) -> None:
        """Note an authorised call: it keeps a host who has no connection."""
        place = await self.places.get(user_id)
        if place is not None and place.kind is PlaceKind.HOSTING:
            self.signs.saw(user_id, self.clock.now())

    async def heard_over_im(self, user_id: str, at: float) -> Outcome[bool]:
        """Note a sign of life over IM that the user gave ``at``; the reply tells whether he is there.

        Only for the first one is anything written. One that is older than a user may be silent is none any more,
        and nobody is there who is not logged in.
        """
        now = self.clock.now()
        at = min(at, now)
        presence = await self.presences.get(user_id)
        if at + self.rules.im_pong_timeout_s <= now:
            return Outcome(presence is not None)
        if presence is None or not presence.im:
            return await self._seen_over_im(user_id, at)
        self.signs.heard_over_im(user_id, at, now)
        return Outcome(True)

    @redecided
    async def leave_by_im(self, user_id: str, sent_at: float) -> Outcome[bool]:
        """Take the user's word, sent over IM at ``sent_at``, that he leaves; the reply tells whether it counted.

        It does not if he has come to where he is since. A connection that he has as well is hung up.
        """
        here = await self.whereabouts.of(user_id)
        if here.outdates(sent_at):
            return Outcome(False)
        presence = await self.presences.get(user_id)
        hung_up: tuple[Effect, ...] = ()
        if presence is not None:
            await self._remove(presence)
            if presence.state is PresenceState.OPEN:
                hung_up = (HangUp(user_id, HangUpReason.LEFT, presence.connection_id),)
        if here.place is None:
            return Outcome(True, (LetGo(user_id), *hung_up))
        left = await self.departure.vacate(here.place, lapse=False)
        return Outcome(True, (*left.effects, *hung_up, *await self.attend(user_id)))

    async def to_ping_over_im(self, user_ids: Iterable[str]) -> Outcome[list[str]]:
        """Return those of the users who are to be asked over IM whether they are there.

        Who spoke up a moment ago is not. Whose presence has ended is let go, should that have been missed.
        """
        spoken_up = self.clock.now() - self.rules.im_ping_interval_s / 2
        silent, gone = [], []
        for user_id in user_ids:
            presence = await self.presences.get(user_id)
            signs = self.signs.over_im(user_id)
            if presence is None:
                gone.append(LetGo(user_id))
            elif presence.im and (signs is None or signs.heard_at <= spoken_up):
                silent.append(user_id)
        return Outcome(silent, tuple(gone))

    def pinged_over_im(self, user_ids: Iterable[str], since: float) -> None:
        """Note that the cloud has just taken pings to these users, which were on their way ``since`` then."""
        now = self.clock.now()
        for user_id in user_ids:
            self.signs.asked_over_im(user_id, since, now)

    async def expire(self, user_id: str) -> Outcome[bool]:
        """Make a user leave whose grace or lease is over; the reply tells whether it did.

        Safe to call by anybody at any time. The presence goes first, which is what decides against a
        connection that comes back at the same moment.
        """
        presence = await self.presences.get(user_id)
        if presence is None or presence.expires_at is None:
            return Outcome(False)
        place = await self.places.get(user_id)
        ends = self._expected_until(presence, place)
        if ends > self.clock.now():
            return Outcome(False, await self._extend(presence, ends))
        return await self._give_up(presence, place)

    async def give_up(self, user_id: str) -> Outcome[bool]:
        """Make a user leave whom the IM cloud does not have; the reply tells whether it did.

        Only who has no other way to be there, and was not heard on any.
        """
        presence = await self.presences.get(user_id)
        place = await self.places.get(user_id)
        if presence is None or not self.is_known_by_im_alone(presence, place):
            return Outcome(False)
        return await self._give_up(presence, place)

    def is_known_by_im_alone(self, presence: Presence, place: Place | None) -> bool:
        """Tell whether nothing but an unproved silence over IM speaks for the user's being there."""
        if not presence.im or presence.state is not PresenceState.LEASE:
            return False
        now, signs = self.clock.now(), self.signs.over_im(presence.user_id)
        silent = signs is not None and signs.heard_at + self.rules.im_pong_timeout_s <= now
        return silent and self._called_until(presence, place) <= now

    async def _give_up(self, presence: Presence, place: Place | None) -> Outcome[bool]:
        user_id = presence.user_id
        try:
            await self._remove(presence)
        except Stale:
            return Outcome(False)
        if place is None:
            return Outcome(True, (LetGo(user_id),))
        # Whoever takes a place between the two writes begins anew, with a presence of his own.
        left = await self.departure.vacate(place, lapse=presence.state is PresenceState.LEASE)
        return Outcome(True, (*left.effects, *await self.attend(user_id)))

    async def adopt(self) -> None:
        """Give those whom an earlier process knew time to come back to this one: a grace, from now on.

        Its connections died with it, and so did what it heard from those without one, who had nobody to call since.
        """
        await self.presences.expect_all(self.clock.now() + self.rules.grace_s, node=self.node)

    async def adopt_over_im(self) -> tuple[Effect, ...]:
        """Begin to wait anew for users whom an earlier process saw over IM: when they were heard is forgotten."""
        now = self.clock.now()
        reached = await self.unreached_over_im(lambda _: False)
        for effect in reached:
            self.signs.heard_over_im(effect.user_id, now, now)
        return reached

    async def unreached_over_im(self, is_reached: Callable[[str], bool]) -> tuple[ReachByIm, ...]:
        """Return that those are to be reached who are seen over IM and are not, as ``is_reached`` tells.

        A sign of life that comes while its user is being given up may be followed by the end of that.
        """
        if not self.rules.signals_over_im:
            return ()
        return tuple(
            ReachByIm(presence.user_id)
            for presence in await self.presences.all()
            if presence.im and not is_reached(presence.user_id)
        )

    async def orphans(self, is_connected: Callable[[str, str], bool]) -> frozenset[tuple[str, str]]:
        """Return (user id, connection id) of connections of this node that are open in the store alone.

        ``is_connected`` tells whether such a connection is there. One that is just being made may be among
        them; one that is still here a while later ended without the store hearing of it, and is to be dropped.
        """
        return frozenset(
            (presence.user_id, presence.connection_id)
            for presence in await self.presences.all()
            if presence.node == self.node
            and presence.state is PresenceState.OPEN
            and not is_connected(presence.user_id, presence.connection_id)
        )

    @redecided
    async def _open(self, user_id: str, connection_id: str, token: str) -> tuple[str, Presence]:
        old = await self.presences.get(user_id)
        # Asked again for the presence in hand: a connection of a newer login must not lose to this one.
        await self.sessions.authenticate(token)
        if old is None:
            new = Presence(user_id, connection_id, self.node, None, rev=first_revision(self.clock.now()))
            await self.presences.add(new)
            return "", new
        older = old.connection_id if old.state is PresenceState.OPEN else ""
        return older, await self.presences.replace(old.connected(connection_id, self.node))

    @redecided
    async def _seen_over_im(self, user_id: str, at: float) -> Outcome[bool]:
        """Store that the user is seen over IM, if he is logged in; looked at again after the commit, as in connect."""
        if not await self.sessions.is_live(user_id):
            return Outcome(False)
        old = await self.presences.get(user_id)
        now, ends = self.clock.now(), at + self.rules.im_pong_timeout_s
        if old is None:
            new = Presence(user_id, "", self.node, ends, im=True, rev=first_revision(now))
            await self.presences.add(new)
        else:
            new = await self.presences.replace(old.seen_over_im(ends))
        self.signs.heard_over_im(user_id, at, now)
        if not await self.sessions.is_live(user_id):
            await self._remove(new)
            return Outcome(False)
        armed = () if new.expires_at is None else (absence_deadline(user_id, new.expires_at),)
        return Outcome(True, (*armed, ReachByIm(user_id)))

    def _expected_until(self, presence: Presence, place: Place | None) -> float:
        """Return when the user is given up: at the stored deadline, or later if he was heard of since."""
        ends = max(presence.expires_at or 0.0, self._called_until(presence, place))
        return max(ends, self._waited_for_until(presence.user_id)) if self._is_over_im(presence) else ends

    def _called_until(self, presence: Presence, place: Place | None) -> float:
        heard = self.signs.last(presence.user_id)
        if heard is None or place is None:
            return 0.0
        leased = presence.state is PresenceState.LEASE
        if place.kind is not PlaceKind.HOSTING:
            return heard + self.rules.audience_lease_s if leased else 0.0
        if not leased:
            return heard + self.rules.grace_s
        return heard + (
            self.rules.im_pong_timeout_s if self._is_over_im(presence) else self.rules.host_lease_s
        )

    def _waited_for_until(self, user_id: str) -> float:
        """Return until when an answer over IM is waited for.

        A user is not silent because nothing reached him: while the cloud takes no pings there is no end to it.
        """
        signs = self.signs.over_im(user_id)
        if signs is None:
            return 0.0
        timeout, interval = self.rules.im_pong_timeout_s, self.rules.im_ping_interval_s
        asked_at = self.clock.now() if signs.asked_at is None else signs.asked_at
        return max(
            signs.heard_at + timeout, asked_at + (timeout - interval if timeout > interval else timeout)
        )

    def _is_over_im(self, presence: Presence) -> bool:
        return presence.im and self.rules.signals_over_im

    async def _extend(self, presence: Presence, ends: float) -> tuple[Effect, ...]:
        if ends != presence.expires_at:
            try:
                await self.presences.replace(presence.until(ends))
            except Stale:
                return ()
        return (absence_deadline(presence.user_id, ends),)

    async def _remove(self, presence: Presence) -> None:
        await self.presences.remove(presence)
        self.signs.forget(presence.user_id)


def absence_deadline(user_id: str, at: float) -> Arm:
    """Return the deadline that gives the user up at ``at``, in seconds since the epoch."""
    return Arm(DeadlineKind.PRESENCE, user_id, at)
