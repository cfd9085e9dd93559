"""``qlive migrate``: the command."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBars

from qlive_app.command_line import EXIT_CONFIGURATION, configuration_file, give_up, in_use, load_or_exit
from qlive_app.config import Mongo


@click.command()
@configuration_file
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
def migrate(path: Path, *, dry_run: bool) -> None:
    """Take over the MongoDB database of the original server.

    Keeps all accounts and the numbering of feedback. Rooms, active users and codes, which cannot be trusted
    once the original has stopped, are moved to a backup collection; so is whatever is changed, as it was.

    The server does the same by itself when it starts. Stop the original first. An interrupted migration goes
    on when it is started again. A database that a running qlive server uses is refused.

    Exits with 2 if the configuration is wrong or names no MongoDB, and with 3 if the database cannot be used.
    """
    # Imported late, so that --help answers at once.
    from qlive_adapters.claims import InUse  # noqa: PLC0415
    from qlive_adapters.mongo.database import CannotOpen  # noqa: PLC0415
    from qlive_core.errors import StoreUnavailable  # noqa: PLC0415

    mongo = _mongo(path)
    console = Console()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_migrate(mongo, console, dry_run=dry_run))
    except InUse as error:
        give_up(in_use(path, "mongo.database", error))
    except CannotOpen as error:
        give_up(str(error))
    except StoreUnavailable as error:
        give_up(f"interrupted: {error}; run it again, and it goes on")


def _mongo(path: Path) -> Mongo:
    loaded = load_or_exit(path)
    if loaded.settings.store.provider != "mongo":
        give_up(f"{path}: the store is not MongoDB; name its mongo.uri", EXIT_CONFIGURATION)
    return loaded.settings.mongo


async def _migrate(mongo: Mongo, console: Console, *, dry_run: bool) -> None:
    from qlive_adapters.mongo import legacy  # noqa: PLC0415
    from qlive_adapters.mongo.database import lease_of  # noqa: PLC0415
    from qlive_app.migrate.report import rendered  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars = ProgressBars(*columns, console=console, transient=True, disable=not console.is_terminal)
    tasks: dict[str, TaskID] = {}

    def tell(event: legacy.Progress | legacy.Notice) -> None:
        if isinstance(event, legacy.Notice):
            console.print(event.text, markup=False, highlight=False, soft_wrap=True)
            return
        if event.step not in tasks:
            tasks[event.step] = bars.add_task(event.step)
        bars.update(tasks[event.step], completed=event.done, total=event.total)

    async with legacy.connected(mongo.uri, mongo.database) as database, AsyncExitStack() as stack:
        if not dry_run:
            lease = lease_of(database, mongo.timeout_s, lambda text: tell(legacy.Notice(text)))
            await lease.acquire()
            stack.push_async_callback(lease.release)
        with bars:
            report = await legacy.migrate(database, dry_run=dry_run, tell=tell)
    console.print(rendered(report, mongo.database))
