"""The label a training job learns: which column it is, and what its cells may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from sagetree.boosters.objectives import Objective
from sagetree.errors import DataError, SettingsError, quote
from sagetree.tables.cells import MissingValues, NumberShape, category_text
from sagetree.tables.encoding import as_numbers, distinct_cells
from sagetree.tables.label import (
    AnyLabel,
    ClassLabel,
    IntervalLabel,
    Label,
    LabelRange,
    NumberLabel,
)
from sagetree.tables.table import Table
from sagetree.train.columns.distinct import Distinct
from sagetree.train.columns.written import check_one, column_shapes
from sagetree.train.settings.settings import Columns

# More values are not listed in a message.
VALUES_SHOWN = 3


@dataclass(frozen=True)
class Goal:
    """What is to be learnt: the objective, whether the user named it, and its bounds.

    `num_class` is how many classes there are, None where the label says it.
    """

    objective: Objective
    given: bool = True
    num_class: int | None = None
    exponential_gain: bool = True

    @property
    def is_ranking(self) -> bool:
        """Whether rows are compared within their group only."""
        return self.objective.task == "ranking"

    @property
    def allowed(self) -> LabelRange:
        """Which numbers a numeric label may be."""
        allowed = self.objective.labels or LabelRange()
        if self.is_ranking and allowed.high is None and self.exponential_gain:
            return allowed.model_copy(update={"high": MOST_RELEVANT})
        return allowed


# XGBoost's limit of a label that stands in an exponent (2^31 is the gain); see ndcg_exp_gain.
MOST_RELEVANT = 31.0


def find_label(table: Table, columns: Columns, goal: Goal) -> AnyLabel:
    """Return the label: the columns named, else the first one.

    Raises SettingsError for one that is not there, DataError for values the
    objective cannot learn.
    """
    if columns.label_lower_bound and columns.label_upper_bound:
        return _interval(table, columns.label_lower_bound, columns.label_upper_bound)
    name = columns.target or table.names[0]
    if columns.target and not table.named:
        raise SettingsError(
            f"target is {quote(name)}, but the files of the channel have no header",
            hint="Add one, or leave target out and put the label into the first column",
        )
    _check_column(table, "target", name)
    if goal.objective.task == "binary":
        return _binary(table, name, columns, goal)
    if goal.objective.task == "multiclass":
        return _classes(table, name, columns, goal)
    return NumberLabel(name=name, allowed=goal.allowed, written=_shape(table, name, columns))


def _shape(table: Table, name: str, columns: Columns) -> NumberShape | None:
    """Return how a label's numbers are written, None where they are plain ones."""
    missing = MissingValues.of(columns.missing_values)
    cells = cast("pa.ChunkedArray", table.column(name))
    if columns.decimal != "comma" and as_numbers(cells, missing) is not None:
        return None
    distinct = Distinct.of(name, cells, missing)
    shapes = column_shapes(distinct, columns.decimal)
    check_one(table, distinct, shapes)
    return shapes[0] if shapes else None


def _check_column(table: Table, setting: str, name: str) -> None:
    if name not in table.names:
        raise SettingsError(
            f"{setting} is {quote(name)}, which is no column",
            hint=f"The columns are {', '.join(map(quote, table.names))}",
        )


def _interval(table: Table, lower: str, upper: str) -> IntervalLabel:
    _check_column(table, "label_lower_bound", lower)
    _check_column(table, "label_upper_bound", upper)
    return IntervalLabel(lower=lower, upper=upper)


@dataclass(frozen=True)
class _Values:
    """The distinct spellings of a label, the least first, and the first row of each."""

    texts: tuple[str, ...]
    rows: tuple[int, ...]

    @classmethod
    def of(cls, table: Table, name: str, missing: MissingValues) -> "_Values":
        codes, cells = distinct_cells(table.column(name))
        _, first = np.unique(codes, return_index=True)
        rows: dict[str, int] = {}
        for row in first.tolist():
            text = category_text(cells[codes[row]])
            if text is not None and text not in missing.texts:
                rows[text] = min(row, rows.get(text, row))
        texts = sorted(rows, key=_order)
        return cls(tuple(texts), tuple(rows[text] for text in texts))

    @property
    def shown(self) -> str:
        """The first values, for a message."""
        more = ", ..." if len(self.texts) > VALUES_SHOWN else ""
        return ", ".join(map(quote, self.texts[:VALUES_SHOWN])) + more

    def surplus_row(self, most: int) -> int:
        """Return the first row of the value that is one too many, in the order of rows."""
        return sorted(self.rows)[most]


def _order(text: str) -> tuple[bool, float, str]:
    """Order numbers as numbers, before words."""
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text


def _binary(table: Table, name: str, columns: Columns, goal: Goal) -> Label:
    values = _Values.of(table, name, MissingValues.of(columns.missing_values))
    where = f"column {quote(name)}"
    hint = f"Name the label column with target; it is {quote(name)} now"
    if len(values.texts) > 2:
        if not goal.given:
            hint += (
                ". Or set objective: multi:softprob for classes, reg:squarederror for numbers, "
                "or another one"
            )
        raise DataError(
            f"the label has {len(values.texts)} values ({values.shown}) where two are needed",
            where=f"{table.locate(values.surplus_row(2))}, {where}",
            hint=hint,
        )
    if len(values.texts) < 2:
        raise _too_few(values, where, hint)
    positive = _positive(values.texts, columns, name)
    negative = next(value for value in values.texts if value != positive)
    return Label(name=name, negative=negative, positive=positive)


def _too_few(values: _Values, where: str, hint: str) -> DataError:
    found = f"is {quote(values.texts[0])} in every row" if values.texts else "is empty in every row"
    return DataError(f"the label {found}; two values are needed", where=where, hint=hint)


def _positive(values: Sequence[str], columns: Columns, name: str) -> str:
    if columns.positive_label is None:
        return values[-1]
    positive = category_text(columns.positive_label)
    if positive not in values:
        raise SettingsError(
            f"positive_label is {quote(columns.positive_label)}, "
            f"but column {quote(name)} holds {' and '.join(map(quote, values))}",
            hint="Take one of the two",
        )
    return str(positive)


def _classes(table: Table, name: str, columns: Columns, goal: Goal) -> ClassLabel:
    """Return the classes: numbers 0..k-1 stay themselves, other values are numbered in order."""
    values = _Values.of(table, name, MissingValues.of(columns.missing_values))
    where, count = f"column {quote(name)}", goal.num_class
    if len(values.texts) < 2:
        hint = f"Name the label column with target; it is {quote(name)} now"
        raise _too_few(values, where, hint)
    numbers = [number for number in map(_class_number, values.texts) if number is not None]
    if count is None or len(numbers) < len(values.texts):
        if count is not None and len(values.texts) != count:
            at = count if len(values.texts) > count else len(values.texts) - 1
            raise DataError(
                f"the label has {len(values.texts)} values ({values.shown}) where num_class is "
                f"{count}",
                where=f"{table.locate(values.surplus_row(at))}, {where}",
                hint="Correct num_class, or leave it out",
            )
        return ClassLabel(name=name, classes=values.texts)
    for text, row, number in zip(values.texts, values.rows, numbers, strict=True):
        if number >= count:
            raise DataError(
                f"the label is {quote(text)} where num_class is {count}",
                where=f"{table.locate(row)}, {where}",
                hint=f"Number the classes from 0 to {count - 1}, or leave num_class out to have "
                "them numbered",
            )
    return ClassLabel(name=name, classes=tuple(map(str, range(count))))


def _class_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and str(int(text)) == text else None
