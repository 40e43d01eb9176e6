"""Clean tables to one: the keys they share, and the user's query on them."""

from collections.abc import Mapping, Sequence

import duckdb

from sagetree.errors import DataError, SettingsError, quote
from sagetree.prepare.csv_blocks import check_names
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import find_name, listing
from sagetree.prepare.query import Query
from sagetree.prepare.records import Cleaned

JOINED = "made.joined"


def count_unmatched(db: Database, tables: Sequence[Cleaned]) -> Mapping[tuple[str, str], int]:
    """Return for each pair of tables how many keys of the first the second lacks.

    Raises DataError for a table that shares no key with any other: its key is
    another column, or written another way.
    """
    unmatched = {
        (left.table, right.table): _count_lacking(db, left, right)
        for left in tables
        for right in tables
        if left is not right
    }
    for table in tables:
        others = [other for other in tables if other is not table]
        if others and all(unmatched[table.table, o.table] == table.kept for o in others):
            raise _no_match(db, table, others)
    return unmatched


def _count_lacking(db: Database, left: Cleaned, right: Cleaned) -> int:
    return db.count(
        f"main.{identifier(left.table)} l ANTI JOIN main.{identifier(right.table)} r "
        f"ON l.{identifier(left.key)} = r.{identifier(right.key)}"
    )


def _no_match(db: Database, table: Cleaned, others: Sequence[Cleaned]) -> DataError:
    names = ", ".join(other.table for other in others)
    mine, theirs = (
        db.row(f"SELECT min({identifier(t.key)}) FROM main.{identifier(t.table)}")[0]
        for t in (table, others[0])
    )
    return DataError(
        f"no key of {table.table} is in {names}: it has keys such as {quote(mine)}, "
        f"{others[0].table} such as {quote(theirs)}",
        where=f"column {quote(table.key)}",
        hint="Name the column that the tables share with --key, and write its values alike",
    )


def join(db: Database, query: Query, key: str) -> str:
    """Run the query and return the key column's name in its result.

    Raises SettingsError for a query that fails, or whose result has no key;
    DataError where the result is empty or has rows without a key.
    """
    try:
        names = tuple(name for name, *_ in db.rows(f"DESCRIBE {query.text}"))
        check_names(names, query.name)
        db.run(f"CREATE TABLE {JOINED} AS {query.text}")
    except duckdb.Error as error:
        tables = db.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'")
        hint = f"Correct the query; the tables are {listing(sorted(name for (name,) in tables))}"
        # What follows the empty line quotes the statement, of which the query is a part.
        reason = "; ".join(str(error).partition("\n\n")[0].splitlines())
        raise SettingsError(reason, where=query.name, hint=hint) from error
    column = find_name(names, key)
    if column is None:
        raise SettingsError(
            f"the result has no key column {quote(key)}; its columns are {listing(names)}",
            where=query.name,
            hint="Select the key: the rows are split by it",
        )
    rows, keys = db.row(f"SELECT count(*), count({identifier(column)}) FROM {JOINED}")
    if not rows:
        raise DataError(
            "the result has no rows", where=query.name, hint="Is a condition too strict?"
        )
    if keys < rows:
        raise DataError(
            f"{rows - keys} of {rows} rows of the result have no key",
            where=f"{query.name}, column {quote(column)}",
            hint="Select the key of the table that has all of them: the rows are split by it",
        )
    return column
