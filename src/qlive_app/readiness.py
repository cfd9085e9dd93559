"""Whether this process can serve, and where."""

from collections.abc import Sequence


class Health:
    """What ``/readyz`` tells. A server begins unready, and becomes so again when it shuts down."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {"server": "starting"}
        self.signalling_port = 0
        """The port on which the signalling endpoint really listens, once it does."""

    def problems(self) -> Sequence[str]:
        """Return what keeps this process from serving; nothing if it is ready."""
        return [f"{part}: {problem}" for part, problem in self._problems.items()]

    def report(self, part: str, problem: str) -> None:
        """Say what is wrong with a part, or "" when it is well."""
        if problem:
            self._problems[part] = problem
        else:
            self._problems.pop(part, None)
