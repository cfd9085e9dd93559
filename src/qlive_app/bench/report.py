"""The tables that end a run."""

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table

from qlive_app.bench.aims import Result, results
from qlive_app.bench.children import cores
from qlive_app.bench.figures import Figures, typical
from qlive_app.bench.memory import Memory
from qlive_app.bench.pk_load import STEPS
from qlive_app.bench.plan import Outcome

_LOAD_IS_THE_LIMIT = 0.9
_TITLES = {
    "W": "W: echo",
    "H": "H: JSON route",
    "list": "list of 100 rooms",
    "room": "one room",
}


def tables(outcome: Outcome) -> RenderableType:
    """What a person wants to see at the end."""
    typicals = {name: typical(rounds) for name, rounds in outcome.rounds.items()}
    pk = {name: each for name, each in typicals.items() if name.startswith("pk-")}
    parts: list[RenderableType] = [_overview(typicals, results(outcome), outcome.memory)]
    if pk:
        parts.append(_pk_steps(pk))
    return Group(*parts, *_remarks(typicals, outcome.memory))


def _remarks(typicals: Mapping[str, Figures], memory: Memory | None) -> list[str]:
    """What a reader of the tables has to know of this run."""
    remarks = []
    if memory:
        remarks.append(
            f"{memory.connections} idle connections; each login before it took {memory.login_kib:.1f} KiB"
        )
    if cores() is None:
        remarks.append("[yellow]One core for server and load: rates are low, ratios are rough.[/]")
    held_up = [_title(name) for name, figures in typicals.items() if figures.load_busy > _LOAD_IS_THE_LIMIT]
    if held_up:
        remarks.append(f"[yellow]The load generator was the limit of: {', '.join(held_up)}.[/]")
    return remarks


def _overview(typicals: Mapping[str, Figures], found: Mapping[str, Result], memory: Memory | None) -> Table:
    table = Table(
        title="Medians over the rounds",
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("measure", no_wrap=True)
    for heading in ("per second", "p50 ms", "p99 ms", "CPU µs", "result", "aim"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figures in typicals.items():
        whole = next(iter(figures.steps.values()))
        table.add_row(
            _title(name),
            f"{figures.rate:,.0f}",
            f"{whole.p50_ms:.2f}",
            f"{whole.p99_ms:.2f}",
            f"{figures.server_us:.0f}",
            *_verdict(name, found),
        )
    if memory:
        table.add_row("idle connection", *[""] * 4, *_verdict("memory", found))
    return table


def _verdict(name: str, found: Mapping[str, Result]) -> tuple[str, str]:
    """What came of an aim, with a mark, and the aim; nothing for a measure without one."""
    if name not in found:
        return "", ""
    result = found[name]
    mark = "[green]✓[/]" if result.met else "[red]✗[/]"
    return f"{result.value:.2f} {result.unit} {mark}", f"{'≤' if result.at_most else '≥'} {result.aim:g}"


def _pk_steps(typicals: Mapping[str, Figures]) -> Table:
    table = Table(
        title="PK steps: p50 / p99 in ms",
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("step")
    for name in typicals:
        table.add_column(_title(name), justify="right", no_wrap=True)
    for step in next(iter(typicals.values())).steps:
        quantiles = [figures.steps[step] for figures in typicals.values()]
        label = f"{STEPS[step]} → {step}" if step in STEPS else f"whole {step}"
        table.add_row(label, *(f"{each.p50_ms:.2f} / {each.p99_ms:.2f}" for each in quantiles))
    return table


def _title(name: str) -> str:
    if name in _TITLES:
        return _TITLES[name]
    pairs = name.removeprefix("pk-")
    return f"PK, {pairs} pair{'s' if pairs != '1' else ''}"
