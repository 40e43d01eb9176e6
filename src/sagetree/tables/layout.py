"""Rows without names that hold all trained columns: whether they surely do.

A model that left columns out of training takes rows of its inputs, and rows of all columns.
With one column left out, a row of the inputs and one cell more is as wide as a row of all:
a label at its end, the index of a frame at its beginning, a comma too many. Taken for all
columns, each cell would feed its neighbour's feature, without an error.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple, assert_never

from sagetree.errors import SchemaError, Violation, quote
from sagetree.tables.cells import (
    Cell,
    CellError,
    MissingValues,
    category_text,
    is_taken,
    to_boolean,
    to_number,
    to_ordered_moment,
    to_shaped_number,
)
from sagetree.tables.forms import is_number, is_of_form, is_word
from sagetree.tables.label import ClassLabel, Label, NumberLabel
from sagetree.tables.schema import Column, Schema, listing
from sagetree.tables.table import Table, cell_list

# The rows of a body are laid out alike: this many are checked.
ROWS_CHECKED = 256

_Row = tuple[Cell, ...]


class _Other(NamedTuple):
    """Another way to read rows: all columns but `without`, and a cell more at one end."""

    without: int
    first: bool


def refuse_shifted(table: Table, schema: Schema, missing: MissingValues) -> None:
    """Refuse rows of all trained columns, by position, that may be something else.

    Raises SchemaError for a cell unlike training's where a column was left out, and for
    rows that are as well a row of inputs with a cell too many.
    """
    if table.named or not len(schema.input_names) < len(table.columns) == len(schema.all_names):
        return
    rows = _rows(table)
    _refuse_unlike(table, schema, rows, missing)
    for other in _others(schema):
        fits = all(_fits(row, other, schema, missing) for row in rows)
        if fits and any(_differs(row, other, schema) for row in rows):
            raise SchemaError([_doubt(table, schema, other)], hint=_hint(schema))


def _rows(table: Table) -> list[_Row]:
    cells = [cell_list(column[:ROWS_CHECKED]) for column in table.columns]
    return list(zip(*cells, strict=True))


def _refuse_unlike(
    table: Table, schema: Schema, rows: Sequence[_Row], missing: MissingValues
) -> None:
    violations = [
        Violation(
            column.name,
            f"{quote(row[place])} does not look like the cells that this column had in training, "
            "which left it out",
            number,
            table.locate(number),
        )
        for place, column in enumerate(schema.columns)
        if not column.is_input
        for number, row in enumerate(rows)
        if not (_is_missing(row[place], missing) or _looks_like(column, row[place]))
    ]
    if violations:
        raise SchemaError(violations, hint=_hint(schema))


def _looks_like(column: Column, cell: Cell) -> bool:
    return is_number(cell) if column.kind == "weight" else is_of_form(cell, column.forms)


def _others(schema: Schema) -> Iterator[_Other]:
    """Yield the ways to read a row that give some input another cell than all columns do."""
    inputs = [place for place, column in enumerate(schema.columns) if column.is_input]
    for place, column in enumerate(schema.columns):
        if column.is_input or column.kind == "base_margin":
            continue
        if place < inputs[-1]:
            yield _Other(place, first=False)
        if place > inputs[0]:
            yield _Other(place, first=True)


def _fits(row: _Row, other: _Other, schema: Schema, missing: MissingValues) -> bool:
    """Say whether a row looks like training's, read in another way."""
    extra = row[0] if other.first else row[-1]
    if not (_is_missing(extra, missing) or _may_be_extra(extra, schema, first=other.first)):
        return False
    return all(
        _is_missing(cell, missing) or _may_be(column, cell)
        for column, cell in _read(row, other, schema)
    )


def _differs(row: _Row, other: _Other, schema: Schema) -> bool:
    """Say whether some input is given another cell than it has in a row of all columns."""
    trained = [cell for column, cell in zip(schema.columns, row, strict=True) if column.is_input]
    return trained != [cell for column, cell in _read(row, other, schema) if column.is_input]


def _read(row: _Row, other: _Other, schema: Schema) -> Iterator[tuple[Column, Cell]]:
    columns = (*schema.columns[: other.without], *schema.columns[other.without + 1 :])
    return zip(columns, row[1:] if other.first else row[:-1], strict=True)


def _may_be_extra(cell: Cell, schema: Schema, *, first: bool) -> bool:
    """Say whether a cell beside the inputs may be the label or, in the first place, an index."""
    text = category_text(cell)
    if first and text is not None and text.isdecimal():
        return True
    if isinstance(schema.label, (Label, ClassLabel)):
        return text in schema.label.classes
    written = schema.label.written if isinstance(schema.label, NumberLabel) else None
    return is_taken(cell, partial(to_shaped_number, shape=written)) if written else is_number(cell)


def _may_be(column: Column, cell: Cell) -> bool:
    match column.kind:
        case "number":
            return _is_near(column, cell)
        case "boolean":
            return is_taken(cell, to_boolean)
        case "datetime":
            return is_taken(cell, partial(to_ordered_moment, order=column.date_order))
        case "category" | "ordinal":
            return is_of_form(cell, column.category_forms)
        case "mixed":
            return _is_near(column, cell) or is_word(cell)
        case "identifier" | "constant" | "dropped" | "weight" | "group" | "time" | "event":
            return _looks_like(column, cell)
        case "base_margin":
            return is_number(cell)
        case _:
            assert_never(column.kind)


def _is_near(column: Column, cell: Cell) -> bool:
    """Say whether a number is within training's, or not further from them than they are wide."""
    try:
        value = to_shaped_number(cell, column.written) if column.written else to_number(cell)
    except CellError:
        return False
    if column.low is None or column.high is None:
        return True
    width = column.high - column.low
    return column.low - width <= value <= column.high + width


def _is_missing(cell: Cell, missing: MissingValues) -> bool:
    text = category_text(cell)
    return text is None or text in missing.texts


def _doubt(table: Table, schema: Schema, other: _Other) -> Violation:
    rest = [name for place, name in enumerate(schema.all_names) if place != other.without]
    cell = "one cell before them" if other.first else "one cell after them"
    reason = (
        f"the {len(table.columns)} cells may be all trained columns, or {listing(rest)} and {cell}"
    )
    return Violation("", reason, where=table.locate(0))


def _hint(schema: Schema) -> str:
    return (
        f"Name the columns, or send only what the model needs: {listing(schema.input_names)}. "
        f"{len(schema.all_names)} cells are {listing(schema.all_names)}"
    )
