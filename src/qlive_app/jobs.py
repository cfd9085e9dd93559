"""All background jobs of the process, in one place."""

from collections.abc import Sequence

from qlive_app.bootstrap import Assembly
from qlive_app.runtime.descriptors import watch_descriptors
from qlive_app.runtime.housekeeping import keep_time, push_for_ever, sweep_for_ever, watch_store
from qlive_app.runtime.supervisor import Job


def jobs_of(assembly: Assembly) -> Sequence[Job]:
    """Return what is to run as long as the process serves: timers, sweep, mail, IM, reconciling, metrics push."""
    parts, run = assembly, assembly.effects.run
    jobs = [
        Job("deadlines", lambda: parts.deadlines.run(parts.expire, run)),
        Job("clock", lambda: keep_time(parts.clock)),
        Job("sweep", lambda: sweep_for_ever(parts.services, parts.hub, run)),
        Job("store watch", lambda: watch_store(parts.stores.ping, parts.mirror.reload, parts.health.report)),
        Job(
            "descriptor watch",
            lambda: watch_descriptors(parts.metrics.descriptors_exhausted.inc, parts.health.report_trouble),
            essential=False,
        ),
    ]
    mails, im, reconciling = parts.mails, parts.im, parts.reconciling
    if mails is not None:
        jobs.append(Job("mailing", lambda: parts.mailing.run(mails), essential=False))
    if im is not None:
        jobs.append(Job("im pings", lambda: im.pinger.run(parts.hub.only_by_im, run), essential=False))
        jobs.append(Job("im watch", im.cloud.run, essential=False))
    if reconciling is not None:
        jobs.append(Job("reconciling", lambda: reconciling.run(run), essential=False))
    if parts.settings.prometheus.enable_push:
        jobs.append(
            Job(
                "metrics push",
                lambda: push_for_ever(parts.settings.prometheus, parts.metrics, parts.services.census),
                essential=False,
            )
        )
    return jobs
