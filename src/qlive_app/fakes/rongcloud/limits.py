"""Reading the fields of a call within the vendor's limits."""

from collections import defaultdict, deque

from qlive_app.fakes.rongcloud.answers import Wrong
from qlive_app.fakes.serving.wire import Request

_MOST_MINUTES = 43200


def one(request: Request, name: str, *, most_bytes: int = 0) -> str:
    """Return a field that has to be there. Raises Wrong."""
    value = request.field(name)
    if not value:
        raise Wrong(1003 if not request.form else 1002, f"{name} is required")
    if most_bytes and len(value.encode()) > most_bytes:
        raise Wrong(1005, f"{name} is longer than {most_bytes} bytes")
    return value


def several(request: Request, name: str, *, most: int) -> list[str]:
    """Return the values of a field that has to be there, once or repeated. Raises Wrong."""
    one(request, name)
    values = request.fields(name)
    if len(values) > most:
        raise Wrong(1005, f"{len(values)} times {name}; at most {most}")
    return values


def minutes(request: Request) -> int:
    """Return the field ``minute``, 1 to 43200. Raises Wrong."""
    value = one(request, "minute")
    if not value.isdigit() or not 1 <= int(value) <= _MOST_MINUTES:
        raise Wrong(1002, f"minute is {value!r}, not from 1 to {_MOST_MINUTES}")
    return int(value)


class Rate:
    """How often something was done within the last second, by key."""

    def __init__(self) -> None:
        self._done: defaultdict[str, deque[float]] = defaultdict(deque)

    def exceeds(self, key: str, limit: int, now: float) -> bool:
        """Count another time, unless there were ``limit`` in the last second; a limit of 0 is none."""
        if not limit:
            return False
        done = self._done[key]
        while done and done[0] <= now - 1:
            done.popleft()
        if len(done) >= limit:
            return True
        done.append(now)
        return False
