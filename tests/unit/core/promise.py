"""What the protocol promises, in plain dictionaries: no stores, no revisions, one thing after the other.

The machine of test_machine.py plays the same history to this and to the core and compares. Every command
returns "done" or the code of its refusal, and notes in ``told`` whom it tells what.
"""

from collections import Counter

from attrs import define

from qlive_core.rules import Rules

AUDIENCE = {"watching": "watching", "asking": "joinWait", "invited": "watching", "seated": "joined"}
"""What those in an audience may do, and their statuses."""


@define
class Seat:
    """The seat of somebody who asks for it, is invited to it or has it; the first two until a time."""

    number: int
    until: float
    muted: bool = False


@define
class OverIm:
    """A user who is seen over IM: when he was last heard, when that came, and when a ping to him first arrived since."""

    heard: float
    came: float
    asked: float | None = None


class Promise:
    """The state of the small world: who is where, which rooms fight, and who is expected until when."""

    def __init__(self, rules: Rules, *, now: float) -> None:
        self.rules = rules
        self.now = now
        self.logged_in: set[str] = set()
        self.rooms: dict[str, dict[str, str]] = {}
        self.came: dict[str, float] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.pks: list[dict[str, object]] = []
        self.connection: dict[str, str] = {}
        self.until: dict[str, float | None] = {}
        self.heard: dict[str, float] = {}
        self.over_im: dict[str, OverIm] = {}
        self.told: list[tuple[str, str]] = []
        self.outcomes: Counter[str] = Counter()
        self.seats: dict[str, Seat] = {}
        self.locks: dict[str, set[int]] = {}
        self.able: set[str] = set()
        self.seat_outcomes: Counter[str] = Counter()

    # Looking.

    def own_room(self, user: str) -> str:
        """Return the room that the user hosts, or ""."""
        kind, room = self.places.get(user, ("", ""))
        return room if kind == "hosting" else ""

    def pk_of(self, room: str) -> dict[str, object] | None:
        """Return the PK that the room is in."""
        return next((pk for pk in self.pks if room in (pk["proposer"], pk["target"])), None)

    def user_status(self, user: str) -> str:
        """Return the status of a user, by the table of the protocol."""
        kind, room = self.places.get(user, ("", ""))
        if kind != "hosting":
            return AUDIENCE.get(kind, "idle")
        pk = self.pk_of(room)
        return "singleLive" if pk is None else {"offered": "pkWait", "live": "pkLive"}[str(pk["state"])]

    def room_status(self, room: str) -> str:
        """Return the status of a room, by the table of the protocol."""
        if self.rooms[room]["kind"] == "voice":
            return "voiceLive"
        pk = self.pk_of(room)
        return "single" if pk is None else {"offered": "waitPK", "live": "PK"}[str(pk["state"])]

    def shown_room(self, user: str) -> str:
        """Return the room that the login answer names."""
        kind, room = self.places.get(user, ("", ""))
        if kind != "hosting" and kind not in AUDIENCE:
            return ""
        pk = self.pk_of(room) if kind == "hosting" else None
        return str(pk["target"]) if pk and pk["state"] == "live" else room

    def audience(self, room: str) -> list[str]:
        """Return who watches, with a seat or without."""
        return sorted(
            user for user, (kind, there) in self.places.items() if there == room and kind in AUDIENCE
        )

    def holders(self, room: str) -> dict[int, str]:
        """Return who has to do with which seat of the room."""
        return {seat.number: user for user, seat in self.seats.items() if self.places[user][1] == room}

    # Hosting.

    def create(self, user: str, room: str, name: str, kind: str) -> str:
        """Open a room."""
        own = self.own_room(user)
        if own and self.rooms[own]["name"] == name:
            return "done"
        if self.rules.max_rooms and len(self.rooms) >= self.rules.max_rooms:
            return "room.limit"
        if any(other["name"] == name for other in self.rooms.values()):
            return "room.name_taken"
        if own:
            return "room.one_per_host"
        status = self.user_status(user)
        if status in AUDIENCE.values():
            return "user.watching" if status == "watching" else "user.joined"
        self._lease(user, self.rules.host_lease_s)
        self.rooms[room] = {"name": name, "kind": kind, "host": user}
        self.came[user] = self.now
        self.locks[room] = set()
        self.places[user] = ("hosting", room)
        return "done"

    def rename(self, user: str, room: str, name: str) -> str:
        """Rename a room."""
        if room not in self.rooms or self.rooms[room]["host"] != user:
            return "room.not_found"
        if any(other["name"] == name for key, other in self.rooms.items() if key != room):
            return "room.name_taken"
        self.rooms[room]["name"] = name
        return "done"

    def close(self, user: str, room: str) -> str:
        """Close a room by its host's wish."""
        if room not in self.rooms or self.rooms[room]["host"] != user:
            return "room.not_found"
        self._close(room)
        return "done"

    def _close(self, room: str) -> None:
        pk = self.pk_of(room)
        if pk is not None:
            offered = pk["state"] == "offered"
            other = str(pk["target"] if room == pk["proposer"] else pk["proposer"])
            self.told.append((self.rooms[other]["host"], "on-pk-timeout" if offered else "on-pk-end"))
            self._over(pk, "cancelled" if offered else "ended")
        for viewer in self.audience(room):
            self.told.append((viewer, "on-room-close"))
            if self.seats.pop(viewer, None):
                self.seat_outcomes["closed"] += 1
        self.places = {user: place for user, place in self.places.items() if place[1] != room}
        del self.rooms[room]

    # Watching.

    def enter(self, user: str, room: str) -> str:
        """Watch a room."""
        if room not in self.rooms:
            return "room.not_found"
        if self.own_room(user):
            return "user.broadcasting"
        kind, there = self.places.get(user, ("", ""))
        if there != room and kind in ("asking", "seated"):
            return "user.joined"
        self._lease(user, self.rules.audience_lease_s)
        if there != room or kind not in AUDIENCE:
            self._give_up_seat(user)
            self.places[user], self.came[user] = ("watching", room), self.now
        if self.is_shown_seats(user, room):
            self.told.append((user, "on-seats"))
        return "done"

    def is_shown_seats(self, user: str, room: str) -> bool:
        """Tell whether the user's app would show what there is to know about the seats of the room."""
        return user in self.able and room in self.rooms and self.rooms[room]["kind"] == "voice"

    def leave(self, user: str) -> str:
        """Watch no more."""
        if self.own_room(user):
            return "user.broadcasting"
        self._give_up_seat(user)
        self.places.pop(user, None)
        return "done"

    def poll(self, user: str, room: str) -> str:
        """Ask for the room that one watches."""
        kind, there = self.places.get(user, ("", ""))
        if there == room and kind == "lapsed":
            self._lease(user, self.rules.audience_lease_s)
            self.places[user], self.came[user] = ("watching", room), self.now
        elif there == room:
            self.heard[user] = self.now
        return "done"

    def call(self, user: str) -> str:
        """Make some authorised call."""
        if self.own_room(user):
            self.heard[user] = self.now
        return "done"

    # Fighting.

    def start(self, user: str, target: str) -> str:
        """Offer a PK."""
        if target not in self.rooms:
            return "room.not_found"
        if self.rooms[target]["kind"] != "pk":
            return "room.type_unfit"
        if self.pk_of(target):
            return "pk.room_busy"
        own = self.own_room(user)
        if not own or own == target:
            return "parameter.invalid"
        if self.rooms[own]["kind"] != "pk" or self.pk_of(own):
            return "pk.room_busy"
        until = self.now + self.rules.pk_offer_timeout_s
        self.pks.append({"state": "offered", "proposer": own, "target": target, "until": until})
        self.outcomes["offered"] += 1
        self.told.append((self.rooms[target]["host"], "on-pk-offer"))
        return "done"

    def answer(self, user: str, proposer: str, *, accept: bool) -> str:
        """Answer an offer."""
        pk = self.pk_of(self.own_room(user))
        if pk is None or pk["state"] != "offered" or pk["target"] != self.own_room(user):
            return "pk.not_in_pk"
        if pk["proposer"] != proposer:
            return "pk.not_in_pk" if proposer in self.rooms else "room.not_found"
        self.told.append((self.rooms[proposer]["host"], "on-pk-answer"))
        if accept:
            pk["state"] = "live"
            self.outcomes["live"] += 1
        else:
            self._over(pk, "rejected")
        return "done"

    def end(self, user: str, room: str) -> str:
        """End a PK."""
        own = self.own_room(user)
        pk = self.pk_of(own)
        if pk is None or pk["state"] != "live":
            return "pk.not_in_pk"
        if room not in (pk["proposer"], pk["target"]):
            return "pk.not_yours"
        other = str(pk["target"] if own == pk["proposer"] else pk["proposer"])
        self.told.append((self.rooms[other]["host"], "on-pk-end"))
        self._over(pk, "ended")
        return "done"

    def time_out(self, proposer: str, target: str) -> None:
        """Let an offer end by the clock."""
        pk = self.pk_of(proposer)
        assert pk is not None
        assert pk["target"] == target
        self.told += [(self.rooms[room]["host"], "on-pk-timeout") for room in (target, proposer)]
        self._over(pk, "timed_out")

    def _over(self, pk: dict[str, object], outcome: str) -> None:
        self.pks.remove(pk)
        self.outcomes[outcome] += 1

    # Sitting.

    def announce(self, user: str) -> str:
        """Say that one's app shows all about seats."""
        if user in self.until:
            self.able.add(user)
        return "done"

    def ask(self, user: str, room: str, number: int) -> str:
        """Ask for a seat."""
        refusal = self._voice_room(room) or self._there(user, room)
        if refusal:
            return refusal
        if self.places[user][0] != "watching":
            return "seat.already_joined"
        if not 0 <= number < 8:
            return "seat.invalid"
        if number in self.locks[room] or number in self.holders(room):
            return "seat.taken"
        self._open(user, "asking", room, number)
        self.told.append((self.rooms[room]["host"], "on-join-request"))
        self.seat_outcomes["asked"] += 1
        return "done"

    def answer_seat(self, host: str, room: str, user: str, *, accept: bool) -> str:
        """Answer a request for a seat."""
        refusal = self._voice_room(room) or self._host(host, room) or self._there(user, room)
        if refusal:
            return refusal
        if self._open_kind(user) != "asking":
            return "seat.not_joined"
        self.told.append((user, "on-join-answer"))
        if accept:
            self._sit_down(user, "accepted")
        else:
            self._stand_up(user, "rejected")
        return "done"

    def end_seat(self, user: str, room: str) -> str:
        """Leave a seat, or withdraw a request."""
        kind, there = self.places.get(user, ("", ""))
        if kind not in ("seated", "asking"):
            return "seat.not_joined"
        if there != room:
            return "user.not_in_room"
        if kind == "seated":
            self._tell_room(user, "on-join-end")
            self._stand_up(user, "left")
            return "done"
        if self._open_kind(user) != "asking":
            return "seat.not_joined"
        self.told.append((self.rooms[room]["host"], "on-join-timeout"))
        self._stand_up(user, "withdrawn")
        return "done"

    def invite(self, host: str, room: str, user: str, number: int) -> str:
        """Invite somebody to a seat."""
        refusal = self._directs(host, room) or self._shows(user, room)
        if refusal:
            return refusal
        if self.places[user][0] != "watching":
            return "seat.already_joined"
        if not 0 <= number < 8:
            return "seat.invalid"
        if number in self.holders(room):
            return "seat.taken"
        self._open(user, "invited", room, number)
        self.told.append((user, "on-join-invite"))
        self.seat_outcomes["invited"] += 1
        return "done"

    def answer_invite(self, user: str, room: str, *, accept: bool) -> str:
        """Answer an invitation."""
        refusal = self._voice_room(room) or self._there(user, room)
        if refusal:
            return refusal
        if self._open_kind(user) != "invited":
            return "seat.not_joined"
        self.told.append((self.rooms[room]["host"], "on-invite-answer"))
        if accept:
            self._sit_down(user, "taken_up")
        else:
            self._stand_up(user, "declined")
        return "done"

    def move(self, host: str, room: str, user: str, number: int) -> str:
        """Move somebody to another seat."""
        refusal = self._directs(host, room) or self._shows(user, room)
        if refusal:
            return refusal
        if self.places[user][0] != "seated":
            return "seat.not_joined"
        if not 0 <= number < 8:
            return "seat.invalid"
        if self.seats[user].number == number:
            return "done"
        if number in self.holders(room):
            return "seat.taken"
        self.seats[user].number = number
        for other in (*self.audience(room), host):
            news = ["on-seat-move"] if other in self.able else ["on-join-end", "on-audience-join"]
            self.told += [(other, each) for each in news]
        return "done"

    def mute(self, host: str, room: str, user: str, *, muted: bool) -> str:
        """Mute somebody, or not."""
        refusal = self._directs(host, room) or self._shows(user, room)
        if refusal:
            return refusal
        if self.places[user][0] != "seated":
            return "seat.not_joined"
        if self.seats[user].muted is not muted:
            self.seats[user].muted = muted
            self._tell_able(room, "on-seat-mute")
        return "done"

    def lock(self, host: str, room: str, number: int, *, locked: bool) -> str:
        """Lock a seat, or not."""
        refusal = self._directs(host, room)
        if refusal:
            return refusal
        if not 0 <= number < 8:
            return "seat.invalid"
        if (number in self.locks[room]) is not locked:
            self.locks[room] ^= {number}
            self._tell_able(room, "on-seat-lock")
        return "done"

    def empty(self, host: str, room: str, number: int) -> str:
        """Take the seat from whoever sits there."""
        refusal = self._directs(host, room)
        if refusal:
            return refusal
        if not 0 <= number < 8:
            return "seat.invalid"
        user = self.holders(room).get(number)
        if user is None or self.places[user][0] != "seated":
            return "seat.not_joined"
        self.told.append((user, "on-join-end"))
        self._tell_room(user, "on-join-end")
        self._stand_up(user, "emptied")
        return "done"

    def end_in_time(self, user: str) -> bool:
        """Let a request or an invitation end by the clock; tell whether there was one that was due."""
        kind, room = self.places.get(user, ("", ""))
        if kind not in ("asking", "invited") or self.now < self.seats[user].until:
            return False
        asked = kind == "asking"
        news = "on-join-timeout" if asked else "on-invite-timeout"
        self.told += [(user, news), (self.rooms[room]["host"], news)]
        self._stand_up(user, "timed_out" if asked else "lapsed")
        return True

    def _voice_room(self, room: str) -> str:
        if room not in self.rooms:
            return "room.not_found"
        return "" if self.rooms[room]["kind"] == "voice" else "room.type_unfit"

    def _host(self, host: str, room: str) -> str:
        return "" if self.rooms[room]["host"] == host else "room.not_yours"

    def _there(self, user: str, room: str) -> str:
        kind, there = self.places.get(user, ("", ""))
        return "" if there == room and kind != "lapsed" else "user.not_in_room"

    def _directs(self, host: str, room: str) -> str:
        refusal = self._voice_room(room) or self._host(host, room)
        return refusal or ("" if host in self.able else "user.app_unfit")

    def _shows(self, user: str, room: str) -> str:
        return self._there(user, room) or ("" if user in self.able else "user.app_unfit")

    def _open_kind(self, user: str) -> str:
        """Return "asking" or "invited" as long as it can be answered."""
        kind, _ = self.places[user]
        return kind if kind in ("asking", "invited") and self.now < self.seats[user].until else ""

    def _open(self, user: str, kind: str, room: str, number: int) -> None:
        self.places[user] = (kind, room)
        self.seats[user] = Seat(number, self.now + self.rules.join_request_timeout_s)

    def _sit_down(self, user: str, outcome: str) -> None:
        self._tell_room(user, "on-audience-join")
        self.places[user] = ("seated", self.places[user][1])
        self.seat_outcomes[outcome] += 1

    def _stand_up(self, user: str, outcome: str) -> None:
        del self.seats[user]
        self.places[user] = ("watching", self.places[user][1])
        self.seat_outcomes[outcome] += 1

    def _give_up_seat(self, user: str) -> None:
        """Tell what is to be told of somebody's seat who goes away."""
        kind, room = self.places.get(user, ("", ""))
        if kind == "seated":
            self._tell_room(user, "on-join-end")
            self._stand_up(user, "left")
        elif kind in ("asking", "invited"):
            asked = kind == "asking"
            self.told.append((self.rooms[room]["host"], "on-join-timeout" if asked else "on-invite-timeout"))
            self._stand_up(user, "withdrawn" if asked else "declined")

    def _tell_room(self, user: str, news: str) -> None:
        """Tell the host and the rest of the audience something about somebody's seat."""
        room = self.places[user][1]
        others = [other for other in self.audience(room) if other != user]
        self.told += [(other, news) for other in (*others, self.rooms[room]["host"])]

    def _tell_able(self, room: str, news: str) -> None:
        people = (*self.audience(room), self.rooms[room]["host"])
        self.told += [(other, news) for other in people if other in self.able]

    # Being there.

    def _lease(self, user: str, seconds: float) -> None:
        until = self.until.get(user, 0.0)
        if user in self.over_im:
            seconds = min(seconds, self.rules.im_pong_timeout_s)
        if until is not None:
            self.connection[user] = ""
            self.until[user] = max(until, self.now + seconds)

    def connect(self, user: str, connection: str) -> str:
        """Open a connection."""
        if user not in self.logged_in:
            return "session.bad_token"
        self.connection[user], self.until[user] = connection, None
        return "done"

    def drop(self, user: str, connection: str) -> str:
        """Lose a connection."""
        if self.connection.get(user) == connection and self.until[user] is None:
            self.until[user] = self.now + self.rules.grace_s
        return "done"

    def disconnect(self, user: str, connection: str) -> str:
        """Leave by one's own word."""
        if user in self.until and self.connection[user] == connection:
            self._go(user)
        return "done"

    def hear_over_im(self, user: str, at: float) -> bool:
        """Hear something that a user sent over IM; tell whether he is there."""
        at = min(at, self.now)
        if at + self.rules.im_pong_timeout_s <= self.now:
            return user in self.until
        if user in self.over_im:
            known = self.over_im[user]
            if at > known.heard:
                self.over_im[user] = OverIm(at, self.now)
            return True
        if user not in self.logged_in:
            return False
        self.over_im[user] = OverIm(at, self.now)
        if user not in self.until or (self.until[user] is not None and self.connection[user] == ""):
            self.connection[user] = ""
            self.until[user] = at + self.rules.im_pong_timeout_s
        return True

    def leave_by_im(self, user: str, sent_at: float) -> bool:
        """Leave by one's own word over IM, unless that was said before one came to where one is."""
        if user in self.places and sent_at < self.came[user]:
            return False
        self._go(user)
        return True

    def to_ping(self) -> list[str]:
        """Return who is asked whether he is there."""
        spoken_up = self.now - self.rules.im_ping_interval_s / 2
        return sorted(user for user, known in self.over_im.items() if known.heard <= spoken_up)

    def pinged(self, users: list[str], since: float) -> None:
        """Know that pings to these users, sent since then, have arrived."""
        for user in users:
            known = self.over_im.get(user)
            if known is not None and known.asked is None and known.came <= since:
                known.asked = self.now

    def logout(self, user: str) -> str:
        """End the session and everything else; a token that is no good any more ends nothing."""
        if user in self.logged_in:
            self.logged_in.discard(user)
            self._go(user)
        return "done"

    def _go(self, user: str) -> None:
        self._absent(user)
        if self.own_room(user):
            self._close(self.own_room(user))
        self._give_up_seat(user)
        self.places.pop(user, None)

    def _absent(self, user: str) -> None:
        self.connection.pop(user, None)
        self.until.pop(user, None)
        self.heard.pop(user, None)
        self.over_im.pop(user, None)
        self.able.discard(user)

    def look_at(self, user: str) -> bool:
        """Look whether the user is still expected, as his deadline came; tell whether he was given up."""
        until = self.until.get(user)
        if until is None:
            return False
        kind, _ = self.places.get(user, ("", ""))
        leased = self.connection[user] == ""
        rules = self.rules
        known = self.over_im.get(user)
        if user in self.heard and kind == "hosting":
            unconnected = rules.im_pong_timeout_s if known else rules.host_lease_s
            until = max(until, self.heard[user] + (unconnected if leased else rules.grace_s))
        elif user in self.heard and kind and leased:
            until = max(until, self.heard[user] + rules.audience_lease_s)
        if known is not None:
            asked = self.now if known.asked is None else known.asked
            answer_s = rules.im_pong_timeout_s - rules.im_ping_interval_s
            until = max(until, known.heard + rules.im_pong_timeout_s, asked + answer_s)
        self.until[user] = until
        if until > self.now:
            return False
        if leased and kind in ("watching", "lapsed"):
            self._absent(user)
            self.places[user] = ("lapsed", self.places[user][1])
        else:
            self._go(user)
        return True

    def restart(self) -> None:
        """Lose all connections and all signs of life, as a crash of the process does; whoever gave some may do so again."""
        self.heard.clear()
        self.over_im = {user: OverIm(self.now, self.now) for user in self.over_im}
        for user, until in self.until.items():
            if until is None or self.connection[user] == "":
                self.until[user] = max(until or 0.0, self.now + self.rules.grace_s)
