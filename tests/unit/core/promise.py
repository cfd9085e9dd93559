"""What the protocol promises, in plain dictionaries: no stores, no revisions, one thing after the other.

The machine of test_machine.py plays the same history to this and to the core and compares. Every command
returns "done" or the code of its refusal, and notes in ``told`` whom it tells what.
"""

from collections import defaultdict

from attrs import define

from qlive_core.rules import Rules


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
        self.opened: dict[str, float] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.pks: list[dict[str, object]] = []
        self.connection: dict[str, str] = {}
        self.until: dict[str, float | None] = {}
        self.heard: dict[str, float] = {}
        self.over_im: dict[str, OverIm] = {}
        self.told: list[tuple[str, str]] = []
        self.outcomes: dict[str, int] = defaultdict(int)

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
            return "watching" if kind == "watching" else "idle"
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
        if kind not in ("hosting", "watching"):
            return ""
        pk = self.pk_of(room) if kind == "hosting" else None
        return str(pk["target"]) if pk and pk["state"] == "live" else room

    def audience(self, room: str) -> list[str]:
        """Return who watches."""
        return sorted(user for user, place in self.places.items() if place == ("watching", room))

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
        if self.places.get(user, ("", ""))[0] == "watching":
            return "user.watching"
        self._lease(user, self.rules.host_lease_s)
        self.rooms[room] = {"name": name, "kind": kind, "host": user}
        self.opened[room] = self.now
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
        self.told += [(viewer, "on-room-close") for viewer in self.audience(room)]
        self.places = {user: place for user, place in self.places.items() if place[1] != room}
        del self.rooms[room]

    # Watching.

    def enter(self, user: str, room: str) -> str:
        """Watch a room."""
        if room not in self.rooms:
            return "room.not_found"
        if self.own_room(user):
            return "user.broadcasting"
        self._lease(user, self.rules.audience_lease_s)
        self.places[user] = ("watching", room)
        return "done"

    def leave(self, user: str) -> str:
        """Watch no more."""
        if self.own_room(user):
            return "user.broadcasting"
        self.places.pop(user, None)
        return "done"

    def poll(self, user: str, room: str) -> str:
        """Ask for the room that one watches."""
        kind, there = self.places.get(user, ("", ""))
        if there == room and kind == "lapsed":
            self._lease(user, self.rules.audience_lease_s)
            self.places[user] = ("watching", room)
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
        """Leave by one's own word over IM, unless that was said before one's room was opened."""
        own = self.own_room(user)
        if own and sent_at < self.opened[own]:
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
        """End the session and everything else."""
        self.logged_in.discard(user)
        self._go(user)
        return "done"

    def _go(self, user: str) -> None:
        self._absent(user)
        if self.own_room(user):
            self._close(self.own_room(user))
        self.places.pop(user, None)

    def _absent(self, user: str) -> None:
        self.connection.pop(user, None)
        self.until.pop(user, None)
        self.heard.pop(user, None)
        self.over_im.pop(user, None)

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
        """Lose all connections and all signs of life, as a crash of the process does."""
        self.heard.clear()
        self.over_im = {user: OverIm(self.now, self.now) for user in self.over_im}
        for user, until in self.until.items():
            if until is None:
                self.until[user] = self.now + self.rules.grace_s
