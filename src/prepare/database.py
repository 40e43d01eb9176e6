"""What a job runs its SQL on, and DuckDB: on disk, within a memory limit, without a network."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from sagetree.errors import PlatformError
from sagetree.machine.cores import usable_cores

# Source: DuckDB documentation, "Tuning workloads": below 125 MB for each thread it may run out.
BYTES_PER_THREAD = 125_000_000

# The database makes a table of its own of each chunk of Arrow rows, with room for this many in
# every column: of 4000 columns 130 MB, for the 30 rows that a block of a CSV file has.
ROOM_ROWS = 2048

# Seconds between two looks for a signal, and between two interrupts.
_GLANCE, _BETWEEN_INTERRUPTS = 0.5, 0.05

# Tables as they were read, and what is made of them: apart from the user's names.
_SCHEMAS = ("raw", "made")


def identifier(name: str) -> str:
    """Return a column's or table's name as SQL, whatever characters it has.

    >>> identifier('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as SQL.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


class QueryError(PlatformError):
    """What an engine other than DuckDB says about a query that fails."""


class Database(ABC):
    """What SQL in DuckDB's dialect runs on: DuckDB itself, or an engine that takes it over."""

    @abstractmethod
    def run(self, sql: str, values: Sequence[object] = ()) -> object:
        """Run a statement. Raises PlatformError where memory or disk do not suffice."""

    @abstractmethod
    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises PlatformError as `run` does."""

    @abstractmethod
    def create(self, table: str, rows: pa.Table) -> None:
        """Make a table of Arrow rows."""

    @abstractmethod
    def create_as(self, table: str, query: str) -> None:
        """Make a table of the result of a user's query."""

    @abstractmethod
    def text(self, cell: str, kind: str) -> str:
        """Return the SQL of a cell of this type as text, the same text on every engine."""

    @abstractmethod
    def columns(self, table: str) -> dict[str, str]:
        """Return the names and types of the columns of a table (as DuckDB's SQL), in order."""

    @abstractmethod
    def described(self, query: str) -> Sequence[tuple[str, str]]:
        """Return the names and types that the columns of a query's result have, in order."""

    @abstractmethod
    def tables(self) -> Sequence[str]:
        """Return the names of the tables that a user's query sees, in order."""

    def row(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
        """Return the one row of a query."""
        return self.rows(sql, values)[0]

    def count(self, table: str) -> int:
        """Return the number of a table's rows."""
        return int(self.row(f"SELECT count(*) FROM {table}")[0])


@dataclass(frozen=True)
class DuckDatabase(Database):
    """A connection, and the few ways it is asked. What it cannot do raises duckdb.Error.

    Statements run in `thread`, which has one worker.
    """

    connection: duckdb.DuckDBPyConnection
    thread: ThreadPoolExecutor

    def run(self, sql: str, values: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Run a statement and return what holds its result.

        Raises PlatformError where memory or disk do not suffice.
        """
        # In a thread: within a query the database heeds a signal late or never, and keeps
        # from us what its handler raised.
        statement: Future[duckdb.DuckDBPyConnection] = Future()
        with _machine_errors():
            try:
                self.thread.submit(self._work, statement, sql, list(values))
                # A signal just before this thread sleeps is seen only when it wakes.
                while not wait([statement], timeout=_GLANCE).done:
                    pass
                return statement.result()
            except BaseException:
                self._call_off(statement)
                raise

    def _work(
        self, statement: Future[duckdb.DuckDBPyConnection], sql: str, values: list[object]
    ) -> None:
        if not statement.set_running_or_notify_cancel():
            return
        try:
            statement.set_result(self.connection.execute(sql, values))
        except BaseException as error:
            statement.set_exception(error)

    def _call_off(self, statement: Future[duckdb.DuckDBPyConnection]) -> None:
        """End a statement, or keep it from beginning; then the connection is free again.

        A query that has not begun does not heed an interrupt, so there may be several.
        """
        while not statement.cancel() and not statement.done():
            self.connection.interrupt()
            wait([statement], timeout=_BETWEEN_INTERRUPTS)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises PlatformError as `run` does."""
        return self.run(sql, values).fetchall()

    def insert(self, table: str, columns: str, rows: pa.Table) -> None:
        """Append Arrow rows to a table by name, `columns` being what is selected of them."""
        self.connection.register("incoming", _in_larger_chunks(rows))
        self.run(f"INSERT INTO {table} BY NAME SELECT {columns} FROM incoming")
        self.connection.unregister("incoming")

    def create(self, table: str, rows: pa.Table) -> None:
        """Make a table of Arrow rows."""
        self.connection.register("incoming", rows)
        self.run(f"CREATE TABLE {table} AS FROM incoming")
        self.connection.unregister("incoming")

    def create_as(self, table: str, query: str) -> None:
        """Make a table of the result of a user's query."""
        self.run(f"CREATE TABLE {table} AS {query}")

    def text(self, cell: str, kind: str) -> str:  # noqa: ARG002 - of any type
        """Return the SQL of a cell as text."""
        return f"CAST({cell} AS VARCHAR)"

    def columns(self, table: str) -> dict[str, str]:
        """Return the names and types of the columns of a table (as SQL), in order."""
        return dict(self.described(table))

    def described(self, query: str) -> Sequence[tuple[str, str]]:
        """Return the names and types that the columns of a query's result have, in order."""
        return [(name, kind) for name, kind, *_ in self.rows(f"DESCRIBE {query}")]

    def tables(self) -> Sequence[str]:
        """Return the names of the tables that a user's query sees, in order."""
        found = self.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'")
        return sorted(name for (name,) in found)

    def confine(self, folders: Iterable[Path]) -> None:
        """Let no later statement open a file outside `folders`, nor change a setting."""
        allowed = ", ".join(literal(str(folder.resolve())) for folder in folders)
        self.run(f"SET allowed_directories = [{allowed}]")
        self.run("SET enable_external_access = false")
        self.run("SET lock_configuration = true")


def _in_larger_chunks(rows: pa.Table) -> pa.Table:
    """Return rows whose chunks are no smaller than the room that is made for each."""
    chunks = max((column.num_chunks for column in rows.itercolumns()), default=0)
    if rows.num_rows >= chunks * ROOM_ROWS:
        return rows
    return pa.Table.from_batches(rows.combine_chunks().to_batches(ROOM_ROWS), rows.schema)


@contextmanager
def _machine_errors() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise _lacks_memory() from error
    except duckdb.IOException as error:
        raise _lacks_disk() from error
    except (duckdb.FatalException, duckdb.TransactionException) as error:
        # What fails while the database writes its file has its cause in the text alone.
        if "block of size" in str(error):
            raise _lacks_memory() from error
        if ' file "' in str(error):
            raise _lacks_disk() from error
        raise


def _lacks_memory() -> PlatformError:
    return PlatformError(
        "the tables need more memory, or more room in the temporary folder, than there is",
        hint="Raise --memory-limit, let TMPDIR name a larger disk, or use a larger instance",
    )


def _lacks_disk() -> PlatformError:
    return PlatformError(
        "a file could not be read or written",
        hint="Is the disk of the temporary folder (TMPDIR) or of the output full?",
    )


@contextmanager
def open_database(memory_limit: int) -> Iterator[DuckDatabase]:
    """Yield an empty database; what exceeds the limit goes to a temporary folder."""
    with TemporaryDirectory(prefix="sagetree-prepare-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_limit}B",
            "temp_directory": str(Path(folder) / "spill"),
            "threads": max(1, min(usable_cores(), memory_limit // BYTES_PER_THREAD)),
            # a job has no network, and needs nothing that is not built in
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # a query names tables, not variables of this program
            "python_enable_replacements": "false",
        }
        with (
            _machine_errors(),
            duckdb.connect(str(Path(folder) / "work.duckdb"), config=config) as connection,
            ThreadPoolExecutor(max_workers=1) as thread,
        ):
            database = DuckDatabase(connection, thread)
            database.run("SET TimeZone = 'UTC'")
            # planned in a time that grows with the square of the columns: seconds of 8000
            database.run("SET disabled_optimizers = 'compressed_materialization'")
            for schema in _SCHEMAS:
                database.run(f"CREATE SCHEMA {schema}")
            yield database
