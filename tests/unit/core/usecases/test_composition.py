"""Which streams a PK is composed into."""

from qlive_core.model.pk import Pk, PkState, Side
from qlive_core.usecases.composition import jobs_of

PK = Pk("pk-7", PkState.LIVE, Side("ann", "anns"), Side("bob", "bobs"), 10.0)


def test_both_hosts_are_in_the_streams_of_both() -> None:
    """Each host's stream is made of both hosts, from the RTC room in which both are."""
    first, second = jobs_of(PK)
    assert (first.host_id, second.host_id) == ("ann", "bob")
    assert first.user_ids == second.user_ids == ("ann", "bob")
    assert first.room_id == second.room_id == "bobs"


def test_jobs_are_known_by_their_pk() -> None:
    """Starting again starts the same jobs, and no two jobs are taken for one."""
    assert jobs_of(PK) == jobs_of(PK.moved_to(PkState.ENDED))
    assert len({job.id for job in jobs_of(PK)}) == 2
