"""An application that the clouds call back: it takes everything, or does otherwise on request."""

from qlive_app.fakes.serving import Answer, Fake, Fault, Request, json_answer


class Application(Fake):
    """Records what it is told; its faults are those of an application that is slow or down."""

    NAME = "application"

    def __init__(self) -> None:
        super().__init__(host="127.0.0.1", ports=[0], seed=0, knobs=None)

    async def serve(self, request: Request) -> Answer:
        return json_answer(200, {"seen": request.field("key")})

    def instead(self, fault: Fault) -> Answer:
        return json_answer(fault.status, {})

    def holds(self) -> dict[str, object]:
        return {}
