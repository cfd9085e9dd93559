"""Draw the machines of the core from their tables: `python docs/make_diagrams.py` rewrites docs/*-machine.*.

The tables are the truth and the pictures follow; a test fails when they do not. Boxes stand where the layouts
below put them; every arrow and every label comes from the tables.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from attrs import field, frozen

from qlive_core.model import pk, place, presence, seat

DOCS = Path(__file__).parent
ENTRY = "entry"
FONT = "ui-sans-serif, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
LABEL_LINE = 17.0

Point = tuple[float, float]


@frozen
class Box:
    """A state in the picture, by its centre."""

    x: float
    y: float
    note: str = ""
    width: float = 150.0
    height: float = 54.0


@frozen
class Route:
    """How an arrow runs: bent by ``bend`` pixels to its left, with its label ``label_dx``, ``label_dy`` off."""

    bend: float = 0.0
    label_dx: float = 0.0
    label_dy: float = 0.0
    loop: str = ""
    """For an arrow back to its own box: "top" or "bottom"."""


@frozen
class Arrow:
    """All events that lead from one state to another."""

    source: str
    target: str
    labels: tuple[str, ...]


@frozen
class Diagram:
    """One machine: its arrows from the table, its looks from here."""

    name: str
    title: str
    subtitle: str
    size: tuple[int, int]
    boxes: Mapping[str, Box]
    arrows: Sequence[Arrow]
    final: frozenset[str]
    routes: Mapping[tuple[str, str], Route] = field(factory=dict)


def _gather(cells: Iterator[tuple[str, str, str]]) -> list[Arrow]:
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source, target, label in cells:
        labels[source, target].append(label)
    return [Arrow(source, target, tuple(texts)) for (source, target), texts in labels.items()]


def _pk_cells() -> Iterator[tuple[str, str, str]]:
    yield ENTRY, pk.PkState.OFFERED.value, "start (proposer)"
    for state, row in pk.TABLE.items():
        for event, cell in row.items():
            by = "either host" if len(cell.by) > 1 else next(iter(cell.by)).value
            yield state.value, cell.target.value, f"{event.value} ({by})"


def _presence_cells() -> Iterator[tuple[str, str, str]]:
    # A presence begins with what it holds: a place taken without a connection, a sign over IM, or a connection.
    yield ENTRY, presence.PresenceState.LEASE.value, presence.PresenceEvent.TAKE_PLACE.value
    yield ENTRY, presence.PresenceState.LEASE.value, presence.PresenceEvent.SEEN.value
    yield ENTRY, presence.PresenceState.OPEN.value, presence.PresenceEvent.CONNECT.value
    for state, row in presence.TABLE.items():
        for event, target in row.items():
            yield state.value, "gone" if target is None else target.value, event.value


def _seat_cells() -> Iterator[tuple[str, str, str]]:
    yield ENTRY, place.PlaceKind.WATCHING.value, "enter (listener)"
    for kind, row in seat.TABLE.items():
        for event, cell in row.items():
            target = "gone" if cell.target is None else cell.target.value
            yield kind.value, target, f"{event.value} ({cell.by.value})"


def pk_machine() -> Diagram:
    """Return the diagram of the PK."""
    return Diagram(
        name="pk",
        title="The PK machine",
        subtitle="An offer, a battle, one outcome. What has no arrow cannot happen.",
        size=(900, 470),
        boxes={
            ENTRY: Box(42, 265, width=18, height=18),
            "offered": Box(258, 265, "both rooms: waitPK"),
            "live": Box(484, 140, "both rooms: PK"),
            "ended": Box(800, 140),
            "rejected": Box(800, 240),
            "timed_out": Box(800, 325),
            "cancelled": Box(800, 410),
        },
        arrows=_gather(_pk_cells()),
        final=frozenset(state.value for state, row in pk.TABLE.items() if not row),
        routes={
            (ENTRY, "offered"): Route(label_dx=-4, label_dy=-14),
            ("offered", "live"): Route(label_dx=-24),
            ("offered", "rejected"): Route(label_dx=30),
            ("offered", "timed_out"): Route(label_dx=30),
            ("offered", "cancelled"): Route(label_dx=30),
            ("live", "ended"): Route(label_dx=-3, label_dy=-24),
        },
    )


def presence_machine() -> Diagram:
    """Return the diagram of the presence."""
    return Diagram(
        name="presence",
        title="The presence machine",
        subtitle="A connection, the grace after one, or a lease without one. Who is gone leaves his place.",
        size=(900, 560),
        boxes={
            ENTRY: Box(50, 310, width=18, height=18),
            "lease": Box(270, 195, "without a connection"),
            "open": Box(270, 425, "connected"),
            "grace": Box(560, 310, "connection lost"),
            "gone": Box(805, 310),
        },
        arrows=_gather(_presence_cells()),
        final=frozenset({"gone"}),
        routes={
            ("lease", "gone"): Route(bend=150, label_dx=10),
            ("open", "open"): Route(loop="bottom", label_dy=10),
            ("lease", "lease"): Route(label_dy=-10),
            ("open", "grace"): Route(bend=-34, label_dx=10),
            ("grace", "open"): Route(bend=-34, label_dx=-10),
            ("open", "gone"): Route(bend=-150, label_dx=10),
            ("grace", "gone"): Route(label_dx=-4, label_dy=-24),
            ("lease", "open"): Route(label_dx=-34),
        },
    )


def seat_machine() -> Diagram:
    """Return the diagram of a seat in a voice room."""
    return Diagram(
        name="seat",
        title="The seat machine",
        subtitle="Somebody in the audience of a voice room, and the seat that he asks for, is offered or holds.",
        size=(1260, 700),
        boxes={
            ENTRY: Box(32, 340, width=18, height=18),
            "watching": Box(250, 340, "no seat"),
            "asking": Box(560, 150, "user: joinWait"),
            "invited": Box(560, 530, "only newer apps"),
            "seated": Box(850, 340, "user: joined"),
            "gone": Box(1165, 340),
        },
        arrows=_gather(_seat_cells()),
        final=frozenset({"gone"}),
        routes={
            (ENTRY, "watching"): Route(label_dx=-6, label_dy=-14),
            ("watching", "asking"): Route(bend=70, label_dx=-30, label_dy=-10),
            ("asking", "watching"): Route(bend=20, label_dx=66, label_dy=4),
            ("watching", "invited"): Route(bend=-70, label_dx=-34, label_dy=10),
            ("invited", "watching"): Route(bend=-20, label_dx=66, label_dy=-4),
            ("asking", "seated"): Route(label_dx=-10, label_dy=-2),
            ("invited", "seated"): Route(label_dx=-10, label_dy=2),
            ("seated", "watching"): Route(label_dy=-24),
            ("seated", "seated"): Route(loop="top", label_dy=-8),
            ("asking", "gone"): Route(bend=70, label_dy=-12),
            ("invited", "gone"): Route(bend=-70, label_dy=12),
            ("watching", "gone"): Route(bend=-600, label_dy=12),
            ("seated", "gone"): Route(label_dy=-14),
        },
    )


DIAGRAMS = (pk_machine, presence_machine, seat_machine)


# --- Drawing ------------------------------------------------------------------------------------------------------


def _text_of(state: str) -> str:
    return state.replace("_", " ")


def _toward(box: Box, point: Point, gap: float = 0.0) -> Point:
    """Return where the line from the box's centre to ``point`` leaves the box, ``gap`` pixels further out."""
    dx, dy = point[0] - box.x, point[1] - box.y
    length = math.hypot(dx, dy)
    reach = min(
        (box.width / 2 + gap) / abs(dx) if dx else math.inf,
        (box.height / 2 + gap) / abs(dy) if dy else math.inf,
        1.0 if length == 0 else math.inf,
    )
    return box.x + dx * reach, box.y + dy * reach


def _curve(source: Box, target: Box, bend: float) -> tuple[str, Point]:
    """Return the path from box to box and the point in the middle of it."""
    dx, dy = target.x - source.x, target.y - source.y
    length = math.hypot(dx, dy)
    control = ((source.x + target.x) / 2 + dy / length * bend, (source.y + target.y) / 2 - dx / length * bend)
    start, end = _toward(source, control), _toward(target, control, 7)
    middle = tuple(0.25 * a + 0.5 * b + 0.25 * c for a, b, c in zip(start, control, end, strict=True))
    path = f"M{start[0]:.1f},{start[1]:.1f} Q{control[0]:.1f},{control[1]:.1f} {end[0]:.1f},{end[1]:.1f}"
    return path, (middle[0], middle[1])


def _loop(box: Box, side: str) -> tuple[str, Point]:
    """Return the path of an arrow from a box to itself, and where its label goes."""
    up = -1 if side == "top" else 1
    edge, far = box.y + up * box.height / 2, box.y + up * (box.height / 2 + 44)
    path = f"M{box.x - 26},{edge} C{box.x - 34},{far} {box.x + 34},{far} {box.x + 26},{edge + up * 7}"
    return path, (box.x, far - up * 2)


def _label(lines: Sequence[str], at: Point) -> Iterator[str]:
    top = at[1] - (len(lines) - 1) * LABEL_LINE / 2
    for number, line in enumerate(lines):
        y = top + number * LABEL_LINE
        yield f'<text class="label" x="{at[0]:.1f}" y="{y:.1f}">{escape(line)}</text>'


def _arrow(diagram: Diagram, arrow: Arrow) -> tuple[str, list[str]]:
    route = diagram.routes.get((arrow.source, arrow.target), Route())
    source, target = diagram.boxes[arrow.source], diagram.boxes[arrow.target]
    if arrow.source == arrow.target:
        path, at = _loop(source, route.loop or "top")
    else:
        path, at = _curve(source, target, route.bend)
    at = (at[0] + route.label_dx, at[1] + route.label_dy)
    return f'<path class="arrow" d="{path}"/>', list(_label(arrow.labels, at))


def _box(name: str, box: Box, *, final: bool) -> Iterator[str]:
    if name == ENTRY:
        yield f'<circle class="entry" cx="{box.x}" cy="{box.y}" r="{box.width / 2}"/>'
        return
    kind = "final" if final else "state"
    for inset in (0, 4) if final else (0,):
        x, y = box.x - box.width / 2 + inset, box.y - box.height / 2 + inset
        size = f'width="{box.width - 2 * inset}" height="{box.height - 2 * inset}" rx="{12 - inset}"'
        yield f'<rect class="{kind}" x="{x}" y="{y}" {size}/>'
    shift = -8 if box.note else 0
    yield f'<text class="name" x="{box.x}" y="{box.y + shift}">{escape(_text_of(name))}</text>'
    if box.note:
        yield f'<text class="note" x="{box.x}" y="{box.y + 13}">{escape(box.note)}</text>'


STYLE = f"""
  text {{ font-family: {FONT}; text-anchor: middle; dominant-baseline: central; }}
  .title {{ font-size: 22px; font-weight: 600; fill: #1f2937; text-anchor: start; }}
  .subtitle {{ font-size: 14px; fill: #6b7280; text-anchor: start; }}
  .name {{ font-size: 17px; font-weight: 600; fill: #1e3a5f; }}
  .note {{ font-size: 12.5px; fill: #57708c; }}
  .label {{ font-size: 14px; fill: #374151; stroke: #fcfcfd; stroke-width: 5px; paint-order: stroke; }}
  .state {{ fill: #e8f1fb; stroke: #4a7fb5; stroke-width: 1.8px; }}
  .final {{ fill: #f4f1ea; stroke: #9a8a66; stroke-width: 1.4px; }}
  .entry {{ fill: #1f2937; }}
  .arrow {{ fill: none; stroke: #64748b; stroke-width: 1.6px; marker-end: url(#tip); }}
"""


def svg(diagram: Diagram) -> str:
    """Return the picture: arrows below, then boxes, then labels."""
    width, height = diagram.size
    drawn = [_arrow(diagram, arrow) for arrow in diagram.arrows]
    boxes = [
        part for name, box in diagram.boxes.items() for part in _box(name, box, final=name in diagram.final)
    ]
    labels = [line for _, lines in drawn for line in lines]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(diagram.title)}">'
    )
    tip = (
        '<marker id="tip" viewBox="0 0 10 10" refX="2" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0.8 L9,5 L0,9.2 z" fill="#64748b"/></marker>'
    )
    body = [
        f"<style>{STYLE}</style>",
        f"<defs>{tip}</defs>",
        f'<rect width="{width}" height="{height}" rx="10" fill="#fcfcfd"/>',
        f'<text class="title" x="28" y="36">{escape(diagram.title)}</text>',
        f'<text class="subtitle" x="28" y="62">{escape(diagram.subtitle)}</text>',
        *(path for path, _ in drawn),
        *boxes,
        *labels,
    ]
    return "\n".join([head, *body, "</svg>", ""])


# --- Text ---------------------------------------------------------------------------------------------------------


def markdown(diagram: Diagram) -> str:
    """Return the same as text: a Mermaid diagram, and the table in words."""
    arrows = [
        f"    {'[*]' if arrow.source == ENTRY else arrow.source} --> {arrow.target}: {' / '.join(arrow.labels)}"
        for arrow in diagram.arrows
    ]
    ends = [f"    {name} --> [*]" for name in diagram.boxes if name in diagram.final]
    rows = [
        f"| {'(nothing)' if arrow.source == ENTRY else _text_of(arrow.source)} | {label} | {_text_of(arrow.target)} |"
        for arrow in diagram.arrows
        for label in arrow.labels
    ]
    return "\n".join(
        [
            f"# {diagram.title}",
            "",
            diagram.subtitle,
            f"Made by `docs/make_diagrams.py` from the table in `qlive_core.model.{diagram.name}`; do not edit.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    direction LR",
            *arrows,
            *ends,
            "```",
            "",
            "| from | event | to |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def files() -> dict[Path, str]:
    """Return what is to be in which file."""
    return {
        DOCS / f"{diagram.name}-machine.{ending}": render(diagram)
        for diagram in (make() for make in DIAGRAMS)
        for ending, render in (("svg", svg), ("md", markdown))
    }


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
