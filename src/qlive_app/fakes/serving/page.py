"""The start page of a fake: what it holds, the last calls, and how it is controlled."""

import json
import time
from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar, Protocol

import attrs

from qlive_app.fakes.serving.calls import Call, Calls
from qlive_app.fakes.serving.faults import KINDS, Faults
from qlive_app.fakes.serving.routes import Routes
from qlive_app.fakes.serving.wire import Answer

_CALLS_SHOWN = 50
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222 }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem }
pre { background: #f6f6f6; padding: .8rem; overflow: auto; max-height: 30rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2rem .8rem .2rem 0;
vertical-align: top } tr { border-bottom: 1px solid #eee } .bad { color: #b00 }
td { white-space: nowrap } td:last-child { white-space: normal; overflow-wrap: anywhere }
"""


class Shown(Protocol):
    """What a page shows of a fake."""

    NAME: ClassVar[str]
    faults: Faults
    calls: Calls
    knobs: Any
    control: Routes

    def holds(self) -> Mapping[str, object]:
        """Return what it holds."""
        ...


def page(fake: Shown) -> Answer:
    """Return the start page."""
    calls = list(reversed(fake.calls.to()))[:_CALLS_SHOWN]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>fake {escape(fake.NAME)}</title>",
        f"<style>{_STYLE}</style><h1>Fake {escape(fake.NAME)}</h1>",
        "<p>A stand-in for tests and development. It checks what it is asked as the cloud would.</p>",
        f"<h2>Last calls</h2>{_calls(calls)}",
        f"<h2>What it holds</h2>{_json(fake.holds())}",
        f"<h2>How it behaves</h2>{_json(attrs.asdict(fake.knobs))}",
        "<h2>What goes wrong next</h2>",
        _json([{**attrs.asdict(fault), "left": left} for fault, left in fake.faults.planned]),
        f"<h2>Control</h2>{_control(fake)}",
    ]
    return Answer(200, "\n".join(parts).encode(), "text/html; charset=utf-8")


def _calls(calls: list[Call]) -> str:
    if not calls:
        return "<p>None yet.</p>"
    rows = "".join(
        f"<tr{'' if call.outcome == '200' else ' class=bad'}><td>{time.strftime('%H:%M:%S', time.localtime(call.at))}"
        f"<td>{escape(call.request.method)}<td>{escape(call.request.target)}<td>{escape(call.outcome)}{' on request' if call.fault else ''}"
        f"<td>{escape(call.answer.why if call.answer else '')}"
        for call in calls
    )
    return f"<table><tr><th>Time<th>Method<th>Target<th>Outcome<th>Why{rows}</table>"


def _json(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _control(fake: Shown) -> str:
    kinds = "".join(f"<tr><td>{kind}<td>{escape(meaning)}" for kind, meaning in KINDS.items())
    example = (
        """curl -d '{"kind": "answer", "path": "/v1/*", "status": 503, "times": 2}' $FAKE/_fake/faults"""
    )
    routes = "\n".join(f"{method:7}{path}" for method, path in fake.control.listed())
    return f"<pre>{escape(routes)}</pre><p>Kinds of faults:</p><table>{kinds}</table><pre>{escape(example)}</pre>"
