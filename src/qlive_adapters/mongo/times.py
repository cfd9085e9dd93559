"""Unix seconds and BSON dates.

A BSON date counts milliseconds, a fact's time is exact. Where the original has a date, which its tools and
its operators read, the exact seconds lie in a field beside it; they count as long as they mean that date.
"""

from datetime import UTC, datetime

_SAME_S = 0.002

EPOCH = datetime.fromtimestamp(0, UTC)


def date_of(seconds: float) -> datetime:
    """Return the BSON date of a time."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds_of(date: datetime, exact: float | None) -> float:
    """Return the time that a date and the exact seconds beside it mean.

    If they disagree, somebody who knows only the date has changed it, so the date counts.
    """
    seconds = date.timestamp()
    if exact is not None and abs(exact - seconds) < _SAME_S:
        return exact
    return seconds
