"""``qlive backup`` and ``qlive restore``: the commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from qlive_adapters.sqlite.backup import back_up
from qlive_adapters.sqlite.backup import restore as put_back
from qlive_adapters.sqlite.opening import MEMORY, CannotOpen, FileInUse
from qlive_app.command_line import EXIT_CONFIGURATION, configuration_file, give_up, in_use, load_or_exit

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@configuration_file
@_FILE
def backup(path: Path, file: Path) -> None:
    """Copy the store into FILE, while the server runs or not.

    For the embedded store; a MongoDB database is backed up with mongodump. FILE holds the state of one moment
    and can be read by its owner only. A backup that is there already is replaced when the new one is complete.

    Exits with 2 if the configuration is wrong or names no embedded store, and with 3 if there is no backup.
    """
    database = _database(path, "mongodump")
    try:
        with _bar(f"backing up {database}") as tell:
            back_up(database, file, tell)
    except CannotOpen as error:
        give_up(str(error))
    click.echo(f"{database} is backed up to {file} ({file.stat().st_size} bytes)")


@click.command()
@configuration_file
@_FILE
def restore(path: Path, file: Path) -> None:
    """Put the backup in FILE in the place of the store. Stop the server first.

    FILE is checked before anything is changed. The old database is kept beside the new one, and its name is told.

    Exits with 2 if the configuration is wrong or names no embedded store, and with 3 if nothing was restored.
    """
    database = _database(path, "mongorestore")
    try:
        with _bar(f"restoring {file}") as tell:
            aside = put_back(database, file, tell)
    except FileInUse as error:
        give_up(in_use(path, "store.path", error))
    except CannotOpen as error:
        give_up(str(error))
    click.echo(f"{database} is restored from {file}")
    if aside is not None:
        click.echo(f"the old database is kept as {aside}")


def _database(path: Path, tool: str) -> Path:
    settings = load_or_exit(path).settings
    if settings.store.provider != "sqlite":
        give_up(
            f"{path}: the store is the MongoDB database {settings.mongo.database}; use {tool} for it",
            EXIT_CONFIGURATION,
        )
    if str(settings.store.path) == MEMORY:
        give_up(f"{path}: store.path: a store in memory cannot be backed up or restored", EXIT_CONFIGURATION)
    return Path(settings.store.path)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is, on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
