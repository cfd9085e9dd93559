"""Short messages: an outbox instead of a network."""

import itertools
from collections import deque
from collections.abc import Mapping

from attrs import asdict, frozen

from qlive_app.fakes.qiniu.knobs import QiniuKnobs
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.routes import Parameters, Routes
from qlive_app.fakes.serving.wire import JSON, Answer, Request, json_answer

TEMPLATE = "qlive-test-template"
SIGNATURE = "qlive-test-signature"
_KEPT = 1000


@frozen
class Sent:
    """A message that was accepted for one phone."""

    job_id: str
    mobile: str
    template_id: str
    parameters: Mapping[str, object]
    at: float


class Sms:
    """Takes messages whose template is one of ``templates``, and the signature, if any, one of ``signatures``."""

    def __init__(self, knobs: QiniuKnobs, clock: Clock) -> None:
        self.templates = {TEMPLATE}
        self.signatures = {SIGNATURE}
        self.outbox: deque[Sent] = deque(maxlen=_KEPT)
        self._knobs = knobs
        self._clock = clock
        self._jobs = itertools.count(1000000001)

    def routes(self, routes: Routes, control: Routes) -> None:
        """Add what it answers."""
        routes.add("POST", "/v1/message", self._send)
        routes.add("POST", "/v1/message/single", self._send_one)
        routes.add("GET", "/v1/messages", self._list)
        control.add("GET", "/_fake/sms", self._show)

    def to(self, mobile: str) -> list[Sent]:
        """Return what was sent to a phone, oldest first."""
        return [each for each in self.outbox if each.mobile == mobile]

    async def _send(self, request: Request, _parameters: Parameters) -> Answer:
        return self._accept(request, several=True)

    async def _send_one(self, request: Request, _parameters: Parameters) -> Answer:
        return self._accept(request, several=False)

    def _accept(self, request: Request, *, several: bool) -> Answer:
        if request.header("Content-Type") != JSON:
            return _invalid(f"Content-Type must be {JSON}")
        try:
            body = request.json()
        except ValueError:
            return _invalid("body is not JSON")
        if not isinstance(body, dict):
            return _invalid("body is not an object")
        mobiles = body.get("mobiles") if several else [body.get("mobile")]
        if not isinstance(mobiles, list) or not mobiles or not all(map(_is_mobile, mobiles)):
            return _invalid("mobiles must be a list of numbers" if several else "mobile must be a number")
        if body.get("template_id") not in self.templates:
            return _invalid("template_id not match any of your templates")
        if body.get("signature_id", SIGNATURE) not in self.signatures:
            return _invalid("signature_id not match any of your signatures")
        parameters = body.get("parameters")
        if not isinstance(parameters, dict) or not all(
            isinstance(each, str | int) for each in parameters.values()
        ):
            return _invalid("parameters must be an object of texts")
        now = self._clock.now()
        if any(self._is_too_soon(each, now) for each in mobiles):
            error = {"error": "TooManyRequests", "message": "frequency limit of this number"}
            return json_answer(self._knobs.sms_limit_status, error)
        job_id = str(next(self._jobs))
        for mobile in mobiles:
            self.outbox.append(Sent(job_id, mobile, body["template_id"], parameters, now))
        return json_answer(
            200,
            {"job_id" if several else "message_id": job_id},
            why=f"to {', '.join(mobiles)}: {', '.join(f'{key} {value}' for key, value in parameters.items())}",
        )

    def _is_too_soon(self, mobile: str, now: float) -> bool:
        return any(now - each.at < self._knobs.sms_interval_s for each in self.to(mobile))

    async def _list(self, request: Request, _parameters: Parameters) -> Answer:
        wanted = {
            key: request.query[key] for key in ("job_id", "mobile", "template_id") if key in request.query
        }
        items = [
            {
                "job_id": each.job_id,
                "mobile": each.mobile,
                "template_id": each.template_id,
                "status": "success",
            }
            for each in self.outbox
            if all(getattr(each, key) == value for key, value in wanted.items())
        ]
        return json_answer(200, {"items": items, "total": len(items), "page": 1, "page_size": len(items)})

    async def _show(self, request: Request, _parameters: Parameters) -> Answer:
        mobile = request.query.get("mobile")
        sent = self.to(mobile) if mobile else self.outbox
        return json_answer(200, {"outbox": [asdict(each) for each in sent]})


def _is_mobile(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _invalid(message: str) -> Answer:
    return json_answer(400, {"error": "InvalidArgument", "message": message}, why=message)
