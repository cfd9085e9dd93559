"""The fake of Qiniu as a whole."""

import secrets
from collections.abc import Mapping

from attrs import evolve

from qlive_app.fakes.keys import QINIU
from qlive_app.fakes.qiniu.gate import refusal
from qlive_app.fakes.qiniu.knobs import QiniuKnobs
from qlive_app.fakes.qiniu.kodo import Kodo
from qlive_app.fakes.qiniu.pili import Pili
from qlive_app.fakes.qiniu.rtc import Rtc
from qlive_app.fakes.qiniu.sms import Sms
from qlive_app.fakes.serving.fake import LOOPBACK, Fake
from qlive_app.fakes.serving.faults import Fault
from qlive_app.fakes.serving.routes import Routes
from qlive_app.fakes.serving.wire import Answer, Request, json_answer


class FakeQiniu(Fake):
    """Qiniu at one address: ``sms``, ``rtc``, ``pili`` and ``kodo`` hold what was done to them."""

    NAME = "qiniu"
    knobs: QiniuKnobs

    def __init__(self, *, host: str = LOOPBACK, port: int = 0, seed: int = 0) -> None:
        super().__init__(host=host, ports=[port], seed=seed, knobs=QiniuKnobs())
        self.keys = QINIU
        self.sms = Sms(self.knobs, self.clock)
        self.pili = Pili(self.keys, self.knobs, self.clock)
        self.rtc = Rtc(self.keys, self.clock, self.pili)
        self.kodo = Kodo(self.keys, self.knobs, self.clock)
        self._signed = Routes()
        self._public = Routes()
        self.sms.routes(self._signed, self.control)
        self.rtc.routes(self._signed, self.control)
        self.pili.routes(self._signed, self.control)
        self.kodo.routes(self._public)

    async def serve(self, request: Request) -> Answer:
        """Answer as the vendor would: with a request id, whatever the answer."""
        return _marked(await self._serve(request))

    async def _serve(self, request: Request) -> Answer:
        if found := self._public.find(request):
            handler, parameters = found
            return await handler(request, parameters)
        if refused := refusal(request, self.keys, self.clock.now()):
            return refused
        found = self._signed.find(request)
        if found is None:
            return json_answer(404, {"error": "not found"}, why="no such call, or not part of this fake")
        handler, parameters = found
        return await handler(request, parameters)

    def instead(self, fault: Fault) -> Answer:
        """Return the fault's answer in the vendor's form."""
        if fault.body is not None:
            return _marked(Answer(fault.status, fault.body.encode()))
        return _marked(json_answer(fault.status, {"error": "told to fail", "message": "told to fail"}))

    def holds(self) -> Mapping[str, object]:
        """Return what it holds, as JSON."""
        return {
            "sms": {
                "templates": sorted(self.sms.templates),
                "outbox": [
                    {"mobile": each.mobile, "parameters": dict(each.parameters)} for each in self.sms.outbox
                ],
            },
            "rtc": self.rtc.holds(),
            "pili": self.pili.holds(),
            "kodo": self.kodo.holds(),
        }


def _marked(answer: Answer) -> Answer:
    return evolve(answer, headers=(*answer.headers, ("X-Reqid", secrets.token_urlsafe(12))))
