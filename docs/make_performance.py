"""Write the figures of a bench run into the docs: `python docs/make_performance.py FILE.json`.

FILE.json is what `qlive bench --store both --json FILE.json` wrote. The tables go between the markers of
docs/performance.md and the picture into docs/performance.svg.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from attrs import frozen

DOCS = Path(__file__).parent
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
STORES = {"sqlite": "SQLite", "mongo": "MongoDB"}
YARDSTICKS = {
    "W": "WebSocket echo, bare endpoint",
    "H": "JSON route, bare",
    "M": "guarded update, bare MongoDB driver",
}
MEASURES = {
    "pk-1": "PK, 1 pair",
    "pk-10": "PK, 10 pairs",
    "pk-50": "PK, 50 pairs",
    "list": "list of 100 rooms",
    "room": "one room",
    "memory": "idle connection",
}
BUSY = 0.9
UNQUIET = 1.3

Figures = Mapping[str, Any]
"""A run as the bench writes it, or a part of it."""


# --- Tables -------------------------------------------------------------------------------------------------------


def tables(run: Figures) -> str:
    """Return the text between the markers."""
    parts = [_origin(run), _results(run), "![Rates of both stores](performance.svg)", _yardsticks(run)]
    parts += [_measures(run), _steps(run), *_remarks(run)]
    return "\n\n".join(parts)


def _origin(run: Figures) -> str:
    machine, versions, settings = run["machine"], run["versions"], run["settings"]
    names = ("python", "litestar", "uvicorn", "uvloop", "sqlite", "mongod", "pymongo", "beanie")
    stack = ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
    return (
        f"Measured on {run['at'][:10]}: {machine['cores']} cores of {machine['cpu']}, kernel {machine['kernel']}, "
        f"stores on {machine['store_filesystem']}; {stack}. "
        f"{settings['rounds']} rounds, slices of {settings['seconds']:g} s; every figure is the median over the rounds."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with its first column to the left and numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _results(run: Figures) -> str:
    stores = run["stores"]
    head = ["result", *(cell for store in stores for cell in (STORES[store], "aim"))]
    rows = [
        [title, *(cell for store in stores.values() for cell in _result(store["results"].get(name)))]
        for name, title in MEASURES.items()
        if any(name in store["results"] for store in stores.values())
    ]
    return _table(head, rows)


def _result(result: Figures | None) -> tuple[str, str]:
    if result is None:
        return "", ""
    mark = "✓" if result["met"] else "✗"
    sign = "≤" if result["at_most"] else "≥"
    return f"{result['value']:.2f} {result['unit']} {mark}", f"{sign} {result['aim']:g}"


def _yardsticks(run: Figures) -> str:
    rows = [
        (f"**{name}**: {YARDSTICKS[name]}", f"{each['typical']['rate']:,.0f}", _spread(each))
        for name, each in run["yardsticks"].items()
    ]
    return _table(("yardstick", "per second", "slowest and fastest round"), rows)


def _spread(measure: Figures) -> str:
    rates = [each["rate"] for each in measure["rounds"]]
    return f"{min(rates):,.0f} to {max(rates):,.0f}"


def _unevenness(measure: Figures) -> float:
    """Return how many times as fast as the slowest round the fastest one was."""
    rates: list[float] = [each["rate"] for each in measure["rounds"]]
    return max(rates) / min(rates)


def _measures(run: Figures) -> str:
    stores = run["stores"]
    kinds = ("per second", "p50 / p99 ms", "CPU µs")
    head = ["measure", *(f"{STORES[store]}: {kind}" for kind in kinds for store in stores)]
    rows = []
    for name in _measured(run):
        typicals = [store["measures"][name]["typical"] for store in stores.values()]
        latencies = [next(iter(each["steps"].values())) for each in typicals]
        cells = [f"{each['rate']:,.0f}" for each in typicals]
        cells += [f"{each['p50_ms']:.1f} / {each['p99_ms']:.1f}" for each in latencies]
        rows.append([MEASURES[name], *cells, *map(_cpu, typicals)])
    return _table(head, rows)


def _measured(run: Figures) -> list[str]:
    """Return what was measured on every store."""
    return [name for name in MEASURES if all(name in store["measures"] for store in run["stores"].values())]


def _cpu(figures: Figures) -> str:
    """Return qlive's processor time per operation and, where there is one, that of the store's server."""
    own, store = figures["server_us"], figures["store_us"]
    return f"{own:.0f}" if store is None else f"{own:.0f} + {store:.0f}"


def _steps(run: Figures) -> str:
    stores = run["stores"]
    busiest = [name for name in _measured(run) if name.startswith("pk-")][-1]
    steps = [store["measures"][busiest]["typical"]["steps"] for store in stores.values()]
    head = [f"{MEASURES[busiest]}: p50 / p99 ms", *(STORES[store] for store in stores)]
    rows = [
        [
            f"`{step}`" if step != "cycle" else "whole cycle",
            *(f"{each[step]['p50_ms']:.1f} / {each[step]['p99_ms']:.1f}" for each in steps),
        ]
        for step in steps[0]
    ]
    return _table(head, rows)


def _remarks(run: Figures) -> Iterator[str]:
    """Tell which figures say more of the machine or of the load generator than of qlive."""
    uneven = [name for name, each in run["yardsticks"].items() if _unevenness(each) > UNQUIET]
    if uneven:
        yield (
            f"The machine did other work meanwhile: {', '.join(uneven)} went up and down between the rounds."
            " Rates and p99 are worse than on a quiet one, and results are rough."
        )
    typicals = [(f"{name} (yardstick)", each["typical"]) for name, each in run["yardsticks"].items()]
    typicals += [
        (f"{MEASURES[name]} on {STORES[store]}", run["stores"][store]["measures"][name]["typical"])
        for store in run["stores"]
        for name in _measured(run)
    ]
    limited = [title for title, each in typicals if each["load_busy"] > BUSY]
    full = [title for title, each in typicals if each["load_busy"] + (each["store_busy"] or 0) > BUSY]
    if limited:
        yield f"The load generator was the limit of: {'; '.join(limited)}."
    if crowded := [title for title in full if title not in limited]:
        yield f"The core that mongod shares with the load generator was full during: {'; '.join(crowded)}."


# --- Picture ------------------------------------------------------------------------------------------------------

FONT = "ui-sans-serif, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
WIDTH, MARGIN, PANEL_GAP = 900, 28, 40
PANEL = (WIDTH - 2 * MARGIN - PANEL_GAP) / 2
TITLES_WIDTH, NUMBER_WIDTH, NUMBER_LENGTH = 124, 58, 44
TOP, BAR, BAR_GAP, ROW_GAP = 134, 22, 5, 22
STYLE = f"""
  text {{ font-family: {FONT}; font-size: 14px; fill: #374151; dominant-baseline: central; }}
  .title {{ font-size: 22px; font-weight: 600; fill: #1f2937; }}
  .subtitle {{ fill: #6b7280; }}
  .panel {{ font-size: 15px; font-weight: 600; fill: #1f2937; }}
  .row {{ text-anchor: end; }}
  .number {{ font-variant-numeric: tabular-nums; stroke: #fcfcfd; stroke-width: 4px; paint-order: stroke; }}
  .axis {{ stroke: #94a3b8; stroke-width: 1.2px; }}
  .aim {{ stroke: #1f2937; stroke-width: 2.4px; stroke-dasharray: 3 2; }}
  .sqlite {{ fill: #4a7fb5; }}
  .mongo {{ fill: #5f9e6e; }}
  .plain {{ fill: #b8c0cc; }}
"""


@frozen
class Bar:
    """One rate. ``kind`` is its colour, ``aim`` the rate that was aimed for."""

    kind: str
    rate: float
    aim: float | None = None


@frozen
class Panel:
    """Rows of bars on one scale."""

    title: str
    rows: Sequence[tuple[str, Sequence[Bar]]]


def panels(run: Figures) -> tuple[Panel, ...]:
    """Return what the picture shows: cycles to the left, requests to the right."""
    measured = _measured(run)
    fights = [(MEASURES[name], _bars(run, name)) for name in measured if name.startswith("pk-")]
    requests = [(MEASURES[name], _bars(run, name)) for name in ("list", "room") if name in measured]
    bare = [("bare route (H)", [Bar("plain", run["yardsticks"]["H"]["typical"]["rate"])])]
    return Panel("PK cycles per second", fights), Panel("Requests per second", [*requests, *bare])


def _bars(run: Figures, name: str) -> list[Bar]:
    bars = []
    for kind, store in run["stores"].items():
        rate = store["measures"][name]["typical"]["rate"]
        result = store["results"].get(name)
        # Where the result would just be met: rate and result are in proportion.
        bars.append(Bar(kind, rate, rate * result["aim"] / result["value"] if result else None))
    return bars


def svg(run: Figures) -> str:
    """Return the picture."""
    shown = panels(run)
    drawn = [list(_panel(panel, MARGIN + at * (PANEL + PANEL_GAP))) for at, panel in enumerate(shown)]
    height = max(_height(panel) for panel in shown) + TOP + 10
    title = " and ".join(STORES[store] for store in run["stores"])
    machine = run["machine"]
    subtitle = f"{machine['cores']} cores of {machine['cpu']}; medians of {run['settings']['rounds']} rounds"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"'
        f' height="{height:g}" role="img" aria-label="Rates of qlive on {escape(title)}">'
    )
    body = [
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height:g}" rx="10" fill="#fcfcfd"/>',
        f'<text class="title" x="{MARGIN}" y="36">qlive on {escape(title)}</text>',
        f'<text class="subtitle" x="{MARGIN}" y="62">{escape(subtitle)}</text>',
        *_legend(run["stores"]),
        *(part for panel in drawn for part in panel),
    ]
    return "\n".join([head, *body, "</svg>", ""])


def _legend(stores: Iterable[str]) -> Iterator[str]:
    x = WIDTH - MARGIN - 270
    for store in stores:
        yield f'<rect class="{store}" x="{x}" y="29" width="14" height="14" rx="3"/>'
        yield f'<text x="{x + 21}" y="36">{STORES[store]}</text>'
        x += 100
    yield f'<path class="aim" d="M{x + 6},26 v20"/><text x="{x + 18}" y="36">aim</text>'


def _row_height(bars: Sequence[Bar]) -> float:
    return len(bars) * (BAR + BAR_GAP) - BAR_GAP + ROW_GAP


def _height(panel: Panel) -> float:
    return sum(_row_height(bars) for _, bars in panel.rows)


def _panel(panel: Panel, left: float) -> Iterator[str]:
    zero = left + TITLES_WIDTH
    most = max(max(bar.rate, bar.aim or 0) for _, bars in panel.rows for bar in bars)
    per_pixel = most / (PANEL - TITLES_WIDTH - NUMBER_WIDTH)
    yield f'<text class="panel" x="{left:g}" y="{TOP - 30}">{escape(panel.title)}</text>'
    y = float(TOP)
    for title, bars in panel.rows:
        middle = y + (_row_height(bars) - ROW_GAP) / 2
        yield f'<text class="row" x="{zero - 10:g}" y="{middle:g}">{escape(title)}</text>'
        for at, bar in enumerate(bars):
            yield from _bar(bar, zero, y + at * (BAR + BAR_GAP), per_pixel)
        y += _row_height(bars)
    yield f'<path class="axis" d="M{zero:g},{TOP - 8} V{y - ROW_GAP + 8:g}"/>'


def _bar(bar: Bar, zero: float, y: float, per_pixel: float) -> Iterator[str]:
    length, middle = bar.rate / per_pixel, y + BAR / 2
    end = length
    yield f'<rect class="{bar.kind}" x="{zero:g}" y="{y:g}" width="{length:.1f}" height="{BAR}" rx="3"/>'
    if bar.aim is not None:
        at = bar.aim / per_pixel
        # The number must not stand on the mark.
        end = max(length, at) if at < length + NUMBER_LENGTH else length
        yield f'<path class="aim" d="M{zero + at:.1f},{y - 3:g} v{BAR + 6}"/>'
    yield f'<text class="number" x="{zero + end + 7:.1f}" y="{middle:g}">{bar.rate:,.0f}</text>'


# --- Files --------------------------------------------------------------------------------------------------------


def page(before: str, run: Figures) -> str:
    """Return the page with the figures of ``run`` instead of those that it had."""
    head, _, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{head}{BEGIN}\n\n{tables(run)}\n\n{END}{tail}"


def main(file: Path) -> None:
    """Write page and picture."""
    run = json.loads(file.read_text(encoding="utf-8"))
    markdown = DOCS / "performance.md"
    markdown.write_text(page(markdown.read_text(encoding="utf-8"), run), encoding="utf-8")
    (DOCS / "performance.svg").write_text(svg(run), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
