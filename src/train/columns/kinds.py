"""What kind each column is: declared by the user, else inferred from its cells."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, cast

import pyarrow as pa

from sagetree.errors import DataError, SettingsError, did_you_mean, quote, quote_all
from sagetree.tables.cells import (
    Cell,
    CellError,
    DateOrder,
    NumberShape,
    category_text,
    is_taken,
    to_boolean,
    to_moment,
    to_number,
)
from sagetree.tables.encoding import encode, shape_encoder
from sagetree.tables.forms import number_forms
from sagetree.tables.index_names import is_index_name, is_key_name
from sagetree.tables.schema import Column, Kind
from sagetree.train.columns.number_columns import (
    IDENTIFIER_ROWS,
    Found,
    Given,
    NumbersAndWords,
    mixed_column,
    number_column,
    shifted,
)
from sagetree.train.columns.written import (
    check_one,
    column_shapes,
    date_orders,
    date_reading,
    doubt,
    number_reading,
)
from sagetree.train.facts.distinct import Distinct
from sagetree.train.facts.facts import COMMA, Facts
from sagetree.train.facts.telling import Telling
from sagetree.train.settings.columns import Columns

# Words that stand in one row each, in this share of all rows, name rows.
MOSTLY_ALONE = 0.9

# A column with more numbers than other cells is one of numbers: the others are mistakes, where
# they are few or not plainly words.
MOSTLY = 0.5


def infer_columns(
    facts: Facts, names: Sequence[str], settings: Columns, telling: Telling
) -> tuple[Found, ...]:
    """Return the kind of each of the columns that are neither label nor have a role.

    Raises SettingsError for a declared column that is not there, DataError for
    one that is neither numbers nor words, or that does not fit what was
    declared.
    """
    given = given_columns(facts, names, settings, telling)
    columns = [infer_column(given, name) for name in names]
    if not any(found.column.is_input for found in columns):
        raise DataError(
            "there are no columns left to learn from",
            where=facts.table.locate(0),
            hint="All are dropped, constant or identifiers: set column_types to keep some",
        )
    return tuple(columns)


def given_columns(facts: Facts, names: Sequence[str], settings: Columns, telling: Telling) -> Given:
    """Return what is known of all columns; `names` are those to be inferred.

    Raises SettingsError for a declared column that is not there.
    """
    faults = [
        f"{quote(name)}{did_you_mean(name, names)}"
        for name in (*settings.dropped, *settings.kinds)
        if name not in names
    ]
    if faults:
        named = f"column {faults[0]} is" if len(faults) == 1 else f"columns {', '.join(faults)} are"
        raise SettingsError(
            f"{named} missing from the data",
            where="drop_columns, categorical_columns, ordinal_columns, column_types",
            hint=f"The columns are {quote_all(names)}",
        )
    return Given(facts, settings, telling)


def infer_column(given: Given, name: str) -> Found:
    """Return the kind of one column. Raises DataError for one that cannot be read."""
    found = _found(given, name)
    is_index = is_index_name(name) or name in given.facts.table.index_columns
    if not is_index or name in given.settings.kinds or not found.column.is_input:
        return found
    column = found.column
    if column.low is None or column.high is None:
        forms = column.category_forms
    else:
        forms = number_forms(column.low, column.high)
    told = {"kind": "identifier", "categories": (), "forms": forms, "low": None, "high": None}
    return Found(column.model_copy(update=told), _index_doubts(given, column))


def _index_doubts(given: Given, column: Column) -> tuple[str, ...]:
    """Return a warning where a column without a name repeats its values, as an index seldom does.

    `column` is what it would be otherwise.
    """
    present = given.facts.rows - column.missing
    if not is_index_name(column.name) or column.distinct >= present:
        return ()
    declared = json.dumps({column.name: column.kind})
    return (
        f"column {quote(column.name)} has no name and is left out as the index of a data frame, "
        f"but its {present} values are only {column.distinct} different ones: if it is more than "
        f"an index, name it, or set column_types={declared}",
    )


def _found(given: Given, name: str) -> Found:
    if name in given.settings.dropped:
        return Found(Column(name=name, kind="dropped", missing=0, distinct=0))
    _check_type(name, given.facts.type_of(name))
    declared = given.settings.kinds.get(name)
    if declared:
        return _declared(given, given.facts.distinct(name), declared)
    numbers = given.facts.numbers(name)
    if numbers is not None:
        return number_column(given, name, numbers)
    return _infer(given, given.facts.distinct(name))


def _declared(given: Given, distinct: Distinct, declared: str) -> Found:
    if declared == "number" and (shapes := column_shapes(distinct, given.settings.decimal)):
        check_one(given.facts.table, distinct, shapes)
        numbers = given.facts.shaped(distinct, shapes[0])
        found = shifted(given, distinct.column("number"), numbers)
        return _written(distinct, shapes[0], found)
    if declared == "datetime" and (orders := _date_orders(given, distinct)):
        check_one(given.facts.table, distinct, orders)
        return _dates(distinct, orders[0])
    order = given.settings.orders.get(distinct.name, ())
    _check_declared(given.facts, distinct, declared, order)
    if declared == "category" and not distinct.categories:
        return Found(distinct.column("constant"))  # no category to know later
    kind = cast("Kind", declared)
    return Found(distinct.column(kind, _spelled(order) or _categories(given, distinct, kind)))


def _categories(given: Given, distinct: Distinct, kind: Kind) -> tuple[str, ...]:
    return given.facts.categories(distinct) if kind in ("category", "ordinal") else ()


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
        numbers = given.facts.shaped(distinct, shapes[0])
        found = number_column(given, distinct.name, numbers, shapes[0])
        return _written(distinct, shapes[0], found)
    split = NumbersAndWords.of(distinct, COMMA if given.settings.decimal == "comma" else None)
    orders = _date_orders(given, distinct)
    if len(orders) == 1:
        return _dates(distinct, orders[0])
    is_of_numbers, is_mixed = split.share > MOSTLY, split.is_mixed(distinct)
    if is_of_numbers:
        check_one(given.facts.table, distinct, shapes)
    unique = distinct.rows >= IDENTIFIER_ROWS and distinct.share_alone >= MOSTLY_ALONE
    if is_of_numbers:
        unique = unique and is_mixed and is_key_name(distinct.name)
    kind: Kind = "identifier" if unique else "category"
    column = distinct.column(kind, _categories(given, distinct, kind))
    if is_mixed and not unique and not doubt(column, distinct.those(split.words), shapes or orders):
        has_sizes = split.has_sizes(distinct)
        return mixed_column(given, distinct, split) if has_sizes else Found(column)
    if is_of_numbers and not unique:
        _refuse_misfit(given.facts, distinct, split)
    notes = _names_rows(distinct) if unique and distinct.share_alone < 1 else ()
    said = doubt(column, distinct.present_cells, shapes or orders)
    return Found(column, (*notes, said) if said else notes)


def _names_rows(distinct: Distinct) -> tuple[str, ...]:
    """Return the warning that a column of words, nearly all different, is left out."""
    return (
        f"column {quote(distinct.name)} is left out: {distinct.share_alone:.1%} of its rows have a "
        "text of their own, which identifies rows and says nothing about others. Set "
        "categorical_columns to keep it",
    )


def _refuse_misfit(facts: Facts, distinct: Distinct, split: NumbersAndWords) -> NoReturn:
    """Raise DataError for the first cell that is not a number."""
    number = shape_encoder(split.shape)

    def error(place: str, cell: Cell) -> DataError:
        _, misfits = encode([cell], number)
        return DataError(
            misfits[0].reason,
            where=f"{place}, column {quote(distinct.name)}",
            hint="Correct the cell, list the text in missing_values if it means no value, "
            "or list the column in categorical_columns",
        )

    facts.refuse(distinct.name, lambda cell: facts.has(cell) and not is_taken(cell, number), error)


def _check_declared(facts: Facts, distinct: Distinct, declared: str, order: Sequence[str]) -> None:
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
    check = checks.get(declared, str)
    if distinct.all_fit(check):
        return

    def error(place: str, cell: Cell) -> DataError:
        what = f"not one of {', '.join(map(quote, order))}" if order else f"not a {declared}"
        return DataError(
            f"{quote(cell)} is {what}, which the column was declared to be",
            where=f"{place}, column {quote(distinct.name)}",
            hint="Correct the cell, or the column's declaration",
        )

    facts.refuse(distinct.name, lambda cell: facts.has(cell) and not is_taken(cell, check), error)
