"""A column's cells as values: numbers, days or codes, in the meaning that training gives them."""

from collections import Counter
from functools import partial
from typing import NamedTuple, assert_never, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.evaluate.report.columns import CodedColumn
from sagetree.features.moment import SECONDS_PER_DAY, Moment
from sagetree.features.number import Boolean
from sagetree.tables.cells import MissingValues
from sagetree.tables.encoding import (
    encode,
    encode_numbers,
    number_encoder,
    numbers_among,
    shape_encoder,
)
from sagetree.tables.schema import Column
from sagetree.tables.table import Cells
from sagetree.train.facts.distinct import coded
from sagetree.train.profiling.taken import Taken


class ParsedColumn(NamedTuple):
    """The values of a column (n), which cells are missing (n), and its words with their rows.

    Only a column of numbers and words has words beside its values, which are NaN there.
    """

    column: CodedColumn
    is_missing: NDArray[np.bool_]
    words: tuple[tuple[str, int], ...] = ()


def values_of(taken: Taken, cells: Cells, missing: MissingValues) -> ParsedColumn:
    """Return the values of a column. Raises CellError for one whose type holds no cells."""
    column = taken.column
    name = column.name
    column_of = partial(CodedColumn, name, taken.kind)
    match column.kind:
        case "number":
            numbers, _ = encode_numbers(cells, missing, shape_encoder(column.written))
            return _whole(column_of(numbers))
        case "boolean":
            numbers, _ = encode(cells, Boolean(column=name).encoder(missing))
            return _whole(column_of(numbers, ("false", "true")))
        case "datetime":
            moment = Moment(column=name, order=column.date_order)
            seconds, _ = encode(cells, moment.encoder(missing))
            return _whole(column_of(seconds / SECONDS_PER_DAY))
        case "mixed":
            return _mixed(column, cells, missing)
        case "weight" | "base_margin" | "group" | "time" | "event":
            numbers, misfits = encode_numbers(cells, missing)
            if not misfits:
                return _whole(column_of(numbers))
        case "category" | "ordinal" | "identifier" | "constant" | "dropped":
            pass
        case _:
            assert_never(column.kind)
    distinct, places = coded(name, cast("pa.ChunkedArray", cells), missing)
    categories = column.categories or distinct.categories
    place = {text: float(number) for number, text in enumerate(categories)}
    codes = np.array([np.nan if t is None else place.get(t, np.nan) for t in distinct.texts])
    return _whole(column_of(codes[places], categories))


def _whole(column: CodedColumn) -> ParsedColumn:
    return ParsedColumn(column, column.is_missing)


def _mixed(column: Column, cells: Cells, missing: MissingValues) -> ParsedColumn:
    distinct, places = coded(column.name, cast("pa.ChunkedArray", cells), missing)
    number = number_encoder(missing, shape_encoder(column.written))
    numbers = numbers_among(distinct.cells, number)
    is_word = distinct.present & np.isnan(numbers)
    words: Counter[str] = Counter()
    for place in np.flatnonzero(is_word):
        words[str(distinct.texts[place])] += int(distinct.counts[place])
    absent = ~distinct.present
    values = CodedColumn(column.name, "mixed", numbers[places])
    return ParsedColumn(values, absent[places], tuple(words.most_common()))
