"""What a migration tells: while it runs, and in the end."""

from collections.abc import Callable

from attrs import frozen


@frozen
class Progress:
    """``done`` documents of about ``total`` have been looked at in this step."""

    step: str
    done: int
    total: int


@frozen
class Notice:
    """Something about a single document that the operator should know. Phones in it are masked."""

    text: str


Tell = Callable[[Progress | Notice], None]


@frozen
class Tally:
    """How many documents of a kind there were, and what was done with them."""

    what: str
    count: int
    done: str

    def __str__(self) -> str:
        return f"{self.what}: {self.count} {self.done}"


@frozen
class Report:
    """What a migration has done or, in a dry run, would do.

    ``reasons`` is why it was needed; it is empty if there was nothing to do. ``run`` is the number under which
    the backup keeps its copies, or None if nothing was written. ``resumed`` says that an earlier attempt was
    interrupted; then the tallies count what was left to do.
    """

    reasons: tuple[str, ...]
    tallies: tuple[Tally, ...] = ()
    run: int | None = None
    resumed: bool = False
    dry_run: bool = False

    @property
    def nothing_to_do(self) -> bool:
        """Whether the database was in order already."""
        return not self.reasons


def masked(phone: str) -> str:
    """Return the phone with its middle hidden, so that its owner's operator knows it and nobody else."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else f"****{phone[-2:]}"
