"""The columns that the files of one table have: which count, and whether they go together."""

from collections.abc import Mapping, Sequence

from sagetree.errors import DataError, quote
from sagetree.files.finding import listed
from sagetree.machine.program import LOG
from sagetree.tables.index_names import is_index_name


def tell_added(table: str, own: Mapping[str, Sequence[str]]) -> None:
    """Log the columns that some files of a feature store's table lack."""
    every = dict.fromkeys(column for columns in own.values() for column in columns)
    for column in every:
        lacking = [name for name in own if column not in own[name]]
        if lacking:
            LOG.info(
                "%s: column %s is filled with empty cells, as it is missing from: %s",
                table, quote(column), listed(lacking),
            )  # fmt: skip


def named(columns: Sequence[str]) -> list[str]:
    """Return the columns with a name; one without is a written index."""
    return [column for column in columns if not is_index_name(column)]


def nameless(columns: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns without a name in any file."""
    found = {name for names in columns.values() for name in names if is_index_name(name)}
    return tuple(sorted(found))


def check_same_columns(columns: dict[str, Sequence[str]]) -> None:
    """Hold the last file's columns against the first one's; `columns` is by file."""
    first, last = next(iter(columns)), next(reversed(columns))
    different = sorted({*named(columns[first])} ^ {*named(columns[last])})
    if different:
        holder = first if different[0] in columns[first] else last
        raise DataError(
            f"column {quote(different[0])} is only in {holder}, of {first} and {last}",
            hint="All files of a table need the same columns",
        )
    if not named(columns[last]):
        raise DataError("no column has a name", where=last, hint="Put a header on the first line")
