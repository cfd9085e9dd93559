"""What the original leaves, and what has become of it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo.database import Database

from qlive_adapters.mongo.legacy import LegacyDatabase, Notice, Progress, Report, migrate

NAME = "taken_over"
META = {"qlive_migration", "qlive_migration_backup"}
COLLECTIONS = ("accounts", "active_users", "rooms", "sms_code", "feedbacks", "_counter")
T0 = datetime(2024, 1, 1, tzinfo=UTC)

Row = dict[str, Any]
Dump = dict[str, list[Row]]

_SAMPLE = Path(__file__).parents[1] / "stores" / "legacy"


def an_account(user_id: str, phone: str, *, age: int = 0, **more: Any) -> Row:
    """Return an account as the original writes it, registered ``age`` days before others."""
    at = T0 - timedelta(days=age)
    profile = {"nickname": f"name of {user_id}", "gender": "", "avatarURL": "1.jpg"}
    times = {"registerIP": "", "registerTime": at, "lastLoginIP": "", "lastLoginTime": at}
    return {"_id": user_id, "phoneNumber": phone, "password": "", **profile, **times, **more}


def fill_with_sample(left: Database[Any]) -> None:
    """Write what the running original once wrote, until it was killed."""
    for name in COLLECTIONS:
        lines = (_SAMPLE / f"{name}.jsonl").read_text().splitlines()
        left[name].insert_many([json_util.loads(line) for line in lines])


def fill_with_everything(left: Database[Any]) -> None:
    """Write the sample and one of each thing that can be wrong with accounts and numbers."""
    fill_with_sample(left)
    left.accounts.insert_many(
        [
            an_account("younger", "13800003000"),
            an_account("oldest", "13700000000", age=9),
            an_account("middle", "13700000000", age=8, rev=4),
            an_account("phoneless", "", age=1),
            an_account("odd", "13700000001", nickname=None, gender=3, vip={"level": 3}),
        ]
    )
    left.feedbacks.insert_one({"_id": "12", "sender": "odd", "content": "late", "attachment": ""})


def fill_with_many(left: Database[Any], number: int) -> None:
    """Write that many accounts, of which every tenth has the phone of the one before."""
    rows = [an_account(f"user{n:06}", f"138{n - (n % 10 == 9):08}", age=-n) for n in range(number)]
    left.accounts.insert_many(rows, ordered=False)
    left.active_users.insert_many([{"_id": row["_id"], "status": "watching"} for row in rows], ordered=False)


def dump(left: Database[Any], *, without: Iterable[str] = ()) -> Dump:
    """Return all documents, by collection; collections that are empty are as good as none."""
    names = sorted(set(left.list_collection_names()) - set(without))
    rows = {name: list(left[name].find().sort("_id")) for name in names}
    return {name: some for name, some in rows.items() if some}


def originals(left: Database[Any]) -> Dump:
    """Return what the collections held before, told from what is there and from the copies in the backup."""
    restored = {
        name: {str(row["_id"]): row for row in rows} for name, rows in dump(left, without=META).items()
    }
    for copy in left.qlive_migration_backup.find():
        restored.setdefault(copy["collection"], {})[str(copy["document"]["_id"])] = copy["document"]
    return {name: sorted(rows.values(), key=lambda row: str(row["_id"])) for name, rows in restored.items()}


def by_text(state: Dump) -> Dump:
    return {name: sorted(rows, key=lambda row: str(row["_id"])) for name, rows in state.items()}


def copies(left: Database[Any]) -> list[Row]:
    """Return the backup without the times, which differ from run to run."""
    return list(left.qlive_migration_backup.find({}, {"copied_at": 0}).sort("_id"))


class Told:
    """Remembers what a migration told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.steps: list[Progress] = []

    def __call__(self, event: Progress | Notice) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.text)
        else:
            self.steps.append(event)


async def migrated(database: LegacyDatabase) -> Report:
    return await migrate(database, dry_run=False, tell=Told())


def counts(report: Report) -> dict[str, int]:
    return {tally.what: tally.count for tally in report.tallies if tally.count}
