"""Taking over a database that the original server wrote.

`connected` opens it, `needs_migration` says whether and why there is anything to do, and `migrate` does it, or
with ``dry_run`` only says what it would do. Accounts and the numbering of feedback are kept. Whatever else the
original left (rooms, active users, codes) cannot be trusted once it has stopped, and is moved away.

Before a document is changed or removed, the server copies it into ``qlive_migration_backup``. So a migration may
be interrupted at any point and started again: what is still to be done is told from the documents themselves.
"""

from qlive_adapters.mongo.legacy.connection import LegacyDatabase, connected
from qlive_adapters.mongo.legacy.migration import migrate, needs_migration
from qlive_adapters.mongo.legacy.report import Notice, Progress, Report, Tally, Tell

__all__ = [
    "LegacyDatabase",
    "Notice",
    "Progress",
    "Report",
    "Tally",
    "Tell",
    "connected",
    "migrate",
    "needs_migration",
]
