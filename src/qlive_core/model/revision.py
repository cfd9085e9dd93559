"""Where revisions begin."""


def first_revision(now: float) -> int:
    """Return the revision of a fact that is new at ``now`` (Unix seconds).

    A user's place, presence and session come and go under the same key. If each began with 1, a late write
    that was meant for the one before could pass the guard of its successor; so they begin with the time, in
    microseconds, which only grows.
    """
    return int(now * 1_000_000)
