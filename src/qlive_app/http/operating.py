"""What operators and their tools ask."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from qlive_app.http.answers import HealthAnswer, ReadinessAnswer
from qlive_app.http.call import Call
from qlive_app.http.operations import Operation
from qlive_app.http.replies import Reply, json_reply
from qlive_app.runtime.metrics import Metrics
from qlive_core.usecases.census import Census

HEALTH_PATH = "/healthz"
READINESS_PATH = "/readyz"

_HEALTHY = json_reply(HealthAnswer(status="ok"))


class Readiness(Protocol):
    """Knows whether the process can do its work."""

    def problems(self) -> Sequence[str]:
        """Return what keeps it from that, in words for an operator; nothing if it can."""
        ...

    def troubles(self) -> Sequence[str]:
        """Return what is wrong beside that; nothing if all is well."""
        ...


@frozen
class OperatingRoutes:
    """Health, readiness and metrics; none of them is counted or logged among users' requests."""

    metrics: Metrics
    metrics_path: str
    readiness: Readiness
    census: Census

    async def health(self, _call: Call) -> Reply:
        return _HEALTHY

    async def ready(self, _call: Call) -> Reply:
        problems, troubles = self.readiness.problems(), self.readiness.troubles()
        status = "unready" if problems else "degraded" if troubles else "ok"
        answer = ReadinessAnswer(status=status, problems=[*problems, *troubles])
        # Who is merely degraded must not be taken out of service: all others are as well.
        return json_reply(answer, 503 if problems else 200)

    async def show_metrics(self, _call: Call) -> Reply:
        self.metrics.show(await self.census.taken())
        return Reply(self.metrics.render(), content_type=self.metrics.content_type)

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module."""
        return (
            Operation(
                method="GET",
                path=HEALTH_PATH,
                name="health",
                tag="operating",
                summary="Whether the process answers",
                authorised=False,
                answer=HealthAnswer,
                run=self.health,
            ),
            Operation(
                method="GET",
                path=READINESS_PATH,
                name="ready",
                tag="operating",
                summary="Whether the process can do its work",
                authorised=False,
                answer=ReadinessAnswer,
                other_answers={503: ReadinessAnswer},
                run=self.ready,
            ),
            Operation(
                method="GET",
                path=self.metrics_path,
                name="metrics",
                tag="operating",
                summary="Metrics in Prometheus' text format",
                authorised=False,
                media_type="text/plain",
                run=self.show_metrics,
            ),
        )
