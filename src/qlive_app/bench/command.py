"""``qlive bench``: measure, and say how the figures stand to what the machine could do."""

import asyncio
import json
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qlive_app.bench.errors import MeasurementError
from qlive_app.bench.mongod import MongoChoice
from qlive_app.bench.plan import MAX_PAIRS, PARTS, Outcome, Settings
from qlive_app.bench.record import as_json
from qlive_app.bench.report import tables
from qlive_app.bench.rounds import measure
from qlive_app.bench.stores import CHOICES, MONGO, SQLITE

_QUICK = {"seconds": 1.0, "rounds": 1, "connections": 300}


def _pairs(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        pairs = tuple(dict.fromkeys(int(each) for each in value.split(",")))
    except ValueError as exc:
        raise click.BadParameter("numbers with commas between them, such as 1,10,50") from exc
    if not all(1 <= each <= MAX_PAIRS for each in pairs):
        raise click.BadParameter(f"from 1 to {MAX_PAIRS} pairs: the bench has {2 * MAX_PAIRS} hosts")
    return pairs


@click.command()
@click.option("--quick", is_flag=True, help="A glance in half a minute: 1 round of 1 s, 300 connections.")
@click.option(
    "--only",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    help="Measure only this, with the yardstick that it is held against. May be given several times.",
)
@click.option(
    "--store",
    type=click.Choice(list(CHOICES)),
    default=SQLITE,
    show_default=True,
    help="What qlive keeps its facts in; both take turns with both.",
)
@click.option(
    "--mongod",
    "binary",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, executable=True),
    help="Start this mongod.  [default: the one on PATH, or that of the tests]",
)
@click.option(
    "--mongo-uri", "uri", default="", help="Use this server instead, in databases that are dropped."
)
@click.option(
    "--pairs", callback=_pairs, default="1,10,50", show_default=True, help="Pairs that fight at once."
)
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="Length of a slice.  [default: 3]")
@click.option("--rounds", type=click.IntRange(1, 100), help="Slices of each measure.  [default: 3]")
@click.option("--connections", type=click.IntRange(1, 50000), help="Idle connections.  [default: 2000]")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all figures here."
)
def bench(
    *,
    quick: bool,
    parts: tuple[str, ...],
    store: str,
    binary: Path | None,
    uri: str,
    pairs: tuple[int, ...],
    seconds: float | None,
    rounds: int | None,
    connections: int | None,
    json_file: Path | None,
) -> None:
    """Measure qlive on this machine, beside the bare server stack that it runs on.

    Starts its own servers on free ports, with a store on disk, and needs a quiet machine with two cores: one is
    for the server, the other makes the load.

    \b
    W       WebSocket echo through a bare Litestar endpoint
    H       a bare Litestar JSON route
    M       guarded, durable updates through the bare MongoDB driver
    pk      start, offer, answer, end; for 1, 10 and 50 pairs at once
    list    GET /v1/rooms with 100 rooms
    room    GET /v1/rooms/{id}
    memory  what an idle authorised connection costs

    Results are shares of W, H and M from the same run, so that they mean the same on a slow machine. An aim that is
    missed gets a red mark, not an exit code: on a busy machine it says little.

    \b
    qlive bench --quick                 a glance
    qlive bench --only pk --pairs 50    one thing
    qlive bench --store both            SQLite and MongoDB side by side
    qlive bench --json before.json      to compare with later
    """  # noqa: D301 -- click reads the \b as "leave these lines as they are"
    choice = _mongo_choice(store, uri, binary)
    chosen = _QUICK if quick else {"seconds": 3.0, "rounds": 3, "connections": 2000}
    settings = Settings(
        parts=frozenset(parts or PARTS),
        pairs=pairs,
        seconds=seconds or chosen["seconds"],
        rounds=rounds or int(chosen["rounds"]),
        connections=connections or int(chosen["connections"]),
        stores=CHOICES[store],
    )
    console = Console()
    try:
        outcome = _measure_with_progress(settings, choice, console)
    except MeasurementError as exc:
        raise click.ClickException("\n".join([str(exc), *exc.__notes__])) from exc
    console.print(tables(outcome))
    if json_file:
        json_file.write_text(json.dumps(as_json(outcome, settings), indent=2) + "\n")


def _mongo_choice(store: str, uri: str, binary: Path | None) -> MongoChoice:
    if (uri or binary) and MONGO not in CHOICES[store]:
        raise click.UsageError("--mongod and --mongo-uri go with --store mongo or both")
    if uri and binary:
        raise click.UsageError("--mongod starts a server and --mongo-uri names one: give one of them")
    return MongoChoice(uri, binary)


def _measure_with_progress(settings: Settings, choice: MongoChoice, console: Console) -> Outcome:
    """Drawn only between the slices: the load generator shares this process and must not be held up."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, auto_refresh=False, transient=True) as progress:
        task = progress.add_task("", total=settings.steps)

        def tell(what: str) -> None:
            progress.update(task, description=what, refresh=True)
            progress.advance(task)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(measure(settings, choice, tell))
