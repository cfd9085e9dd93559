"""The configured store."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from qlive_adapters.claims import WAIT_S
from qlive_adapters.mirror.wrapped import Stores
from qlive_adapters.sqlite.store import SqliteStores
from qlive_app.config import Settings
from qlive_app.runtime.metrics import Metrics


class StoreOfRecord(Stores, Protocol):
    """The stores that keep everything, and their life."""

    async def ping(self) -> None:
        """Return if they can be used now. Raises StoreUnavailable."""
        ...

    async def taken(self) -> None:
        """Return once another process has taken them over; nothing can be written any more."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go."""
        ...


def stores_of(settings: Settings, metrics: Metrics) -> tuple[StoreOfRecord, Callable[[], Awaitable[None]]]:
    """Return the configured store and what has to be awaited before it is used.

    Raises StoreUnavailable with a text for the operator if it cannot be had; InUse if another process has it.
    """
    log = structlog.get_logger("qlive.store")
    if settings.store.provider == "sqlite":
        sqlite = SqliteStores(
            settings.store.path, on_commit=metrics.observe_commit, wait_s=WAIT_S, tell=log.warning
        )
        return sqlite, _nothing
    # Imported late: the driver takes a third of the time in which a server on the embedded store starts.
    from qlive_adapters.mongo.store import MongoStores  # noqa: PLC0415
    from qlive_app.migrate.at_start import take_over  # noqa: PLC0415

    conf = settings.mongo
    mongo = MongoStores(
        conf.uri,
        conf.database,
        timeout_s=conf.timeout_s,
        on_commit=metrics.observe_commit,
        exclusive=True,
        tell=log.warning,
    )

    async def take_over_and_open() -> None:
        await take_over(conf, mongo.claim)
        await mongo.open()

    return mongo, take_over_and_open


async def _nothing() -> None:
    """Do nothing: the embedded store is open from the start."""
