"""Being there: connections come and go, leases run, and whoever is gone too long has left."""

from collections.abc import Callable, Iterable

from attrs import frozen

from qlive_core.effects import Arm, DeadlineKind, Effect, HangUp, HangUpReason, Hold, LetGo, Outcome
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


@frozen
class Attendance:
    """The use cases of presence. ``node`` names this process."""

    presences: PresenceStore
    places: PlaceStore
    sessions: Sessions
    departure: Departure
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
        return Outcome(None, (_armed(user_id, ends),))

    @redecided
    async def disconnect(self, user_id: str, connection_id: str) -> Outcome[None]:
        """Take the user's word that he leaves. Fenced as ``drop`` is."""
        presence = await self.presences.get(user_id)
        if presence is None or presence.connection_id != connection_id:
            return Outcome(None)
        await self._remove(presence)
        return await self.departure.leave_place(user_id)

    @redecided
    async def lease(self, user_id: str, lease_s: float) -> tuple[Effect, ...]:
        """Expect a user without a connection for ``lease_s`` seconds from now; one with needs no lease."""
        presence = await self.presences.get(user_id)
        now = self.clock.now()
        ends = now + lease_s
        if presence is None:
            await self.presences.add(Presence(user_id, "", self.node, ends, rev=first_revision(now)))
        elif presence.state is PresenceState.OPEN:
            return ()
        else:
            ends = max(ends, presence.expires_at or ends)
            await self.presences.replace(presence.leased(ends, self.node))
        return (_armed(user_id, ends),)

    @redecided
    async def announce(self, user_id: str, capabilities: Iterable[str]) -> None:
        """Keep what the user's app can show, as far as it is known, for as long as he is there."""
        presence = await self.presences.get(user_id)
        if presence is not None and (able := presence.able(capabilities)) != presence:
            await self.presences.replace(able)

    async def sign_of_life(self, user_id: str) -> None:
        """Note an authorised call: it keeps a host who has no connection."""
        place = await self.places.get(user_id)
        if place is not None and place.kind is PlaceKind.HOSTING:
            self.signs.saw(user_id, self.clock.now())

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
        try:
            await self._remove(presence)
        except Stale:
            return Outcome(False)
        if place is None:
            return Outcome(True, (LetGo(user_id),))
        # Whoever takes a place between the two writes begins anew, with a presence of his own.
        left = await self.departure.vacate(place, lapse=presence.state is PresenceState.LEASE)
        return Outcome(True, left.effects)

    async def adopt(self) -> tuple[Effect, ...]:
        """Begin the grace of users whose connections died with an earlier process."""
        effects: list[Effect] = []
        for presence in await self.presences.open_elsewhere(self.node):
            dropped = await self.drop(presence.user_id, presence.connection_id)
            effects += (Hold(presence.user_id), *dropped.effects)
        return tuple(effects)

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

    def _expected_until(self, presence: Presence, place: Place | None) -> float:
        """Return when the user is given up: at the stored deadline, or later if he was heard of since."""
        ends = presence.expires_at or 0.0
        heard = self.signs.last(presence.user_id)
        if heard is None or place is None:
            return ends
        if place.kind is PlaceKind.HOSTING:
            leased = presence.state is PresenceState.LEASE
            return max(ends, heard + (self.rules.host_lease_s if leased else self.rules.grace_s))
        if presence.state is PresenceState.LEASE:
            return max(ends, heard + self.rules.audience_lease_s)
        return ends

    async def _extend(self, presence: Presence, ends: float) -> tuple[Effect, ...]:
        if ends != presence.expires_at:
            try:
                await self.presences.replace(presence.until(ends))
            except Stale:
                return ()
        return (_armed(presence.user_id, ends),)

    async def _remove(self, presence: Presence) -> None:
        await self.presences.remove(presence)
        self.signs.forget(presence.user_id)


def _armed(user_id: str, at: float) -> Arm:
    return Arm(DeadlineKind.PRESENCE, user_id, at)
