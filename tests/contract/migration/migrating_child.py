"""Migrates a database, and says each step of progress on a line, until it is killed."""

import asyncio
import sys

from qlive_adapters.mongo.legacy import Notice, Progress, connected, migrate


def _say(event: Progress | Notice) -> None:
    sys.stdout.write(f"{event}\n")
    sys.stdout.flush()


async def _main(uri: str, name: str) -> None:
    async with connected(uri, name) as database:
        await migrate(database, dry_run=False, tell=_say)


asyncio.run(_main(*sys.argv[1:]))
