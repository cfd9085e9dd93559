"""One transaction for many callers, each with an outcome of his own."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from attrs import frozen

from qlive_core.errors import StoreUnavailable

Operation = Callable[[sqlite3.Connection], Any]


@frozen
class Outcome:
    """What came of one operation: its value, unless there is an error."""

    value: Any = None
    error: Exception | None = None


def run(connection: sqlite3.Connection, operations: Sequence[Operation]) -> list[Outcome]:
    """Begin a transaction, run the operations in it and return their outcomes, in order.

    An operation that fails undoes nothing of the others. Raises sqlite3.Error if the transaction fails; then
    it is rolled back.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        return [_attempt(connection, operation) for operation in operations]
    except sqlite3.Error:
        roll_back(connection)
        raise


def seal(connection: sqlite3.Connection) -> None:
    """Commit. Raises sqlite3.Error if that fails; then nothing of the transaction is kept."""
    try:
        connection.execute("COMMIT")
    except sqlite3.Error:
        roll_back(connection)
        raise


def is_locked(error: sqlite3.Error) -> bool:
    """Tell whether somebody else holds the lock; then nothing has been done."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def all_failed(operations: Sequence[object], error: BaseException) -> list[Outcome]:
    """Return the outcomes of a transaction that failed: an error for each."""
    return [Outcome(error=unavailable(error)) for _ in operations]


def roll_back(connection: sqlite3.Connection) -> None:
    """End the transaction, if there is one, with nothing of it kept."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _attempt(connection: sqlite3.Connection, operation: Operation) -> Outcome:
    outcome = _outcome(connection, operation)
    # On a full disk, say, SQLite may roll everything back by itself; what came next would commit on its own.
    if not connection.in_transaction:
        raise sqlite3.OperationalError("the transaction was rolled back") from outcome.error
    return outcome


def _outcome(connection: sqlite3.Connection, operation: Operation) -> Outcome:
    try:
        return Outcome(operation(connection))
    except sqlite3.Error as error:
        return Outcome(error=unavailable(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to that caller alone
        return Outcome(error=error)


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return the error as the ports know it."""
    failure = StoreUnavailable(str(error))
    failure.__cause__ = error
    return failure
