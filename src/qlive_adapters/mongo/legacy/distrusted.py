"""What cannot be trusted once the original has stopped, and is of no use to qlive: it goes as a whole.

Rooms and statuses are stuck wherever its hosts and audiences were, tokens are of a kind that qlive never
accepts, and codes lie there in plain text.
"""

from qlive_adapters.mongo.legacy.backup import BATCH, Hand
from qlive_adapters.mongo.legacy.connection import LegacyDatabase
from qlive_adapters.mongo.legacy.report import Progress, Tally, Tell

DISTRUSTED = {"rooms": "rooms", "active_users": "active users", "sms_code": "SMS codes"}
"""What the original's collections hold, by name. Those that qlive writes have other names."""


async def distrusted_reasons(database: LegacyDatabase) -> tuple[str, ...]:
    """Return which of it there is."""
    found = [
        what for name, what in DISTRUSTED.items() if await database[name].find_one({}, {"_id": 1}) is not None
    ]
    return tuple(f"{what} that the original left" for what in found)


async def move_distrusted(database: LegacyDatabase, hand: Hand, tell: Tell) -> tuple[Tally, ...]:
    """Empty the collections into the backup."""
    return tuple([await _moved(database, name, hand, tell) for name in DISTRUSTED])


async def _moved(database: LegacyDatabase, name: str, hand: Hand, tell: Tell) -> Tally:
    what = DISTRUSTED[name]
    total, done = await database[name].estimated_document_count(), 0
    async with database[name].find({}, {"_id": 1}, batch_size=BATCH) as cursor:
        while rows := await cursor.to_list(BATCH):
            await hand.move(name, [row["_id"] for row in rows], "distrusted")
            done += len(rows)
            tell(Progress(what, done, max(done, total)))
    return Tally(what, done, "moved to the backup")
