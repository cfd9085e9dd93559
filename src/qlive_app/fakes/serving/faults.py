"""What goes wrong on request: which calls it hits, how often, and whether they take effect all the same."""

import random
from fnmatch import fnmatchcase
from typing import Literal, get_args

from attrs import define, field, frozen
from attrs.validators import and_, ge, in_, le, optional

Kind = Literal["late", "answer", "reset", "silent", "half", "malformed"]
KINDS: dict[str, str] = {
    "late": "does what is asked, and answers after delay_s",
    "answer": "answers status and body instead",
    "reset": "resets the connection instead of answering; unless done, before the body is even read",
    "silent": "never answers, and leaves the connection open",
    "half": "does what is asked, and closes the connection halfway through the body",
    "malformed": "does what is asked, and answers a body that is cut off but of the right length",
}


@frozen
class Fault:
    """One thing that goes wrong.

    ``path`` is a pattern with ``*`` for the path without its query; ``method`` and ``listener`` (a number,
    counted from 0) narrow it down. It hits the next ``times`` calls, None for all of them, each with
    ``probability``. ``delay_s`` passes before it shows, with every kind. ``done`` says whether the call takes
    effect nevertheless; of late, half and malformed ones it always does.
    """

    kind: Kind = field(validator=in_(get_args(Kind)))
    path: str = field(default="*", kw_only=True)
    method: str | None = field(default=None, kw_only=True)
    listener: int | None = field(default=None, kw_only=True)
    times: int | None = field(default=1, kw_only=True, validator=optional(ge(1)))  # type: ignore[arg-type]
    probability: float = field(default=1.0, kw_only=True, validator=and_(ge(0), le(1)))
    delay_s: float = field(default=0.0, kw_only=True, validator=ge(0))
    status: int = field(default=503, kw_only=True, validator=and_(ge(200), le(999)))
    body: str | None = field(default=None, kw_only=True)
    done: bool = field(default=False, kw_only=True)

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out."""
        return self.done or self.kind in ("late", "half", "malformed")

    def hits(self, listener: int, method: str, path: str) -> bool:
        """Tell whether a call is meant."""
        return (
            fnmatchcase(path, self.path)
            and self.method in (None, method)
            and self.listener in (None, listener)
        )


@define
class _Planned:
    fault: Fault
    left: int | None


class Faults:
    """The faults to come. The first that hits a call is the one that shows; chance is drawn from ``seed``."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 -- to be repeatable is its purpose
        self._planned: list[_Planned] = []

    def add(self, *faults: Fault) -> None:
        """Have these go wrong, after those that are planned already."""
        self._planned += [_Planned(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        """Have nothing go wrong any more."""
        self._planned.clear()

    @property
    def planned(self) -> list[tuple[Fault, int | None]]:
        """What is to come, with how many calls each will hit still."""
        return [(each.fault, each.left) for each in self._planned]

    def draw(self, listener: int, method: str, path: str) -> Fault | None:
        """Return the fault that hits this call, and count it."""
        for each in self._planned:
            if each.fault.hits(listener, method, path) and self._chance.random() < each.fault.probability:
                if each.left is not None:
                    each.left -= 1
                    if not each.left:
                        self._planned.remove(each)
                return each.fault
        return None
