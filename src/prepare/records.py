"""From an append-only store's records to one row per key: the latest, if not deleted."""

from collections.abc import Mapping
from dataclasses import dataclass

from sagetree.errors import DataError, quote
from sagetree.machine.program import LOG
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import find_name, listing
from sagetree.prepare.kinds import TIMES_HINT, key_column, order_of_times, typed_cells
from sagetree.prepare.loading import TEXT, RawTable
from sagetree.prepare.stores.feature_store import DELETED

_DELETED = ("true", "1", "1.0")
_ALIVE = ("false", "0", "0.0", "")

# The records of keys that have several, and those of them that a later one replaces.
_REPEATED = "made.repeated"
_REPLACED = "made.replaced"


@dataclass(frozen=True)
class RecordColumns:
    """The columns that tell records apart; event time and mark need not be there.

    `keeps_time` says that the event time is needed later: the rows are split by it.
    """

    key: str
    event_time: str
    deleted: str
    keeps_time: bool = False


@dataclass(frozen=True)
class Cleaned:
    """What became of one table's rows: read = headers + duplicates + deleted + kept."""

    table: str
    read: int
    headers: int
    duplicates: int
    deleted: int
    kept: int
    nameless: tuple[str, ...]


def keep_latest(db: Database, raw: RawTable, key: str, columns: RecordColumns) -> Cleaned:
    """Make the table of the latest record of each key, `key` being the key as SQL.

    Of records with the same key the one with the latest event time stays, of
    equals in a feature store the one that came last, else the last in file
    order; a key whose latest record is deleted goes.
    Raises DataError for rows without a key, keys with different rows but no
    time to choose by, and times and deletion marks that are none.
    """
    time = find_name(raw.columns, columns.event_time)
    mark = DELETED if raw.written else find_name(raw.columns, columns.deleted)
    _check_time(raw, time, columns)
    cells = typed_cells(db, raw)
    name = key_column(raw, columns.key)
    cells[name] = key
    _check_keys(db, raw, name)
    _find_repeated(db, raw, key, time)
    if time is None:
        _check_equal(db, raw, cells, columns)
    order = "" if time is None else f"{_time(db, raw, time)} DESC, "
    order += "".join(f"{raw.cell(column)} DESC NULLS LAST, " for column in raw.written)
    db.run(
        f"CREATE OR REPLACE TABLE {_REPLACED} AS SELECT number FROM (SELECT number, row_number() "
        f"OVER (PARTITION BY key ORDER BY {order}number DESC) AS place FROM {_REPEATED}) "
        "WHERE place > 1"
    )
    left_out = (mark,) if columns.keeps_time else (time, mark)
    left = [column for column in cells if column not in left_out]
    selected = ", ".join(f"{cells[column]} AS {identifier(column)}" for column in left)
    db.run(
        f"CREATE TABLE main.{identifier(raw.name)} AS SELECT {selected} FROM {raw.sql} t "
        f"ANTI JOIN {_REPLACED} r ON t.rowid = r.number WHERE NOT {_deleted(db, raw, mark)}"
    )
    db.run(f"DROP TABLE {raw.sql}")
    return _counted(db, raw, db.count(_REPLACED))


def _check_time(raw: RawTable, time: str | None, columns: RecordColumns) -> None:
    """Raise DataError for a feature store's table without the column of event times."""
    if raw.written and time is None:
        raise DataError(
            f"this is a feature group's offline store, and column {quote(columns.event_time)}, "
            "which says which record of a key is the latest, is missing from it",
            where=f"table {raw.name}",
            hint=f"Name the group's event time feature with --event-time; the columns are "
            f"{listing(raw.columns)}",
        )


def keep_all(db: Database, raw: RawTable, columns: tuple[str, str]) -> Cleaned:
    """Make the table of all its records; `columns` (event time, mark) would choose among them.

    Without a key nothing says which records are of one thing, so that a column
    of event times or of deletion marks is a column like others, which is logged.
    """
    unused = [found for name in columns if (found := find_name(raw.columns, name))]
    if unused:
        LOG.warning(
            "Warning: all rows of the table %s are kept, whatever its column %s says: without "
            "--key no row can be the latest of several",
            raw.name,
            " and ".join(map(quote, unused)),
        )
    cells = typed_cells(db, raw) | {column: raw.cell(column) for column in raw.written}
    selected = ", ".join(f"{cell} AS {identifier(column)}" for column, cell in cells.items())
    db.run(f"CREATE TABLE main.{identifier(raw.name)} AS SELECT {selected} FROM {raw.sql}")
    db.run(f"DROP TABLE {raw.sql}")
    return _counted(db, raw, 0)


def _counted(db: Database, raw: RawTable, replaced: int) -> Cleaned:
    kept = db.count(f"main.{identifier(raw.name)}")
    return Cleaned(
        table=raw.name,
        read=raw.rows + raw.headers,
        headers=raw.headers,
        duplicates=replaced,
        deleted=raw.rows - replaced - kept,
        kept=kept,
        nameless=raw.nameless,
    )


def _check_keys(db: Database, raw: RawTable, key: str) -> None:
    """Raise DataError for rows without a key."""
    empty, first = db.row(
        f"SELECT count(*), min(rowid) FROM {raw.sql} "
        f"WHERE {raw.cell(key)} IS NULL OR trim(CAST({raw.cell(key)} AS {TEXT})) = ''"
    )
    if empty:
        more = f", as in {empty - 1} other rows" if empty > 1 else ""
        raise DataError(
            f"the key is missing{more}",
            where=f"{raw.locate(first)}, column {quote(key)}",
            hint="Fill it in, or remove the rows",
        )


def _find_repeated(db: Database, raw: RawTable, key: str, time: str | None) -> None:
    """List the records of all keys that have more than one, each with its key and time."""
    moment = "NULL" if time is None else raw.cell(time)
    cells = ["rowid AS number", f"{key} AS key", f"{moment} AS time", *map(raw.cell, raw.written)]
    db.run(
        f"CREATE OR REPLACE TABLE {_REPEATED} AS "
        f"SELECT {', '.join(cells)} FROM {raw.sql} "
        f"WHERE {key} IN (SELECT {key} FROM {raw.sql} GROUP BY 1 HAVING count(*) > 1)"
    )


def _check_equal(
    db: Database, raw: RawTable, cells: Mapping[str, str], columns: RecordColumns
) -> None:
    """Raise DataError where the records of one key differ: no time says which is the latest."""
    if not db.count(_REPEATED):  # to compare all cells takes long, even of no rows
        return
    content = ", ".join(f"{cell} AS {raw.cell(column)}" for column, cell in cells.items())
    keys, example = db.row(
        "SELECT count(*), min(key) FROM (SELECT key FROM (SELECT DISTINCT r.key, "
        f"{content} FROM {raw.sql} t JOIN {_REPEATED} r ON t.rowid = r.number) "
        "GROUP BY key HAVING count(*) > 1)"
    )
    if not keys:
        return
    rows = db.rows(f"SELECT number FROM {_REPEATED} WHERE key = ? ORDER BY 1", [example])
    first, second = (raw.locate(number) for (number,) in rows[:2])
    more = f", and so have {keys - 1} other keys" if keys > 1 else ""
    raise DataError(
        f"{len(rows)} rows that are not all equal have the key {quote(example)}{more}",
        where=f"{first} and {second}",
        hint=f"Leave one row per key, or add a column of event times (named {columns.event_time}, "
        "or as --event-time says) by which the latest is kept",
    )


def _time(db: Database, raw: RawTable, column: str) -> str:
    """Return the SQL by which the times of repeated records are ordered.

    Raises DataError for a time that is missing, or is neither number nor date.
    """
    order, wrong = order_of_times(db, _REPEATED, ("time", raw.columns[column]), "number")
    if wrong is None:
        return order
    number, value = wrong
    raise DataError(
        "the event time is missing" if value is None else f"{quote(value)} is not a time",
        where=f"{raw.locate(int(str(number)))}, column {quote(column)}",
        hint=f"{TIMES_HINT}: they say which record of a key is the latest",
    )


def _deleted(db: Database, raw: RawTable, column: str | None) -> str:
    """Return the SQL that says whether a row is deleted.

    Raises DataError for a mark that is neither true nor false.
    """
    if column is None:
        return "false"
    mark = f"coalesce(lower(trim(CAST({raw.cell(column)} AS {TEXT}))), '')"
    wrong = db.rows(
        f"SELECT rowid, {raw.cell(column)} FROM {raw.sql} "
        f"WHERE {mark} NOT IN {_DELETED + _ALIVE} ORDER BY 1 LIMIT 1"
    )
    if wrong:
        number, value = wrong[0]
        raise DataError(
            f"{quote(value)} is neither true nor false",
            where=f"{raw.locate(number)}, column {quote(column)}",
            hint="Write true or 1 for a deleted record, or name another column with --deleted",
        )
    return f"({mark} IN {_DELETED})"
