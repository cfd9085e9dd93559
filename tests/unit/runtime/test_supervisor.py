"""No background job dies silently, and none is started but under the supervisor."""

import ast
import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from attrs import evolve

import qlive_app
from qlive_app.bootstrap import Assembly, assemble
from qlive_app.config import load_settings
from qlive_app.jobs import jobs_of
from qlive_app.readiness import Health
from qlive_app.runtime.metrics import Metrics
from qlive_app.runtime.supervisor import Job, Supervisor

EVERYTHING: dict[str, Any] = {
    "store": {"provider": "sqlite", "path": ":memory:"},
    "im": {
        "provider": "rongcloud",
        "rongcloud": {"app_key": "key", "app_secret": "secret", "api_hosts": ["http://127.0.0.1:1"]},
    },
    "feedback_mail": {
        "enabled": True,
        "smtp_host": "127.0.0.1",
        "smtp_port": 1,
        "tls": "none",
        "from": "qlive@example.com",
        "to": ["ops@example.com"],
    },
    "prometheus": {"enable_push": True, "push_url": "http://127.0.0.1:1", "push_interval_s": 60},
}
# Tasks and threads that are no jobs: each does one piece of work for somebody who has asked for it, and catches
# what goes wrong in it. Whoever adds one says here why it cannot die unnoticed.
PIECES_OF_WORK = {
    "qlive_adapters/mirror/doubts.py": "begun again with the next doubt; every look is guarded",
    "qlive_adapters/mongo/gate.py": "one call; its caller hears the error",
    "qlive_adapters/mongo/indexing.py": "the indexes of one collection; the start hears the error",
    "qlive_adapters/mongo/lease.py": "the lease is renewed by the ping too; without it the store refuses, and is told lost",
    "qlive_adapters/mongo/lane.py": "one batch; its callers hear the error",
    "qlive_adapters/sqlite/engine.py": "the thread that commits; callers hear the error, and the store watch",
    "qlive_app/http/documents.py": "one file that is read",
    "qlive_app/runtime/chores.py": "the chores of one room; each is guarded",
    "qlive_app/runtime/logs.py": "the thread that writes the log",
    "qlive_app/runtime/mailing.py": "one round of the mailing job",
    "qlive_app/runtime/supervisor.py": "the supervisor",
    "qlive_app/server.py": "the two servers, and waiting for the end",
    "qlive_app/signalling/im/inbox.py": "the words of one user; each is guarded",
    "qlive_app/signalling/im/outbox.py": "one call; guarded",
    "qlive_app/signalling/im/pinger.py": "one call; guarded",
    "qlive_app/signalling/session.py": "one connection's writer",
}
EVERY_JOB = {
    "clock",
    "deadlines",
    "sweep",
    "store watch",
    "descriptor watch",
    "mailing",
    "im pings",
    "im watch",
    "reconciling",
    "metrics push",
}
APART = ("fakes", "bench", "demo")
STARTS = {"create_task", "ensure_future", "TaskGroup", "Thread", "to_thread", "run_in_executor"}


@pytest.fixture
def health() -> Health:
    """What readiness goes by."""
    health = Health()
    health.report("server", "")
    return health


def supervisor(health: Health, metrics: Metrics) -> Supervisor:
    """A supervisor that does not wait."""
    return Supervisor(health.report, health.report_trouble, metrics, first_pause_s=0.01, steady_after_s=0.05)


def returns() -> None:
    """End as if there was nothing more to do."""


def raises() -> None:
    """End with a bug."""
    raise ValueError("a bug")


def is_cancelled() -> None:
    """End as if somebody had cancelled it."""
    raise asyncio.CancelledError


class Lives:
    """Counts how often a job has begun, and ends the first two of its lives in the given way."""

    def __init__(self, job: Job, end: Callable[[], None]) -> None:
        self._job, self._end = job, end
        self.number = 0
        self.third = asyncio.Event()

    async def run(self) -> None:
        """Live."""
        self.number += 1
        if self.number < 3:
            self._end()
            return
        self.third.set()
        await self._job.run()

    @property
    def job(self) -> Job:
        """The job with these lives."""
        return evolve(self._job, run=self.run)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the condition."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - readiness tells nobody when it changes
            await asyncio.sleep(0.005)


@pytest.fixture
async def assembly(tmp_path: Path) -> Any:
    """A process with every job that there is, not yet started."""
    path = tmp_path / "qlive.conf"
    path.write_text(json.dumps(EVERYTHING))
    assembly = assemble(load_settings(path, {}).settings, Metrics())
    yield assembly
    await assembly.stores.close()


@pytest.mark.parametrize("end", [returns, raises, is_cancelled])
async def test_every_job_comes_back(assembly: Assembly, health: Health, end: Callable[[], None]) -> None:
    """Each job in the list, whichever way it ends, is begun again; readiness tells of it, and then no more."""
    jobs = jobs_of(assembly)
    assert {job.name for job in jobs} == EVERY_JOB
    lives = [Lives(job, end) for job in jobs]
    told: set[str] = set()
    kept = supervisor(health, assembly.metrics)

    def listening_to(report: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def heard(part: str, what: str) -> None:
            report(part, what)
            told.update([*health.problems(), *health.troubles()])

        return heard

    kept.report, kept.report_trouble = listening_to(kept.report), listening_to(kept.report_trouble)
    with structlog.testing.capture_logs() as logs:
        async with kept.running([life.job for life in lives]):
            await asyncio.wait_for(asyncio.gather(*(life.third.wait() for life in lives)), 10)
            await until(lambda: not health.problems() and not health.troubles())
    for job in jobs:
        assert any(line.startswith(f"job {job.name}:") for line in told)
        mourned = [line for line in logs if line.get("job") == job.name]
        assert len(mourned) == 2
        assert all(line["exc_info"] is not None and line["log_level"] == "error" for line in mourned)
        assert f'qlive_job_failures_total{{job="{job.name}"}} 2.0' in assembly.metrics.render().decode()


async def test_a_running_job_that_is_cancelled_from_outside(assembly: Assembly, health: Health) -> None:
    """The tasks of the real jobs are killed while they run, one after the other, and are there again."""

    def lives(name: str) -> list["asyncio.Task[Any]"]:
        return [task for task in asyncio.all_tasks() if task.get_name() == name and not task.done()]

    async with supervisor(health, assembly.metrics).running(jobs_of(assembly)):
        for job in jobs_of(assembly):
            await until(lambda name=job.name: bool(lives(name)))  # type: ignore[misc]
            (life,) = lives(job.name)
            life.cancel()
            await until(lambda name=job.name, old=life: lives(name) not in ([], [old]))  # type: ignore[misc]


async def test_what_cannot_go_on_is_not_ready(health: Health) -> None:
    """An essential job that ends again and again keeps the process unready; another one makes it degraded."""

    async def dies() -> None:
        raises()

    async with supervisor(health, Metrics()).running([Job("a", dies), Job("b", dies, essential=False)]):
        await until(lambda: bool(health.problems() and health.troubles()))
        assert health.problems() == ["job a: failed and is begun again"]
        assert health.troubles() == ["job b: failed and is begun again"]


async def test_the_end_waits_for_jobs(health: Health) -> None:
    """At the end of the process each job is cancelled, and may finish what it has in hand."""
    begun, finished = asyncio.Event(), asyncio.Event()

    async def works() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            finished.set()

    async with supervisor(health, Metrics()).running([Job("works", works)]):
        await begun.wait()
    assert finished.is_set()
    assert not health.problems()


def test_nothing_is_started_elsewhere() -> None:
    """Whatever starts a task or a thread is the supervisor, or is known to do one piece of work."""
    root = Path(qlive_app.__file__).parents[1]
    starting = set()
    for file in root.rglob("*.py"):
        name = file.relative_to(root).as_posix()
        if not name.startswith("qlive_") or name.split("/")[1] in (*APART, "children.py"):
            continue
        calls = {
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Call)
        }
        if calls & STARTS:
            starting.add(name)
    assert starting == PIECES_OF_WORK.keys()
