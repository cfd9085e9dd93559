"""What the stores have in common: one table of facts, each with a key and a revision."""

import sqlite3
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from attrs import field, frozen

from qlive_adapters.sqlite.engine import Engine
from qlive_core.errors import Duplicate, Stale

Row = tuple[Any, ...]

_TAKEN = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


class Revised(Protocol):
    """A fact."""

    @property
    def rev(self) -> int:
        """Return its revision."""
        ...


Fact = TypeVar("Fact", bound=Revised)


@frozen
class Table(Generic[Fact]):
    """How a fact lies in its table.

    ``columns`` starts with the key and leaves out the revision, which every table has as its last column.
    ``encode`` returns the values of the columns, ``decode`` takes them and the revision.
    """

    fact: type[Fact]
    name: str
    columns: tuple[str, ...]
    encode: Callable[[Fact], Row]
    decode: Callable[[Row], Fact]
    select: str = field(init=False)
    insert: str = field(init=False)
    update: str = field(init=False)
    delete: str = field(init=False)

    # The names in these statements are constants of this package; values are always bound.

    @select.default
    def _select(self) -> str:
        return f"SELECT {', '.join(self.columns)}, rev FROM {self.name} "  # noqa: S608 - see above

    @insert.default
    def _insert(self) -> str:
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}, rev) VALUES ({marks}, ?)"  # noqa: S608 - see above

    @update.default
    def _update(self) -> str:
        changes = ", ".join(f"{column} = ?" for column in self.columns)
        return f"UPDATE {self.name} SET {changes}, rev = rev + 1 WHERE {self.columns[0]} = ? AND rev = ?"  # noqa: S608 - see above

    @delete.default
    def _delete(self) -> str:
        return f"DELETE FROM {self.name} WHERE {self.columns[0]} = ? AND rev = ?"  # noqa: S608 - see above


class SqliteFacts(Generic[Fact]):
    """A store of the facts of one table. Subclasses name the table and add the queries of their port."""

    table: ClassVar[Table[Any]]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_key = f"WHERE {self.table.columns[0]} = ?"

    async def get(self, key: str) -> Fact | None:
        """As FactStore.get."""
        return self._first(self._by_key, key)

    async def replace(self, fact: Fact) -> Fact:
        """As FactStore.replace."""
        return await self._engine.write(lambda connection: self._update(connection, fact))

    async def remove(self, fact: Fact) -> None:
        """As FactStore.remove."""
        await self._engine.write(lambda connection: self._delete(connection, fact))

    def _first(self, condition: str, *parameters: Any) -> Fact | None:
        facts = self._select(condition, *parameters)
        return facts[0] if facts else None

    def _select(self, condition: str = "", *parameters: Any) -> list[Fact]:
        decode = self.table.decode
        return [decode(row) for row in self._engine.read(self.table.select + condition, parameters)]

    def _insert(self, connection: sqlite3.Connection, fact: Fact) -> None:
        self._change(connection, self.table.insert, (*self.table.encode(fact), fact.rev))

    def _update(self, connection: sqlite3.Connection, fact: Fact) -> Fact:
        row = self.table.encode(fact)
        if self._change(connection, self.table.update, (*row, row[0], fact.rev)) == 0:
            raise Stale(self.table.fact.__name__, row[0])
        replaced: Fact = self.table.decode((*row, fact.rev + 1))
        return replaced

    def _delete(self, connection: sqlite3.Connection, fact: Fact) -> None:
        key = self.table.encode(fact)[0]
        if self._change(connection, self.table.delete, (key, fact.rev)) == 0:
            raise Stale(self.table.fact.__name__, key)

    def _change(self, connection: sqlite3.Connection, sql: str, parameters: Row) -> int:
        """Run a statement and return how many rows it changed. Raises Duplicate."""
        try:
            return connection.execute(sql, parameters).rowcount
        except sqlite3.IntegrityError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: sqlite3.IntegrityError) -> Exception:
        if error.sqlite_errorcode not in _TAKEN:
            return error
        # SQLite says "UNIQUE constraint failed: room.name".
        return Duplicate(self.table.fact.__name__, str(error).rpartition(".")[2])

    async def _delete_where(self, condition: str, *parameters: Any) -> int:
        sql = f"DELETE FROM {self.table.name} {condition}"  # noqa: S608 - both are constants of this package
        return await self._engine.write(
            lambda connection: connection.execute(sql, parameters).rowcount, long=True
        )


class SqliteFactStore(SqliteFacts[Fact]):
    """A store to which a fact is added under no other condition than that it is unique."""

    async def add(self, fact: Fact) -> None:
        """As FactStore.add."""
        await self._engine.write(lambda connection: self._insert(connection, fact))
