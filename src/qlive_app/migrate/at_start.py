"""What the original left behind is taken over when the server starts."""

from collections.abc import Awaitable, Callable

import structlog

from qlive_adapters.mongo.legacy import Notice, Progress, connected, migrate
from qlive_app.config import Mongo


async def take_over(conf: Mongo, claim: Callable[[], Awaitable[None]]) -> None:
    """Migrate the database if the original wrote it, and log what was done.

    ``claim`` makes this process the only one that uses it; until then it is not touched. Raises StoreUnavailable with a text for the operator.
    """
    log = structlog.get_logger("qlive.migrate")

    def tell(news: Progress | Notice) -> None:
        if isinstance(news, Notice):
            log.warning(news.text)

    async with connected(conf.uri, conf.database) as database:
        await claim()
        report = await migrate(database, dry_run=False, tell=tell)
    for tally in report.tallies:
        log.info("taken over from the original", what=tally.what, count=tally.count, done=tally.done)
