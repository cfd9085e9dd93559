"""Commits rooms and feedback until it is killed, and says what was acknowledged."""

import asyncio
import itertools
import sys

from qlive_adapters.sqlite.store import SqliteStores
from qlive_core.model.feedback import Feedback
from qlive_core.model.room import Room, RoomType


async def _write(stores: SqliteStores, numbers: "itertools.count[int]") -> None:
    while True:
        n = next(numbers)
        await stores.rooms.add(Room(f"room{n}", f"name{n}", RoomType.PK, f"user{n}", float(n)), limit=0)
        number = await stores.feedback.add(Feedback(f"user{n}", "text", "", float(n)), mail_at=float(n))
        sys.stdout.write(f"{n} {number}\n")
        sys.stdout.flush()


async def _main(path: str) -> None:
    stores, numbers = SqliteStores(path), itertools.count()
    await asyncio.gather(*(_write(stores, numbers) for _ in range(16)))


asyncio.run(_main(sys.argv[1]))
