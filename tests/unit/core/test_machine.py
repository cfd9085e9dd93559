"""Random histories of a small world, played to the core and to the promise of the protocol.

After every step the invariants of the architecture hold; at the end of every history nobody is stuck.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.facts import HORIZON_S, check, check_nobody_is_stuck, deadlines, fire, picture
from core.promise import Promise
from core.world import FIXED_CODE, FIXED_PHONES, RULES, WRITES, World, pushes, run
from effort import examples
from qlive_core.effects import Arm, Count, CountSeat, DeadlineKind, Effect, LetGo, Outcome, ReachByIm
from qlive_core.errors import QliveError, Stale
from qlive_core.model.status import room_status

USERS = 4
users = st.integers(0, USERS - 1)
names = st.sampled_from(["a", "b", "c", "d"])
kinds = st.sampled_from(["pk", "pk", "voice"])
numbers = st.sampled_from([0, 1, 1, 2, 7, 8])
lost = st.sampled_from([0, 0, 0, 1, 2, 3])
"""Which write of a command loses a race it never ran, if any: 1 for the first."""

Command = Callable[[World], Awaitable[Any]]

SEAT_COMMANDS: dict[str, Callable[[World], Callable[..., Awaitable[Any]]]] = {
    "ask": lambda w: w.seats.ask,
    "answer_seat": lambda w: w.seats.answer,
    "end_seat": lambda w: w.seats.end,
    "invite": lambda w: w.seat_control.invite,
    "answer_invite": lambda w: w.seat_control.answer_invite,
    "move": lambda w: w.seat_control.move,
    "mute": lambda w: w.seat_control.mute,
    "lock": lambda w: w.seat_control.lock,
    "empty": lambda w: w.seat_control.empty,
}
"""What stands behind each of the promise's commands about seats."""


class SmallWorld(RuleBasedStateMachine):
    """Four users, their rooms, audiences, connections, PKs and seats."""

    def __init__(self) -> None:
        super().__init__()
        rules = evolve(RULES, max_rooms=3, signals_over_im=True)
        self.lose_at = 0
        self.world = World(rules)
        self.promise = Promise(rules, now=self.world.clock.time)
        self.now_running = self._process()
        self.armed: set[Arm] = set()
        self.counts: Counter[str] = Counter()
        self.seat_counts: Counter[str] = Counter()
        self.reachable: set[str] = set()
        self.restarts = self.connections = 0
        self.rooms: list[str] = ["room-that-never-was"]
        self.tokens: dict[str, str] = {}
        self.links: dict[str, list[str]] = {}
        self.ids = [self._log_in(phone) for phone in FIXED_PHONES[:USERS]]

    # Playing a command.

    def _process(self) -> World:
        return self.world.beside(self._maybe_lose, node=f"node-{getattr(self, 'restarts', 0)}")

    async def _maybe_lose(self, store: str, method: str) -> None:
        if method in WRITES - {"clear_room"} and self.lose_at > 0:
            self.lose_at -= 1
            if self.lose_at == 0:
                raise Stale(store, "unlucky")

    def _take(self, effects: Sequence[Effect]) -> None:
        """Arm what is to be armed, and compare the pushes with the promised ones."""
        self.armed |= set(deadlines(effects))
        for effect in effects:
            if isinstance(effect, ReachByIm):
                self.reachable.add(effect.user_id)
            elif isinstance(effect, LetGo):
                self.reachable.discard(effect.user_id)
            elif isinstance(effect, Count):
                self.counts[effect.state.value] += 1
            elif isinstance(effect, CountSeat):
                self.seat_counts[effect.outcome.value] += 1
        told = sorted((user_id, message.TYPE) for user_id, message in pushes(effects))
        assert told == sorted(self.promise.told), "told what was not promised"
        self.promise.told.clear()

    def _play(self, command: Command, lose_at: int = 0) -> tuple[str, Any]:
        self.lose_at = lose_at
        try:
            done = run(_awaited(command(self.now_running)))
        except QliveError as error:
            self._take(())
            return error.code, None
        finally:
            self.lose_at = 0
        effects = done.effects if isinstance(done, Outcome) else done if isinstance(done, tuple) else ()
        self._take(effects)
        return "done", done

    def _same(self, promised: str, command: Command, lose_at: int = 0, *, again: bool = True) -> Any:
        """Play the command; it must do as promised, and nothing more when it is played again (invariant 5)."""
        result, done = self._play(command, lose_at)
        assert result == promised
        if again and result == "done":
            before = run(picture(self.world))
            self._play(command)
            assert run(picture(self.world)) == before, "the second time changed something"
        return done

    def _log_in(self, phone: str) -> str:
        _, done = self._play(lambda w: w.sessions.login(phone, FIXED_CODE))
        account, token = done.reply.account, done.reply.token
        assert done.reply.status.value == self.promise.user_status(account.id)
        assert done.reply.room_id == self.promise.shown_room(account.id)
        self.tokens[account.id] = token
        self.promise.logged_in.add(account.id)
        self.promise.able.discard(account.id)
        return str(account.id)

    def _room(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.rooms[-5:]), "room")

    def _connection(self, data: st.DataObject, user: str) -> str:
        return data.draw(st.sampled_from(self.links.get(user, ["conn-never"])[-3:]), "connection")

    # Accounts and connections.

    @rule(n=users)
    def login(self, n: int) -> None:
        """Log in again; the old token dies, all else goes on."""
        old = self.tokens[self.ids[n]]
        self._log_in(FIXED_PHONES[n])
        assert self._play(lambda w: w.sessions.authenticate(old))[0] == "session.bad_token"

    @rule(n=users, lose_at=lost)
    def logout(self, n: int, lose_at: int) -> None:
        """End the session: everything that the user takes part in ends with it."""
        user = self.ids[n]
        self._same(self.promise.logout(user), lambda w: w.sessions.logout(self.tokens[user]), lose_at)

    @rule(n=users, lose_at=lost)
    def connect(self, n: int, lose_at: int) -> None:
        """Open a connection; it is the one that counts from now on."""
        user = self.ids[n]
        self.connections += 1
        connection = f"conn-{self.connections}"
        promised = self.promise.connect(user, connection)
        self._same(promised, lambda w: w.attendance.connect(self.tokens[user], connection), lose_at)
        self.links.setdefault(user, []).append(connection)

    @rule(n=users, data=st.data(), lose_at=lost)
    def drop(self, n: int, data: st.DataObject, lose_at: int) -> None:
        """Lose a connection, of late or an old one."""
        user = self.ids[n]
        connection = self._connection(data, user)
        promised = self.promise.drop(user, connection)
        self._same(promised, lambda w: w.attendance.drop(user, connection), lose_at)

    @rule(n=users, data=st.data(), lose_at=lost)
    def disconnect(self, n: int, data: st.DataObject, lose_at: int) -> None:
        """Leave by a message on a connection, of late or an old one."""
        user = self.ids[n]
        connection = self._connection(data, user)
        promised = self.promise.disconnect(user, connection)
        self._same(promised, lambda w: w.attendance.disconnect(user, connection), lose_at)

    # The other channel.

    @rule(n=users, ago=st.sampled_from([0.0, 0.0, 0.0, 3.0, 19.0, 20.0, 30.0]), lose_at=lost)
    def hear_over_im(self, n: int, ago: float, lose_at: int) -> None:
        """Hear something from a user over IM, at once or late."""
        user, at = self.ids[n], self.world.clock.time - ago
        is_there = self.promise.hear_over_im(user, at)
        done = self._same("done", lambda w: w.attendance.heard_over_im(user, at), lose_at)
        assert done.reply == is_there

    @rule(n=users, ago=st.sampled_from([0.0, 0.0, 1.0, 15.0, 60.0]), lose_at=lost)
    def leave_by_im(self, n: int, ago: float, lose_at: int) -> None:
        """Leave by a message over IM, which may come so late that it is about something else."""
        user, sent_at = self.ids[n], self.world.clock.time - ago
        left = self.promise.leave_by_im(user, sent_at)
        done = self._same("done", lambda w: w.attendance.leave_by_im(user, sent_at), lose_at)
        assert done.reply == left

    @rule(takes_s=st.sampled_from([0.0, 0.1, 6.0]), taken=st.booleans(), n=st.none() | users)
    def ping_over_im(self, takes_s: float, taken: bool, n: int | None) -> None:
        """Ask those who are silent over IM; the cloud may be slow, or take nothing, and one may answer meanwhile."""
        silent = self._play(lambda w: w.attendance.to_ping_over_im(sorted(self.reachable)))[1].reply
        assert silent == self.promise.to_ping()
        since = self.world.clock.time
        self.advance(takes_s)
        if n is not None:
            self.hear_over_im(n, 0.0, 0)
        if taken:
            self.promise.pinged(silent, since)
            self.now_running.attendance.pinged_over_im(silent, since)

    # Rooms and audiences.

    @initialize(scene=st.sampled_from(["nobody is live", "hosts", "singers", "singers with new apps"]))
    def begin(self, scene: str) -> None:
        """Begin where something can happen: with two hosts, or with an audience in a voice room."""
        if scene == "hosts":
            for n, name in enumerate("ab"):
                self._create(self.ids[n], name, "pk", 0)
        elif scene != "nobody is live":
            self._create(self.ids[0], "a", "voice", 0)
            for user in self.ids[1:3]:
                self._enter(user, self._voice_rooms()[0], 0)
            for user in self.ids[:2] if scene == "singers with new apps" else ():
                self._announce(user, 0)

    def _voice_rooms(self) -> list[str]:
        return [room for room, each in self.promise.rooms.items() if each["kind"] == "voice"]

    @rule(n=users, name=names, kind=kinds, lose_at=lost)
    def create(self, n: int, name: str, kind: str, lose_at: int) -> None:
        """Open a room, or ask for one's own by its name."""
        self._create(self.ids[n], name, kind, lose_at)

    def _create(self, user: str, name: str, kind: str, lose_at: int) -> None:
        known = {room.id for room in run(self.world.stores.rooms.all())}
        result, done = self._play(lambda w: w.rooms.create(user, name, kind), lose_at)
        room = done.reply.room.id if done else ""
        assert result == self.promise.create(user, room, name, kind)
        if result == "done":
            assert self.promise.own_room(user) == room
            assert self._play(lambda w: w.rooms.create(user, name, kind))[1].reply.room.id == room
            self.rooms += [room] if room not in known else []

    @rule(n=users, data=st.data(), name=names, lose_at=lost)
    def rename(self, n: int, data: st.DataObject, name: str, lose_at: int) -> None:
        """Rename a room, one's own or not."""
        user, room = self.ids[n], self._room(data)
        promised = self.promise.rename(user, room, name)
        self._same(promised, lambda w: w.rooms.rename(user, room, name), lose_at)

    @rule(n=users, data=st.data(), lose_at=lost)
    def close(self, n: int, data: st.DataObject, lose_at: int) -> None:
        """Close a room, one's own or not."""
        user = self.ids[n]
        room = self.promise.own_room(user) or self._room(data)
        self._same(self.promise.close(user, room), lambda w: w.rooms.close(user, room), lose_at)

    @rule(n=users, data=st.data(), lose_at=lost)
    def enter(self, n: int, data: st.DataObject, lose_at: int) -> None:
        """Watch a room."""
        self._enter(self.ids[n], self._room(data), lose_at)

    def _enter(self, user: str, room: str, lose_at: int) -> None:
        # Who enters again is told about the seats again.
        again = not self.promise.is_shown_seats(user, room)
        self._same(
            self.promise.enter(user, room), lambda w: w.audience.enter(user, room), lose_at, again=again
        )

    @rule(n=users, lose_at=lost)
    def leave(self, n: int, lose_at: int) -> None:
        """Watch no more."""
        user = self.ids[n]
        self._same(self.promise.leave(user), lambda w: w.audience.leave(user), lose_at)

    @rule(n=users)
    def poll(self, n: int) -> None:
        """Ask for the room that one is in, or was."""
        user = self.ids[n]
        _, room = self.promise.places.get(user, ("", "room-that-never-was"))
        self._same(self.promise.poll(user, room), lambda w: w.audience.poll(user, room))

    @rule(n=users)
    def call(self, n: int) -> None:
        """Make some authorised call."""
        user = self.ids[n]
        self._same(self.promise.call(user), lambda w: w.attendance.sign_of_life(user))

    # PKs.

    @rule(n=users, data=st.data(), lose_at=lost)
    def start(self, n: int, data: st.DataObject, lose_at: int) -> None:
        """Offer a PK to whatever room."""
        user, room = self.ids[n], self._room(data)
        self._same(self.promise.start(user, room), lambda w: w.battles.start(user, room), lose_at)

    def _free_hosts(self) -> list[str]:
        rooms = self.promise.rooms
        return [rooms[room]["host"] for room in rooms if self.promise.room_status(room) == "single"]

    @precondition(lambda self: len(self._free_hosts()) > 1)
    @rule(lose_at=lost)
    def start_rightly(self, lose_at: int) -> None:
        """Offer a PK from one free host to another."""
        user, other = self._free_hosts()[:2]
        room = self.promise.own_room(other)
        promised = self.promise.start(user, room)
        assert promised == "done"
        self._same(promised, lambda w: w.battles.start(user, room), lose_at)

    @rule(n=users, data=st.data(), accept=st.booleans(), lose_at=lost)
    def answer(self, n: int, data: st.DataObject, accept: bool, lose_at: int) -> None:
        """Answer an offer, or what is none."""
        user = self.ids[n]
        room = self._answerable(user, data)
        promised = self.promise.answer(user, room, accept=accept)
        self._same(promised, lambda w: w.battles.answer(user, room, accept=accept), lose_at)

    def _answerable(self, user: str, data: st.DataObject) -> str:
        pk = self.promise.pk_of(self.promise.own_room(user))
        wrong = self._room(data)
        return data.draw(st.sampled_from([str(pk["proposer"]), wrong]), "answered") if pk else wrong

    @precondition(lambda self: any(pk["state"] == "offered" for pk in self.promise.pks))
    @rule(accept=st.booleans(), lose_at=lost)
    def answer_rightly(self, accept: bool, lose_at: int) -> None:
        """Answer the oldest open offer as the one who may."""
        pk = next(pk for pk in self.promise.pks if pk["state"] == "offered")
        user, room = self.promise.rooms[str(pk["target"])]["host"], str(pk["proposer"])
        promised = self.promise.answer(user, room, accept=accept)
        assert promised == "done"
        self._same(promised, lambda w: w.battles.answer(user, room, accept=accept), lose_at)

    @rule(n=users, data=st.data(), lose_at=lost)
    def end(self, n: int, data: st.DataObject, lose_at: int) -> None:
        """End a PK, naming whatever room."""
        user = self.ids[n]
        room = data.draw(st.sampled_from([self.promise.own_room(user), self._room(data)]), "ended")
        self._same(self.promise.end(user, room), lambda w: w.battles.end(user, room), lose_at)

    # Seats.

    @rule(n=users, lose_at=lost)
    def announce(self, n: int, lose_at: int) -> None:
        """Say what one's app can show."""
        self._announce(self.ids[n], lose_at)

    def _announce(self, user: str, lose_at: int) -> None:
        self._same(self.promise.announce(user), lambda w: w.attendance.announce(user, ["seats"]), lose_at)

    def _seat(self, lose_at: int, name: str, *args: Any, **kwargs: Any) -> str:
        promised: str = getattr(self.promise, name)(*args, **kwargs)
        self._same(promised, lambda w: SEAT_COMMANDS[name](w)(*args, **kwargs), lose_at)
        return promised

    @precondition(lambda self: self._voice_rooms())
    @rule(data=st.data(), name=st.sampled_from(sorted(SEAT_COMMANDS)), number=numbers, yes=st.booleans())
    def whatever_about_seats(self, data: st.DataObject, name: str, number: int, yes: bool) -> None:
        """Command something about a seat, mostly among people who have to do with each other."""
        room = data.draw(st.sampled_from([*self._voice_rooms() * 3, self._room(data)]), "room")
        host = self.promise.rooms[room]["host"] if room in self.promise.rooms else self.ids[0]
        host = data.draw(st.sampled_from([host, host, host, self.ids[1]]), "host")
        user = data.draw(st.sampled_from([*self.promise.audience(room) * 3, self.ids[2]]), "listener")
        lose_at = data.draw(lost, "lose_at")
        match name:
            case "ask":
                self._seat(lose_at, name, user, room, number)
            case "end_seat":
                self._seat(lose_at, name, user, room)
            case "answer_seat":
                self._seat(lose_at, name, host, room, user, accept=yes)
            case "answer_invite":
                self._seat(lose_at, name, user, room, accept=yes)
            case "mute":
                self._seat(lose_at, name, host, room, user, muted=yes)
            case "lock":
                self._seat(lose_at, name, host, room, number, locked=yes)
            case "empty":
                self._seat(lose_at, name, host, room, number)
            case _:
                self._seat(lose_at, name, host, room, user, number)

    @precondition(lambda self: self._right_moves())
    @rule(data=st.data(), moves=st.integers(1, 8), lose_at=lost)
    def sing(self, data: st.DataObject, moves: int, lose_at: int) -> None:
        """Do some things about seats that are all right."""
        for _ in range(moves):
            if right := self._right_moves():
                name, args, kwargs = data.draw(st.sampled_from(right), "move")
                assert self._seat(lose_at, name, *args, **kwargs) == "done"

    def _right_moves(self) -> list[tuple[str, tuple[Any, ...], dict[str, bool]]]:
        """Return what could be done about seats now."""
        return [move for room in self._voice_rooms() for move in self._right_moves_in(room)]

    def _right_moves_in(self, room: str) -> list[tuple[str, tuple[Any, ...], dict[str, bool]]]:
        promise, host = self.promise, self.promise.rooms[room]["host"]
        taken = promise.holders(room)
        free = [number for number in range(8) if number not in taken and number not in promise.locks[room]]
        moves: list[tuple[str, tuple[Any, ...], dict[str, bool]]] = []
        for user in promise.audience(room):
            kind, able = promise.places[user][0], {user, host} <= promise.able
            if kind == "watching" and free:
                moves.append(("ask", (user, room, free[0]), {}))
                moves += [("invite", (host, room, user, free[0]), {})] if able else []
            elif kind == "asking" and promise.seats[user].until > promise.now:
                moves += [("answer_seat", (host, room, user), {"accept": yes}) for yes in (True, True, False)]
                moves.append(("end_seat", (user, room), {}))
            elif kind == "invited" and promise.seats[user].until > promise.now:
                moves += [("answer_invite", (user, room), {"accept": yes}) for yes in (True, True, False)]
            elif kind == "seated":
                moves.append(("end_seat", (user, room), {}))
                moves += [("move", (host, room, user, free[-1]), {})] if able and free else []
                moves += [("mute", (host, room, user), {"muted": True})] if able else []
                moves += (
                    [("empty", (host, room, promise.seats[user].number), {})] if host in promise.able else []
                )
        return moves

    # Time, and the process.

    @rule(seconds=st.sampled_from([1.0, 5.0, 9.9, 10.0, 19.9, 20.0, 40.0, 61.0]))
    def advance(self, seconds: float) -> None:
        """Let time pass; what is due is looked at in its order."""
        ends = self.world.clock.time + seconds
        while due := [arm for arm in deadlines(self.armed) if arm.at <= ends]:
            arm = due[0]
            self.armed.discard(arm)
            self._set_time(max(self.world.clock.time, arm.at))
            self._look(arm)
        self._set_time(ends)

    def _set_time(self, now: float) -> None:
        self.world.clock.time = self.promise.now = now

    def _look(self, arm: Arm) -> None:
        if arm.kind is DeadlineKind.PRESENCE:
            self.promise.look_at(arm.key)
        elif arm.kind is DeadlineKind.SEAT_REQUEST:
            self.promise.end_in_time(arm.key)
        elif (pk := run(self.world.stores.pks.get(arm.key))) is not None and pk.state.value == "offered":
            self.promise.time_out(pk.proposer.room_id, pk.target.room_id)
        self._take(run(fire(self.now_running, arm)))

    @rule()
    def crash_and_restart(self) -> None:
        """Lose the process: its connections, timers and signs of life; the next one takes over."""
        self.restarts += 1
        self.armed.clear()
        self.reachable.clear()
        self.promise.restart()
        self.now_running = self._process()
        self._take(run(self.now_running.sweep.wake()))
        self._take(run(self.now_running.sweep.look_around(HORIZON_S)))

    @rule()
    def look_around(self) -> None:
        """Sweep: there is never anything to repair that is not a crash's doing."""
        before = run(picture(self.world))
        self._take(run(self.now_running.sweep.look_around(HORIZON_S)))
        assert run(self.now_running.attendance.unreached_over_im(lambda user: user in self.reachable)) == ()
        assert run(picture(self.world)) == before

    # What holds after every step.

    @invariant()
    def facts_fit(self) -> None:
        """Invariant 1, and nobody is in a room that is gone or in a place that nobody would take away."""
        run(check(self.world))

    @invariant()
    def every_offer_has_one_outcome(self) -> None:
        """Invariant 2: as many offers as outcomes and open ones, each counted once."""
        assert self.counts == self.promise.outcomes
        still_offered = sum(pk["state"] == "offered" for pk in self.promise.pks)
        outcomes = ("live", "rejected", "timed_out", "cancelled")
        assert self.counts["offered"] == still_offered + sum(self.counts[outcome] for outcome in outcomes)

    @invariant()
    def every_request_for_a_seat_has_one_outcome(self) -> None:
        """Invariant 2, for seats: as many beginnings as ends and open ones, each counted once; all are armed."""
        assert self.seat_counts == self.promise.seat_outcomes
        stored = run(self.world.stores.places.all())
        seats = {p.user_id: (p.seat, p.muted) for p in stored if p.seat is not None}
        assert seats == {user: (seat.number, seat.muted) for user, seat in self.promise.seats.items()}
        armed = {(arm.key, arm.at) for arm in self.armed if arm.kind is DeadlineKind.SEAT_REQUEST}
        assert {(p.user_id, p.seat_until) for p in stored if p.seat_until is not None} <= armed
        rooms = run(self.world.stores.rooms.all())
        assert {room.id: set(room.locked_seats) for room in rooms} == {
            room: self.promise.locks[room] for room in self.promise.rooms
        }
        begun = self.seat_counts["asked"] + self.seat_counts["invited"]
        ends = ("rejected", "withdrawn", "timed_out", "declined", "lapsed", "left", "emptied", "closed")
        assert begun == len(seats) + sum(self.seat_counts[end] for end in ends)

    @invariant()
    def statuses_are_as_promised(self) -> None:
        """Invariant 6: users and rooms have the statuses and audiences that the protocol promises."""
        for user in self.ids:
            here = run(self.world.whereabouts.of(user))
            assert here.status.value == self.promise.user_status(user)
            assert here.shown_room_id == self.promise.shown_room(user)
        rooms = {room.id for room in run(self.world.stores.rooms.all())}
        assert rooms == set(self.promise.rooms)
        for room in rooms:
            facts = run(self.world.directory.one(room))
            assert room_status(facts.room, facts.pk).value == self.promise.room_status(room)
            assert facts.room.name == self.promise.rooms[room]["name"]
            assert facts.audience_number == len(self.promise.audience(room))

    @invariant()
    def presences_are_as_promised(self) -> None:
        """Everybody is expected exactly as long as promised, and a timer is armed for it."""
        stored = {p.user_id: p for p in run(self.world.stores.presences.all())}
        assert {user: p.expires_at for user, p in stored.items()} == self.promise.until
        assert {user: p.connection_id for user, p in stored.items()} == self.promise.connection
        over_im = {user for user, p in stored.items() if p.im}
        assert over_im == set(self.promise.over_im)
        assert over_im <= self.reachable, "somebody whom nobody asks whether he is there"
        armed = {(arm.key, arm.at) for arm in self.armed if arm.kind is DeadlineKind.PRESENCE}
        assert {(user, at) for user, at in self.promise.until.items() if at is not None} <= armed

    def teardown(self) -> None:
        """Invariant 4: when everybody has gone and all deadlines have passed, nothing is left."""
        try:
            run(check_nobody_is_stuck(self.now_running))
        finally:
            self.world.close()


async def _awaited(command: Awaitable[Any]) -> Any:
    return await command


TestSmallWorld = SmallWorld.TestCase
TestSmallWorld.settings = settings(max_examples=examples(10), stateful_step_count=50)
