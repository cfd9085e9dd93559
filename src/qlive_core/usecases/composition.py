"""A PK composed by the media cloud: both hosts in the streams of both."""

from qlive_core.model.pk import Pk
from qlive_core.ports.clouds import StreamJob, StreamJobKind


def jobs_of(pk: Pk) -> tuple[StreamJob, StreamJob]:
    """Return the jobs that show both hosts to both audiences, one for each host's live stream.

    Both take their pictures from the target's RTC room: that is where the first apps' proposer moves to and the
    newest apps' proposer relays to, so it alone has both hosts whatever apps they use.
    """
    hosts = (pk.proposer.user_id, pk.target.user_id)

    def job(number: int, host_id: str) -> StreamJob:
        return StreamJob(f"{pk.id}-{number}", StreamJobKind.MERGE, pk.target.room_id, hosts, host_id)

    return job(1, pk.proposer.user_id), job(2, pk.target.user_id)
