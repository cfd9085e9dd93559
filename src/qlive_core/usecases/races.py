"""Losing a race is normal: decide again on what is true now."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from qlive_core.errors import LostRace, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 128
"""More than a hundred callers at once for one fact are no honest crowd."""


class Contended(Unavailable):
    """The same facts were changed by others again and again."""

    code = "store.contended"


def redecided(use_case: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Run the use case anew when its commit lost a race, a bounded number of times.

    Whoever loses has seen somebody else win, so the whole always moves on; raises Contended if this caller
    lost every time.
    """

    @functools.wraps(use_case)
    async def deciding(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return await use_case(*args, **kwargs)
            except LostRace:
                continue
        try:
            return await use_case(*args, **kwargs)
        except LostRace as lost:
            raise Contended from lost

    return deciding
