"""Control over HTTP, for tests in another process and for people with curl: everything under ``/_fake/``."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import attrs
import msgspec

from qlive_app.fakes.serving.calls import Call, Calls
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.faults import Fault, Faults
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import Answer, Request, json_answer

CONTROL = "/_fake/"
T = TypeVar("T")


class Refused(Exception):
    """What was asked of a fake's control, or of one of its clients, cannot be done; the text says why."""


class Controlled(Protocol):
    """What can be controlled of a fake."""

    clock: Clock
    faults: Faults
    calls: Calls
    knobs: Any
    control: Routes

    def holds(self) -> Mapping[str, object]:
        """Return what it holds."""
        ...


class Control:
    """The control of one fake; it may add routes of its own to ``control``."""

    def __init__(self, fake: Controlled) -> None:
        self._fake = fake
        routes = fake.control
        routes.add("GET", "/_fake/state", self._state)
        routes.add("GET", "/_fake/calls", self._calls)
        routes.add("DELETE", "/_fake/calls", self._forget_calls)
        routes.add("GET", "/_fake/faults", self._faults)
        routes.add("POST", "/_fake/faults", self._add_fault)
        routes.add("DELETE", "/_fake/faults", self._clear_faults)
        routes.add("GET", "/_fake/knobs", self._knobs)
        routes.add("POST", "/_fake/knobs", self._turn_knobs)
        routes.add("POST", "/_fake/clock", self._advance_clock)

    async def answer(self, request: Request) -> Answer:
        """Do what is asked: 404 for what there is not, 400 with the reason for what cannot be done."""
        found = self._fake.control.find(request)
        if found is None:
            return json_answer(404, {"error": "no such control; GET / shows what there is"})
        handler, parameters = found
        try:
            return await handler(request, parameters)
        except (ValueError, Refused) as exc:
            return json_answer(400, {"error": str(exc)})

    async def _state(self, _request: Request, _parameters: Parameters) -> Answer:
        return json_answer(200, self._fake.holds())

    async def _calls(self, request: Request, _parameters: Parameters) -> Answer:
        calls = self._fake.calls.to(request.query.get("path", "*"))
        return json_answer(200, {"calls": [shown(each) for each in calls]})

    async def _forget_calls(self, _request: Request, _parameters: Parameters) -> Answer:
        self._fake.calls.clear()
        return json_answer(200, {})

    async def _faults(self, _request: Request, _parameters: Parameters) -> Answer:
        planned = [{**attrs.asdict(fault), "left": left} for fault, left in self._fake.faults.planned]
        return json_answer(200, {"faults": planned})

    async def _add_fault(self, request: Request, parameters: Parameters) -> Answer:
        self._fake.faults.add(read(request, Fault))
        return await self._faults(request, parameters)

    async def _clear_faults(self, request: Request, parameters: Parameters) -> Answer:
        self._fake.faults.clear()
        return await self._faults(request, parameters)

    async def _knobs(self, _request: Request, _parameters: Parameters) -> Answer:
        return json_answer(200, attrs.asdict(self._fake.knobs))

    async def _turn_knobs(self, request: Request, parameters: Parameters) -> Answer:
        turned = turn(self._fake.knobs, request)
        for name, value in attrs.asdict(turned, recurse=False).items():
            setattr(self._fake.knobs, name, value)
        return await self._knobs(request, parameters)

    async def _advance_clock(self, request: Request, _parameters: Parameters) -> Answer:
        self._fake.clock.advance(float(asked(request, "ahead_s")))
        return json_answer(200, {"now": self._fake.clock.now()})


def read(request: Request, kind: type[T]) -> T:
    """Read the body of a request into an attrs class. Raises ValueError with what is wrong."""
    return _converted(_object(request), kind)


def turn(now: T, request: Request) -> T:
    """Return what the settings ``now`` become by the body of a request. Raises ValueError."""
    # A settings object is an attrs class, which mypy cannot see.
    return _converted({**attrs.asdict(now), **_object(request)}, type(now))  # type: ignore[arg-type]


def asked(request: Request, name: str) -> Any:
    """Return one key of the body of a request. Raises ValueError if it is not there."""
    found = _object(request)
    if name not in found:
        raise ValueError(f"the body needs {name!r}")
    return found[name]


def _object(request: Request) -> dict[str, Any]:
    found = request.json() if request.body else {}
    if not isinstance(found, dict):
        raise ValueError("the body has to be a JSON object")  # noqa: TRY004 -- the caller's mistake, not ours
    return found


def _converted(found: dict[str, Any], kind: type[T]) -> T:
    known = attrs.fields_dict(kind)  # type: ignore[arg-type]
    if unknown := [key for key in found if key not in known]:
        raise ValueError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return msgspec.convert(found, kind)


def shown(call: Call) -> dict[str, object]:
    """Return a call as JSON."""
    return {
        "at": call.at,
        "listener": call.listener,
        "method": call.request.method,
        "target": call.request.target,
        "headers": [list(each) for each in call.request.headers],
        "body": call.request.body.decode(errors="replace"),
        "outcome": call.outcome,
        "answer": call.answer.body.decode(errors="replace") if call.answer else None,
        "why": call.answer.why if call.answer else "",
        "took_s": round(call.took_s, 6),
    }
