"""The column of times by which the joined rows are split."""

from sagetree.errors import DataError, quote
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.joining import JOINED, joined_column
from sagetree.prepare.kinds import TIMES_HINT, is_numeric, is_time, order_of_times
from sagetree.prepare.loading import TEXT
from sagetree.prepare.splitting.units import Unit


def read_time(db: Database, column: str, unit: Unit) -> tuple[str, str]:
    """Return the name of the column of times, and the SQL that orders rows `j` by it.

    Raises SettingsError where it is not a column, DataError where a row has no time
    or what it has is none: such a row belongs to no part.
    """
    name, kind = joined_column(db, column, "--split-by-time")
    where = f"column {quote(name)}"
    if not (kind == TEXT or is_numeric(kind) or is_time(kind)):
        raise DataError(f"{kind} is not a type of time", where=where, hint=TIMES_HINT)
    row = "NULL" if unit.is_content else unit.sql
    order, wrong = order_of_times(db, f"{JOINED} j", (f"j.{identifier(name)}", kind), row)
    if wrong is None:
        return name, order
    count = db.count(f"{JOINED} j WHERE {order} IS NULL")
    at, value = wrong
    if not unit.is_content:
        where = f"{where}, key {quote(at)}"
    more = f", as in {count - 1} other rows" if count > 1 else ""
    if value is None:
        raise DataError(
            f"the time is missing{more}",
            where=where,
            hint="Fill it in, or remove the rows with a query (--sql)",
        )
    raise DataError(f"{quote(value)} is not a time{more}", where=where, hint=TIMES_HINT)
