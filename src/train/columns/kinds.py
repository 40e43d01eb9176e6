"""What kind each column is: declared by the user, else inferred from its cells."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np
import pyarrow as pa

from sagetree.errors import DataError, SettingsError, did_you_mean, quote, quote_all
from sagetree.tables.arrow_types import is_text
from sagetree.tables.cells import (
    Cell,
    CellError,
    DateOrder,
    MissingValues,
    NumberShape,
    category_text,
    to_boolean,
    to_moment,
    to_number,
)
from sagetree.tables.encoding import as_numbers, encode, shape_encoder
from sagetree.tables.forms import number_forms
from sagetree.tables.index_names import is_index_name, is_key_name
from sagetree.tables.schema import Column, Kind
from sagetree.tables.table import Table
from sagetree.train.columns.distinct import Distinct
from sagetree.train.columns.number_columns import (
    IDENTIFIER_ROWS,
    Found,
    Given,
    NumbersAndWords,
    mixed_column,
    number_column,
    shifted,
)
from sagetree.train.columns.telling import Telling
from sagetree.train.columns.written import (
    check_one,
    column_shapes,
    date_orders,
    date_reading,
    doubt,
    number_reading,
)
from sagetree.train.settings.columns import Columns

# Words that stand in one row each, in this share of all rows, name rows.
MOSTLY_ALONE = 0.9

# A column with more numbers than other cells is one of numbers: the others are mistakes, where
# they are few or not plainly words.
MOSTLY = 0.5

COMMA = NumberShape("comma")


def infer_columns(table: Table, settings: Columns, telling: Telling) -> tuple[Found, ...]:
    """Return the kind of each column of a table without its label.

    Raises SettingsError for a declared column that is not there, DataError for
    one that is neither numbers nor words, or that does not fit what was
    declared.
    """
    given = given_columns(table, settings, telling)
    columns = [
        infer_column(given, name, cast("pa.ChunkedArray", cells))
        for name, cells in zip(table.names, table.columns, strict=True)
    ]
    if not any(found.column.is_input for found in columns):
        raise DataError(
            "no column is left to learn from",
            where=table.locate(0),
            hint="All are dropped, constant or identifiers: set column_types to keep some",
        )
    return tuple(columns)


def given_columns(table: Table, settings: Columns, telling: Telling) -> Given:
    """Return what is known of all columns of a table without its label.

    Raises SettingsError for a declared column that is not there.
    """
    faults = [
        f"{quote(name)}{did_you_mean(name, table.names)}"
        for name in (*settings.dropped, *settings.kinds)
        if name not in table.names
    ]
    if faults:
        raise SettingsError(
            f"the data have no column {', '.join(faults)}",
            where="drop_columns, categorical_columns, ordinal_columns, column_types",
            hint=f"The columns are {quote_all(table.names)}",
        )
    return Given(table, settings, MissingValues.of(settings.missing_values), telling)


def infer_column(given: Given, name: str, cells: pa.ChunkedArray) -> Found:
    """Return the kind of one column. Raises DataError for one that cannot be read."""
    found = _found(given, name, cells)
    is_index = is_index_name(name) or name in given.table.index_columns
    if not is_index or name in given.settings.kinds or not found.column.is_input:
        return found
    column = found.column
    if column.low is None or column.high is None:
        forms = column.category_forms
    else:
        forms = number_forms(column.low, column.high)
    told = {"kind": "identifier", "categories": (), "forms": forms, "low": None, "high": None}
    return Found(column.model_copy(update=told))


def _found(given: Given, name: str, cells: pa.ChunkedArray) -> Found:
    if name in given.settings.dropped:
        return Found(Column(name=name, kind="dropped", missing=0, distinct=0))
    _check_type(name, cells.type)
    declared = given.settings.kinds.get(name)
    if declared:
        return _declared(given, Distinct.of(name, cells, given.missing), declared)
    if given.settings.decimal != "comma" or not is_text(cells.type):
        numbers = as_numbers(cells, given.missing)
        if numbers is not None:
            return number_column(given, name, numbers)
    return _infer(given, Distinct.of(name, cells, given.missing))


def _declared(given: Given, distinct: Distinct, declared: str) -> Found:
    if declared == "number" and (shapes := column_shapes(distinct, given.settings.decimal)):
        check_one(given.table, distinct, shapes)
        values = distinct.numbers(shape_encoder(shapes[0]))
        present = np.sort(values[~np.isnan(values)])
        found = shifted(given, distinct.column("number"), present)
        return _written(distinct, shapes[0], found)
    if declared == "datetime" and (orders := _date_orders(given, distinct)):
        check_one(given.table, distinct, orders)
        return _dates(distinct, orders[0])
    order = given.settings.orders.get(distinct.name, ())
    _check_declared(given.table, distinct, declared, order)
    if declared == "category" and not distinct.categories:
        return Found(distinct.column("constant"))  # no category to know later
    column = distinct.column(cast("Kind", declared))
    return Found(column.model_copy(update={"categories": _spelled(order)}) if order else column)


def _date_orders(given: Given, distinct: Distinct) -> tuple[DateOrder, ...]:
    if distinct.all_fit(to_moment):
        return ("iso",)
    return date_orders(distinct.present_cells, given.settings.date_order)


def _written(distinct: Distinct, shape: NumberShape | None, found: Found) -> Found:
    if shape is None or found.column.kind != "number":
        return found
    column = found.column.model_copy(update={"written": shape})
    return found._replace(
        column=column, reading=number_reading(distinct.name, distinct.present_cells, shape)
    )


def _dates(distinct: Distinct, order: DateOrder) -> Found:
    column = distinct.column("datetime").model_copy(update={"date_order": order})
    return Found(column, reading=date_reading(distinct.name, distinct.present_cells, order))


def _spelled(order: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(category_text(text)) for text in order)


def _check_type(name: str, kind: pa.DataType) -> None:
    unusable = (
        pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary,
        pa.types.is_fixed_size_binary, pa.types.is_time, pa.types.is_duration,
    )  # fmt: skip
    if any(test(kind) for test in unusable):
        raise DataError(
            f"its cells are of type {kind}",
            where=f"column {quote(name)}",
            hint="Write it as numbers, text or dates, or list it in drop_columns",
        )


def _infer(given: Given, distinct: Distinct) -> Found:
    if not distinct.categories or (len(distinct.categories) == 1 and not distinct.missing):
        return Found(distinct.column("constant"))
    if set(distinct.categories) <= {"true", "false"}:
        return Found(distinct.column("boolean"))
    shapes = column_shapes(distinct, given.settings.decimal)
    if len(shapes) == 1:
        values = distinct.numbers(shape_encoder(shapes[0]))
        return _written(distinct, shapes[0], number_column(given, distinct.name, values))
    split = NumbersAndWords.of(distinct, COMMA if given.settings.decimal == "comma" else None)
    orders = _date_orders(given, distinct)
    if len(orders) == 1:
        return _dates(distinct, orders[0])
    is_of_numbers, is_mixed = split.share > MOSTLY, split.is_mixed(distinct)
    if is_of_numbers:
        check_one(given.table, distinct, shapes)
    unique = distinct.rows >= IDENTIFIER_ROWS and distinct.share_alone >= MOSTLY_ALONE
    if is_of_numbers:
        unique = unique and is_mixed and is_key_name(distinct.name)
    column = distinct.column("identifier" if unique else "category")
    if is_mixed and not unique and not doubt(column, distinct.those(split.words), shapes or orders):
        has_sizes = split.has_sizes(distinct)
        return mixed_column(given, distinct, split) if has_sizes else Found(column)
    if is_of_numbers and not unique:
        raise _misfit(given.table, distinct, split)
    notes = _names_rows(distinct) if unique and distinct.share_alone < 1 else ()
    said = doubt(column, distinct.present_cells, shapes or orders)
    return Found(column, (*notes, said) if said else notes)


def _names_rows(distinct: Distinct) -> tuple[str, ...]:
    """Return the warning that a column of words, nearly all different, is left out."""
    return (
        f"column {quote(distinct.name)} is left out: {distinct.share_alone:.1%} of its rows have a "
        "text of their own, which names rows and says nothing of others. Set "
        "categorical_columns to keep it",
    )


def _misfit(table: Table, distinct: Distinct, split: NumbersAndWords) -> DataError:
    wrong = distinct.present & np.isnan(split.numbers)
    row = int(np.flatnonzero(wrong[distinct.codes])[0])
    _, misfits = encode([distinct.cells[distinct.codes[row]]], shape_encoder(split.shape))
    return DataError(
        misfits[0].reason,
        where=f"{table.locate(row)}, column {quote(distinct.name)}",
        hint="Correct the cell, list the text in missing_values if it means no value, "
        "or list the column in categorical_columns",
    )


def _check_declared(table: Table, distinct: Distinct, declared: str, order: Sequence[str]) -> None:
    known = set(_spelled(order))

    def in_order(cell: Cell) -> None:
        if category_text(cell) not in known:
            raise CellError

    checks: Mapping[str, Callable[[Cell], object]] = {
        "number": to_number,
        "boolean": to_boolean,
        "datetime": to_moment,
        "ordinal": in_order,
    }
    wrong = distinct.present & ~distinct.fits(checks.get(declared, str))
    rows = np.flatnonzero(wrong[distinct.codes])
    if len(rows):
        cell = distinct.cells[distinct.codes[rows[0]]]
        what = f"none of {', '.join(map(quote, order))}" if order else f"no {declared}"
        raise DataError(
            f"{quote(cell)} is {what}, which the column was declared to be",
            where=f"{table.locate(int(rows[0]))}, column {quote(distinct.name)}",
            hint="Correct the cell, or the column's declaration",
        )
