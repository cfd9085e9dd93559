"""How the report of a migration looks on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qlive_adapters.mongo.legacy import Report


def rendered(report: Report, database: str) -> RenderableType:
    """Return the report as a table, with a word before and one after it."""
    if report.nothing_to_do:
        return Text(f"{database}: nothing to do")
    found = Text(f"{database} holds {', '.join(report.reasons)}.")
    return Group(found, _table(report), Text(_last_word(report)))


def _table(report: Report) -> Table:
    table = Table("what", "how many", "would be" if report.dry_run else "was")
    table.columns[1].justify = "right"
    for tally in report.tallies:
        if tally.count:
            table.add_row(tally.what, str(tally.count), tally.done)
    return table


def _last_word(report: Report) -> str:
    before = "An earlier run was interrupted; this is what was left. " if report.resumed else ""
    if report.dry_run:
        return f"{before}Dry run: nothing was written."
    return f"{before}What was changed or moved is kept in qlive_migration_backup, as run {report.run}."
