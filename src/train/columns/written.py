"""How a column's numbers or dates are written, where the whole of it agrees on one way."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from sagetree.errors import DataError, quote
from sagetree.tables.cells import (
    CURRENCY,
    Cell,
    CellError,
    DateOrder,
    Decimal,
    NumberShape,
    WrittenNumber,
    to_number,
    to_ordered_moment,
    to_shaped_number,
    written_number,
)
from sagetree.tables.schema import Column
from sagetree.tables.table import Table
from sagetree.train.facts.distinct import Distinct
from sagetree.train.facts.witnesses import GROUPED_FROM

DECIMALS: tuple[Decimal, ...] = ("point", "comma")
ORDERS: tuple[DateOrder, ...] = ("day", "month")

# Fewer distinct texts that look like numbers or dates are categories like any others.
LEAST_ALIKE = 5

# This many distinct texts are read.
LOOKED_AT = 1000

_DATE_LIKE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T,].*)?|\d{1,2}[-/. ]?[A-Za-z]{3,9}[-/,. ]+\d{2,4}.*"
)


def column_shapes(distinct: Distinct, decimal: Decimal | None) -> tuple[NumberShape | None, ...]:
    """Return how a column's cells can be read as numbers; None is as they stand."""
    cells = distinct.present_cells
    if distinct.all_fit(to_number):
        has_marks = any(isinstance(cell, str) and "." in cell for cell in cells)
        own = number_shapes(cells, decimal) if decimal == "comma" and has_marks else ()
        return own or (None,)
    return number_shapes(cells, decimal)


def number_shapes(cells: Sequence[Cell], decimal: Decimal | None) -> tuple[NumberShape, ...]:
    """Return the way all cells are written as numbers, by the decimal mark if it is given.

    () where there is none, two where they may be either.
    """
    marks = (decimal,) if decimal else DECIMALS
    found = [_shape(cells, mark) for mark in marks]
    shapes = tuple(shape for shape in found if shape is not None)
    if len(shapes) == len(DECIMALS) and not _may_be_either(cells):
        return shapes[:1]
    return shapes


def _shape(cells: Sequence[Cell], decimal: Decimal) -> NumberShape | None:
    units: set[str] = set()
    for cell in cells:
        if isinstance(cell, str):
            found = written_number(cell, decimal)
            if found is None:
                return None
            units.add(found.unit)
            if len(units) > 2:
                return None
        elif isinstance(cell, date):
            return None
    named = units - {""}
    if len(named) > 1:
        return None
    unit = next(iter(named), "")
    # `12%` beside `0.12`, or `5 kg` beside `5`, may be in two units
    if "" in units and unit and not CURRENCY.fullmatch(unit):
        return None
    return NumberShape(decimal, unit)


def _may_be_either(cells: Sequence[Cell]) -> bool:
    """Say whether cells that fit both marks may mean either.

    Commas with three digits behind each are between thousands, unless numbers
    above a thousand go without.
    """
    numbers = [found for cell in cells if (found := _as_point(cell))]
    marks = {mark for number in numbers for mark in number.marks}
    large = any(not n.marks and abs(float(n.digits)) >= GROUPED_FROM for n in numbers)
    return "." in marks or (bool(marks) and large)


def _as_point(cell: Cell) -> WrittenNumber | None:
    return written_number(cell, "point") if isinstance(cell, str) else None


def date_orders(cells: Sequence[Cell], order: DateOrder | None) -> tuple[DateOrder, ...]:
    """Return the order in which all cells are written as dates, of those the setting allows.

    () where there is none, two where they may be either. With points, the day
    comes first.
    """
    if _all_in(cells, "year"):
        return ("year",)
    orders = tuple(o for o in ((order,) if order else ORDERS) if _all_in(cells, o))
    has_points = any("." in cell.split(" ")[0] for cell in cells if isinstance(cell, str))
    return ("day",) if len(orders) > 1 and has_points else orders


def _all_in(cells: Sequence[Cell], order: DateOrder) -> bool:
    try:
        for cell in cells:
            to_ordered_moment(cell, order)
    except CellError:
        return False
    return True


def number_reading(name: str, cells: Sequence[Cell], shape: NumberShape) -> str:
    """Return in words how a column's cells are read."""
    shown = _longest(cells)
    value = to_shaped_number(shown, shape)
    return f"column {quote(name)} is read as numbers: {quote(shown)} is {value:.15g}"


def date_reading(name: str, cells: Sequence[Cell], order: DateOrder) -> str:
    """Return in words how a column's cells are read, "" where they are ISO 8601."""
    if order == "iso":
        return ""
    shown = _longest(cells)
    moment = datetime.fromtimestamp(to_ordered_moment(shown, order), UTC)
    return f"column {quote(name)} is read as dates: {quote(shown)} is {moment:%Y-%m-%d}"


def _longest(cells: Sequence[Cell]) -> Cell:
    return max((cell for cell in cells if isinstance(cell, str)), key=len)


def check_one(table: Table, distinct: Distinct, ways: Sequence[object]) -> None:
    """Raise DataError where a column's cells can be read in two ways."""
    if len(ways) > 1:
        what, setting = _open_question(distinct.present_cells, ways)
        where = f"{table.locate(0)}, column {quote(distinct.name)}"
        raise DataError(what, where=where, hint=setting)


def _open_question(cells: Sequence[Cell], ways: Sequence[object]) -> tuple[str, str]:
    """Return what two cells that can be read in `ways` leave open, and the settings that say it."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if isinstance(ways[0], NumberShape):
        texts.sort(key=lambda text: not (set(text) & {".", ","}))
        return f"{_two(texts)} do not show which decimal mark is used", (
            "Set decimal=point or decimal=comma"
        )
    return f"{_two(texts)} do not show whether day or month comes first", (
        "Set date_order=day or date_order=month"
    )


def _two(texts: Sequence[str]) -> str:
    return f"{quote(texts[0])} and {quote(texts[-1])}"


def doubt(column: Column, cells: Sequence[Cell], ways: Sequence[object]) -> str:
    """Return why a column that looks like numbers or dates is neither; "" for other columns.

    `ways` are those in which it can be read, if there are several.
    """
    if ways:
        what, setting = _open_question(cells, ways)
        kinds = "numbers" if isinstance(ways[0], NumberShape) else "dates"
    else:
        some = [cell for cell in cells[:LOOKED_AT] if isinstance(cell, str)]
        alike = [cell for cell in some if _looks_like(cell)]
        if len(alike) < max(LEAST_ALIKE, len(some) / 2):
            return ""
        kinds = _looks_like(alike[0])
        what = _unlike(alike[0], some)
        setting = (
            "Write all cells in one way, list texts that mean no value in missing_values, "
            "or list the column in categorical_columns"
        )
    return (
        f"column {quote(column.name)} looks like {kinds} and is taken as {_ARTICLES[column.kind]}: "
        f"{what}. {setting}"
    )


_ARTICLES = {"category": "a category", "identifier": "an identifier"}


def _unlike(one: str, texts: Sequence[str]) -> str:
    """Return two of the texts, and why they are not read."""
    if not _go_together(one, one):
        return f"the format of {_two([one, texts[-1]])} is unknown"
    other = next((text for text in texts if not _go_together(one, text)), texts[-1])
    return f"{_two([one, other])} are not written in the same way"


def _looks_like(text: str) -> str:
    """Return what a text looks like; of one letter behind digits, as in 3A, that is nothing."""
    found = written_number(text, "point") or written_number(text, "comma")
    if found and (len(found.unit) != 1 or not found.unit.isalpha()):
        return "numbers"
    return "dates" if _DATE_LIKE.fullmatch(text.strip()) else ""


def _go_together(one: str, other: str) -> bool:
    pair = (one, other)
    return bool(number_shapes(pair, None) or date_orders(pair, None))
