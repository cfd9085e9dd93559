"""The tables that end a run."""

from collections.abc import Iterable, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from qlive_app.bench.aims import Result, results
from qlive_app.bench.children import cores
from qlive_app.bench.figures import Figures, typical
from qlive_app.bench.memory import Memory
from qlive_app.bench.pk_load import STEPS
from qlive_app.bench.plan import Name, Outcome

_FULL = 0.9
_TITLES = {
    "W": "W: echo",
    "H": "H: JSON route",
    "M": "M: update",
    "list": "list of 100 rooms",
    "room": "one room",
    "memory": "idle connection",
}


def tables(outcome: Outcome) -> RenderableType:
    """What a person wants to see at the end."""
    typicals = {name: typical(rounds) for name, rounds in outcome.rounds.items()}
    parts: list[RenderableType] = [_overview(outcome, typicals)]
    for store in outcome.stores:
        pk = {
            name: each
            for name, each in typicals.items()
            if name.store == store and name.measure.startswith("pk-")
        }
        if pk:
            parts.append(_pk_steps(store, pk))
    return Group(*parts, *_remarks(typicals, outcome.memory))


def _remarks(typicals: Mapping[Name, Figures], memory: Mapping[str, Memory]) -> list[str]:
    """What a reader of the tables has to know of this run."""
    remarks = [
        f"{each.connections} idle connections on {store}; each login before it took {each.login_kib:.1f} KiB"
        for store, each in memory.items()
    ]
    pinned = cores()
    if pinned is None:
        remarks.append("[yellow]One core for server and load: rates are low, ratios are rough.[/]")
    held_up = [name for name, figures in typicals.items() if figures.load_busy > _FULL]
    if held_up:
        remarks.append(f"[yellow]The load generator was the limit of: {_listed(held_up)}.[/]")
    shared = pinned is None or pinned.load == pinned.store
    crowded = [
        name
        for name, figures in typicals.items()
        if shared and figures.store_busy is not None and figures.load_busy + figures.store_busy > _FULL
    ]
    if crowded:
        remarks.append(f"[yellow]The core of mongod and the load was full during: {_listed(crowded)}.[/]")
    return remarks


def _listed(names: Iterable[Name]) -> str:
    return "; ".join(f"{_title(name.measure)} {name.store}".rstrip() for name in names)


def _overview(outcome: Outcome, typicals: Mapping[Name, Figures]) -> Table:
    found = results(outcome)
    table = Table(
        title="Medians over the rounds",
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("measure", no_wrap=True)
    table.add_column("store", no_wrap=True)
    for heading in ("per s", "p50 ms", "p99 ms", "CPU µs", "result", "aim"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figures in typicals.items():
        whole = next(iter(figures.steps.values()))
        table.add_row(
            _title(name.measure),
            name.store,
            f"{figures.rate:,.0f}",
            f"{whole.p50_ms:.2f}",
            f"{whole.p99_ms:.2f}",
            f"{figures.server_us:.0f}",
            *_verdict(name, found),
        )
    for store in outcome.memory:
        table.add_row(_title("memory"), store, *[""] * 4, *_verdict(Name("memory", store), found))
    return table


def _verdict(name: Name, found: Mapping[Name, Result]) -> tuple[str, str]:
    """What came of an aim, with a mark, and the aim; nothing for a measure without one."""
    if name not in found:
        return "", ""
    result = found[name]
    mark = "[green]✓[/]" if result.met else "[red]✗[/]"
    return f"{result.value:.2f} {result.unit} {mark}", f"{'≤' if result.at_most else '≥'} {result.aim:g}"


def _pk_steps(store: str, typicals: Mapping[Name, Figures]) -> Table:
    table = Table(
        title=f"PK steps on {store}: p50 / p99 in ms",
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("step")
    for name in typicals:
        table.add_column(_title(name.measure), justify="right", no_wrap=True)
    for step in next(iter(typicals.values())).steps:
        quantiles = [figures.steps[step] for figures in typicals.values()]
        label = f"{STEPS[step]} → {step}" if step in STEPS else f"whole {step}"
        table.add_row(label, *(f"{each.p50_ms:.2f} / {each.p99_ms:.2f}" for each in quantiles))
    return table


def _title(measure: str) -> str:
    if measure in _TITLES:
        return _TITLES[measure]
    pairs = measure.removeprefix("pk-")
    return f"PK, {pairs} pair{'s' if pairs != '1' else ''}"
