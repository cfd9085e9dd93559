"""The tables. What must be unique is unique here, so that no code can forget it.

A new version is one more script in ``SCRIPTS``; what is released is never edited. ``PRAGMA user_version`` says
how many of them a file has seen.
"""

_VERSION_1 = """
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    phone TEXT NOT NULL UNIQUE,
    nickname TEXT NOT NULL,
    gender TEXT NOT NULL,
    avatar TEXT NOT NULL,
    registered_at REAL NOT NULL,
    last_login_at REAL NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- sent_at: a JSON list of Unix seconds
CREATE TABLE sms_code (
    phone TEXT PRIMARY KEY,
    salt TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    expires_at REAL NOT NULL,
    attempts_left INTEGER NOT NULL,
    sent_at TEXT NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE send_quota (
    address TEXT PRIMARY KEY,
    sent_at TEXT NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    user_id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    expires_at REAL NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE room (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    creator TEXT NOT NULL UNIQUE,
    created_at REAL NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE place (
    user_id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX place_of_room ON place (room_id);

CREATE TABLE pk (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    proposer_user TEXT NOT NULL,
    proposer_room TEXT NOT NULL,
    target_user TEXT NOT NULL,
    target_room TEXT NOT NULL,
    offer_expires_at REAL NOT NULL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- a room is in at most one live PK, on either side
CREATE TABLE pk_side (
    room_id TEXT PRIMARY KEY,
    pk_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER pk_begins AFTER INSERT ON pk BEGIN
    INSERT INTO pk_side (room_id, pk_id) VALUES (NEW.proposer_room, NEW.id), (NEW.target_room, NEW.id);
END;
CREATE TRIGGER pk_ends AFTER DELETE ON pk BEGIN
    DELETE FROM pk_side WHERE room_id IN (OLD.proposer_room, OLD.target_room);
END;

CREATE TABLE presence (
    user_id TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL,
    node TEXT NOT NULL,
    expires_at REAL,
    rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_deadline ON presence (expires_at);

CREATE TABLE feedback (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    content TEXT NOT NULL,
    attachment TEXT NOT NULL,
    sent_at REAL NOT NULL
) STRICT;
"""

# Of the mail about the feedback; all of them NULL if there is none. mail_due_at: only while it waits.
_MAIL_OF_FEEDBACK = """
ALTER TABLE feedback ADD COLUMN mail_state TEXT;
ALTER TABLE feedback ADD COLUMN mail_due_at REAL;
ALTER TABLE feedback ADD COLUMN mail_tries INTEGER;
ALTER TABLE feedback ADD COLUMN mail_rev INTEGER;
CREATE INDEX feedback_mail_due ON feedback (mail_due_at, number) WHERE mail_due_at IS NOT NULL;
"""

_PRESENCE_OVER_IM = """
ALTER TABLE presence ADD COLUMN im INTEGER NOT NULL DEFAULT 0;
"""

# Seats in voice rooms. A place's first revision is the time, in microseconds, at which it was taken; see
# ``first_revision``. capabilities and locked_seats: JSON lists.
_SEATS = """
ALTER TABLE place ADD COLUMN since REAL NOT NULL DEFAULT 0;
ALTER TABLE place ADD COLUMN seat INTEGER;
ALTER TABLE place ADD COLUMN seat_until REAL;
ALTER TABLE place ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
UPDATE place SET since = rev / 1000000.0;
CREATE UNIQUE INDEX place_seat ON place (room_id, seat) WHERE seat IS NOT NULL;
CREATE INDEX place_deadline ON place (seat_until) WHERE seat_until IS NOT NULL;

ALTER TABLE room ADD COLUMN locked_seats TEXT NOT NULL DEFAULT '[]';

ALTER TABLE presence ADD COLUMN capabilities TEXT NOT NULL DEFAULT '[]';
"""

SCRIPTS = (_VERSION_1, _MAIL_OF_FEEDBACK, _PRESENCE_OVER_IM, _SEATS)
VERSION = len(SCRIPTS)

APPLICATION_ID = 0x716C6976
"""Marks a file as ours ("qliv"), so that another program's database is not mistaken for an old one."""
