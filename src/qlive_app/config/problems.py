"""What is wrong, or odd, in a configuration: collected, so that the operator sees all of it at once."""

from collections.abc import Iterable

import attrs


@attrs.frozen
class Problem:
    """One finding: where in the file (a key such as `sms.provider`, or a line), what, and what to do."""

    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.path, f"{self.message}; {self.remedy}")))


class ConfigError(Exception):
    """The configuration cannot be used; `problems` holds every reason, and never a secret.

    `warnings` is what the operator should know besides: a misspelt key may well be the cause of a problem.
    """

    def __init__(self, source: str, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.source = source
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


@attrs.define
class Report:
    """The findings so far."""

    problems: list[Problem] = attrs.Factory(list)
    warnings: list[Problem] = attrs.Factory(list)
    notes: list[Problem] = attrs.Factory(list)

    def error(self, path: str, message: str, remedy: str, *, involves: Iterable[str] = ()) -> None:
        """Add what makes the configuration unusable.

        Keys that are known to be wrong stand at their defaults, so nothing more is concluded from them: the
        finding is dropped when its key, or another one that it `involves`, has been reported already.
        """
        if not any(self._is_faulty(each) for each in (path, *involves)):
            self.problems.append(Problem(path, message, remedy))

    def warn(self, path: str, message: str, remedy: str) -> None:
        """Add what the operator should know but what does no harm."""
        self.warnings.append(Problem(path, message, remedy))

    def note(self, path: str, message: str, remedy: str) -> None:
        """Add what is meant for trying out, and a danger where strangers are."""
        self.notes.append(Problem(path, message, remedy))

    def _is_faulty(self, path: str) -> bool:
        return any(path == each.path or path.startswith(f"{each.path}.") for each in self.problems)
