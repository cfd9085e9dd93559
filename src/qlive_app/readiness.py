"""Whether this process can serve, and where."""

from collections.abc import Mapping, Sequence


class Health:
    """What ``/readyz`` tells. A server begins unready, and becomes so again when it shuts down.

    A problem keeps it from serving; with a trouble it serves, but not as well as it should.
    """

    def __init__(self) -> None:
        self._problems: dict[str, str] = {"server": "starting"}
        self._troubles: dict[str, str] = {}
        self.signalling_port = 0
        """The port on which the signalling endpoint really listens, once it does."""

    def problems(self) -> Sequence[str]:
        """Return what keeps this process from serving; nothing if it is ready."""
        return _lines(self._problems)

    def troubles(self) -> Sequence[str]:
        """Return what is wrong beside that; nothing if all is well."""
        return _lines(self._troubles)

    def report(self, part: str, problem: str) -> None:
        """Say what keeps a part from serving, or "" when it is well."""
        _note(self._problems, part, problem)

    def report_trouble(self, part: str, trouble: str) -> None:
        """Say what is wrong with a part that others can do without, or "" when it is well."""
        _note(self._troubles, part, trouble)


def _lines(noted: Mapping[str, str]) -> list[str]:
    return [f"{part}: {what}" for part, what in noted.items()]


def _note(noted: dict[str, str], part: str, what: str) -> None:
    if what:
        noted[part] = what
    else:
        noted.pop(part, None)
