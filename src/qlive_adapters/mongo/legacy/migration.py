"""The migration as a whole."""

from qlive_adapters.mongo.gate import translated
from qlive_adapters.mongo.legacy.accounts import account_reasons, take_over_accounts
from qlive_adapters.mongo.legacy.backup import CopyingHand, Hand, NoHand
from qlive_adapters.mongo.legacy.connection import LegacyDatabase
from qlive_adapters.mongo.legacy.distrusted import distrusted_reasons, move_distrusted
from qlive_adapters.mongo.legacy.numbering import numbering_reasons, repair_numbering
from qlive_adapters.mongo.legacy.report import Report, Tally, Tell
from qlive_adapters.mongo.legacy.runs import begin_run, finish_run, unfinished_run


async def needs_migration(database: LegacyDatabase) -> tuple[str, ...]:
    """Return why the database needs the migration; nothing if it does not. Raises StoreUnavailable."""
    with translated():
        return (
            *(("a migration that was interrupted",) if await unfinished_run(database) else ()),
            *await distrusted_reasons(database),
            *await account_reasons(database),
            *await numbering_reasons(database),
        )


async def migrate(database: LegacyDatabase, *, dry_run: bool, tell: Tell) -> Report:
    """Take over what the original left, and report it; a dry run writes nothing.

    ``tell`` hears how far it is, and of every account that does not stay as it is. May be interrupted at any
    point and be called again. The original must not run meanwhile. Raises StoreUnavailable.
    """
    reasons = await needs_migration(database)
    if not reasons:
        return Report((), dry_run=dry_run)
    with translated():
        if dry_run:
            resumed = await unfinished_run(database) is not None
            tallies = await _take_over(database, NoHand(), tell)
            return Report(reasons, tallies, resumed=resumed, dry_run=True)
        run = await begin_run(database)
        tallies = await _take_over(database, CopyingHand(database, run.number), tell)
        await finish_run(database, run)
        return Report(reasons, tallies, run.number, run.resumed)


async def _take_over(database: LegacyDatabase, hand: Hand, tell: Tell) -> tuple[Tally, ...]:
    return (
        *await take_over_accounts(database, hand, tell),
        *await move_distrusted(database, hand, tell),
        *await repair_numbering(database, hand),
    )
