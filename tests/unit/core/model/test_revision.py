"""Where revisions begin."""

from qlive_core.model.revision import first_revision


def test_a_later_fact_under_the_same_key_begins_higher() -> None:
    """A successor that is a millisecond younger is ahead of any number of changes that fit in between."""
    assert first_revision(1_700_000_000.001) >= first_revision(1_700_000_000.0) + 999
    assert isinstance(first_revision(1_700_000_000.5), int)
