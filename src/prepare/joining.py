"""Clean tables to one: the keys they share, and the user's query on them."""

from collections.abc import Mapping, Sequence

import duckdb

from sagetree.errors import DataError, SettingsError, did_you_mean, quote
from sagetree.prepare.csv_blocks import check_names
from sagetree.prepare.database import Database, QueryError, identifier
from sagetree.prepare.inputs import find_name, listing
from sagetree.prepare.loading import RawTable
from sagetree.prepare.query import Query
from sagetree.prepare.records import Cleaned, RecordColumns

JOINED = "made.joined"


def count_unmatched(
    db: Database, tables: Sequence[Cleaned], key: str
) -> Mapping[tuple[str, str], int]:
    """Return for each pair of tables how many keys of the first the second lacks.

    Raises DataError for a table that shares no key with any other: its key is
    another column, or written another way.
    """
    unmatched = {
        (left.table, right.table): db.count(
            f"main.{identifier(left.table)} l ANTI JOIN main.{identifier(right.table)} r "
            f"USING ({identifier(key)})"
        )
        for left in tables
        for right in tables
        if left is not right
    }
    for table in tables:
        others = [other for other in tables if other is not table]
        if others and all(unmatched[table.table, o.table] == table.kept for o in others):
            raise _no_match(db, table, others, key)
    return unmatched


def _no_match(db: Database, table: Cleaned, others: Sequence[Cleaned], key: str) -> DataError:
    names = ", ".join(other.table for other in others)
    mine, theirs = (
        db.row(f"SELECT min({identifier(key)}) FROM main.{identifier(t.table)}")[0]
        for t in (table, others[0])
    )
    return DataError(
        f"no key of {table.table} is in {names}: it has keys such as {quote(mine)}, "
        f"{others[0].table} such as {quote(theirs)}",
        where=f"column {quote(key)}",
        hint="Name the column that the tables share with --key, and write its values alike",
    )


def table_query(tables: Sequence[RawTable], columns: RecordColumns | None, label: str) -> Query:
    """Return the query that stands for one that is not given.

    One table is taken as it is. Of several the one with the label keeps all its
    rows, and the others are joined to it by the key: a row of another table is not a case to learn
    from. Raises SettingsError where no key or label says how, DataError where a column is in
    several tables.
    """
    name = f"the table {tables[0].name}" if len(tables) == 1 else "the tables, joined"
    if len(tables) == 1:
        return Query(f"SELECT * FROM {identifier(tables[0].name)}", name, frozenset())
    if columns is None:
        raise SettingsError(
            f"not given, and there are several tables: {listing(t.name for t in tables)}",
            where="--key",
            hint="Name the column that they share with --key, or a query with --sql; put files "
            "of one table into one folder",
        )
    _check_apart(tables, columns)
    labelled = [table for table in tables if find_name(table.columns, label)]
    if not labelled:
        raise SettingsError(
            f"column {quote(label)} is missing from all tables: {listing(t.name for t in tables)}",
            where="--label",
            hint="Name the label as its table does, or write a query (--sql)",
        )
    first = labelled[0]
    joined = (_joined(table, columns) for table in tables if table is not first)
    text = f"SELECT * FROM {identifier(first.name)} {' '.join(joined)}"
    return Query(text, name, frozenset())


def _joined(table: RawTable, columns: RecordColumns) -> str:
    time = find_name(table.columns, columns.event_time)
    left_out = f"EXCLUDE ({identifier(time)}) " if time and columns.keeps_time else ""
    return (
        f"LEFT JOIN (SELECT * {left_out}FROM {identifier(table.name)}) "
        f"USING ({identifier(columns.key)})"
    )


def _check_apart(tables: Sequence[RawTable], columns: RecordColumns) -> None:
    """Raise DataError for columns that several tables have, but those that tell records apart."""
    known = {name.lower() for name in (columns.key, columns.event_time, columns.deleted)}
    holders: dict[str, list[str]] = {}
    for table in tables:
        for column in table.columns:
            if column.lower() not in known:
                holders.setdefault(column.lower(), []).append(table.name)
    shared = [name for name, names in holders.items() if len(names) > 1]
    if shared:
        raise DataError(
            f"the columns {listing(shared)} are in several tables, "
            f"{quote(shared[0])} in {listing(holders[shared[0]])}",
            hint="Give each its own name, or say which to take with a query (--sql)",
        )


def join(db: Database, query: Query, key: str | None) -> str | None:
    """Run the query and return the key column's name in its result, if there is a key.

    Raises SettingsError for a query that fails, or whose result has no key;
    DataError where the result is empty or has rows without a key.
    """
    try:
        names = tuple(name for name, _ in db.described(query.text))
        check_names(names, query.name)
        db.create_as(JOINED, query.text)
    except (duckdb.Error, QueryError) as error:
        hint = f"Correct the query; the tables are {listing(db.tables())}"
        # What follows the empty line quotes the statement, and the query is a part of it.
        said = error.message if isinstance(error, QueryError) else str(error)
        reason = "; ".join(said.partition("\n\n")[0].splitlines())
        raise SettingsError(reason, where=query.name, hint=hint) from error
    if not db.count(JOINED):
        hint = "Is a condition too strict, or every record deleted?"
        raise DataError("the result has no rows", where=query.name, hint=hint)
    return None if key is None else _key_of(db, names, query, key)


def joined_column(db: Database, column: str, option: str) -> tuple[str, str]:
    """Return the name and the type of a column of the joined rows.

    Raises SettingsError where it is none; `option` has named it.
    """
    columns = db.columns(JOINED)
    name = find_name(columns, column)
    if name is None:
        raise SettingsError(
            f"column {quote(column)} is missing from the joined table"
            f"{did_you_mean(column, columns)}",
            where=option,
            hint=f"The columns are {listing(columns)}",
        )
    return name, columns[name]


def _key_of(db: Database, names: Sequence[str], query: Query, key: str) -> str:
    column = find_name(names, key)
    if column is None:
        raise SettingsError(
            f"the result has no key column {quote(key)}; its columns are {listing(names)}",
            where=query.name,
            hint="Select the key: the rows are split by it",
        )
    rows, keys = db.row(f"SELECT count(*), count({identifier(column)}) FROM {JOINED}")
    if keys < rows:
        raise DataError(
            f"{rows - keys} of {rows} rows of the result have no key",
            where=f"{query.name}, column {quote(column)}",
            hint="Select the key of the table that has all of them: the rows are split by it",
        )
    return column
