"""The label column: what its cells may be, and the number each of them is to XGBoost."""

from collections.abc import Callable
from typing import ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from sagetree.errors import DataError, quote, quote_all
from sagetree.tables.cells import (
    Cell,
    MissingValues,
    NumberShape,
    category_text,
)
from sagetree.tables.encoding import (
    CellEncoder,
    Floats,
    Misfit,
    as_numbers,
    encode,
    encode_numbers,
    number_encoder,
    shape_encoder,
    spelling_coder,
    text_coder,
)
from sagetree.tables.label_range import LabelRange
from sagetree.tables.stored_record import StoredRecord
from sagetree.tables.table import Cells, Table, column_cell

# (n), or (n, 2) for lower and upper bounds.
Labels = NDArray[np.float32]

# More classes are not listed in a message.
CLASSES_SHOWN = 10

_INFINITE = frozenset({"inf", "+inf", "infinity", "+infinity"})


class _OneColumnLabel(StoredRecord):
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the label."""
        return (self.name,)


class Label(_OneColumnLabel):
    """A label of two values and the spelling of each."""

    negative: str
    positive: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The spelling of each class, by its number."""
        return self.negative, self.positive

    @property
    def probability(self) -> str:
        """What a score that is a probability is the probability of.

        >>> Label(name="status", negative="legit", positive="fraud").probability
        'P(status = fraud)'
        """
        return f"P({self.name} = {self.positive})"

    def encode(self, table: Table, missing: MissingValues) -> tuple[Labels, Table]:
        """Return the labels (0 or 1, n rows) and the table without them.

        The column is found by name, in a table without names it is the first. Where both
        values are numbers, others that spell the same number stand for them.
        Raises DataError where it is absent or holds another value.
        """
        allowed = f"{quote(self.negative)} or {quote(self.positive)}"
        coder = spelling_coder(_codes(self.classes), missing)
        return _encode_classes(table, self.name, coder, allowed)


class ClassLabel(_OneColumnLabel):
    """A label of several classes: the spelling of each, by its number."""

    classes: tuple[str, ...]

    def encode(self, table: Table, missing: MissingValues) -> tuple[Labels, Table]:
        """Return the labels (0..k-1, n rows) and the table without them; raises as `Label`."""
        shown = ", ".join(map(quote, self.classes[:CLASSES_SHOWN]))
        more = f", ... ({len(self.classes)} in all)" if len(self.classes) > CLASSES_SHOWN else ""
        coder = text_coder(_codes(self.classes), missing)
        return _encode_classes(table, self.name, coder, f"one of {shown}{more}")


class NumberLabel(_OneColumnLabel):
    """A label that is a number in a range, written as its column's cells are."""

    allowed: LabelRange = LabelRange()
    written: NumberShape | None = None
    classes: ClassVar[tuple[str, ...]] = ()

    def encode(self, table: Table, missing: MissingValues) -> tuple[Labels, Table]:
        """Return the labels (n) and the table without them.

        Raises DataError where the column is absent or holds what is not in the range.
        """
        name = label_column(table, self.name)
        encoded = encode_numbers(table.column(name), missing, shape_encoder(self.written))
        values = check_cells(table, name, encoded, self.allowed.fits, self.allowed.words)
        return values.astype(np.float32), table.without(name)


class IntervalLabel(StoredRecord):
    """A label that lies between two bounds, each in a column of its own.

    An upper bound that is empty or infinite says that it lies anywhere above
    the lower one (censored on the right).
    """

    lower: str
    upper: str
    classes: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _has_two_columns(self) -> Self:
        if self.lower == self.upper:
            raise ValueError("two columns are needed")
        return self

    @property
    def name(self) -> str:
        """How the label is called in messages."""
        return f"{self.lower} .. {self.upper}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the label."""
        return self.lower, self.upper

    def encode(self, table: Table, missing: MissingValues) -> tuple[Labels, Table]:
        """Return lower and upper bounds (n, 2) and the table without them.

        Raises DataError where a column is absent, a lower bound is negative, or
        an upper bound is below its lower one.
        """
        low, high = (label_column(table, name) for name in self.columns)
        allowed = LabelRange(low=0)
        encoded = encode_numbers(table.column(low), missing)
        lower = check_cells(table, low, encoded, allowed.fits, allowed.words)
        upper = check_cells(
            table,
            high,
            _upper_bounds(table.column(high), missing),
            lambda values: values >= lower,
            f"a number not below the lower bound in column {quote(low)}, or empty if it is unknown",
        )
        bounds = np.stack([lower, upper], axis=1).astype(np.float32)
        return bounds, table.without(low).without(high)


class EventLabel(_OneColumnLabel):
    """A time: that of a row's event, or when the row was last seen without one (censored).

    The column `event` says which by its texts; it is not a part of the label in a request,
    which may hold it. `bounds` says that the objective takes two bounds of a time.
    """

    event: str
    happened: tuple[str, ...]
    censored: tuple[str, ...]
    bounds: bool
    classes: ClassVar[tuple[str, ...]] = ()

    def encode(self, table: Table, missing: MissingValues) -> tuple[Labels, Table]:
        """Return the labels and the table without the times.

        Censored rows have a negative time (n), or with `bounds` no upper one (n, 2).
        Raises DataError where a column is absent, a time is not above 0, or an event
        is none of the known texts.
        """
        name = label_column(table, self.name)
        allowed = LabelRange(low=0, above=True)
        encoded = encode_numbers(table.column(name), missing)
        times = check_cells(table, name, encoded, allowed.fits, allowed.words)
        came = self._came(table, missing)
        if self.bounds:
            labels = np.stack([times, np.where(came, times, np.inf)], axis=1)
        else:
            labels = np.where(came, times, -times)
        return labels.astype(np.float32), table.without(name)

    def _came(self, table: Table, missing: MissingValues) -> NDArray[np.bool_]:
        if self.event not in table.names:
            raise DataError(
                f"event column {quote(self.event)} is missing",
                where=f"{table.locate(0)}",
                hint=(
                    f"Add it: it says whether the time in {quote(self.name)} is the time of an "
                    "event"
                ),
            )
        codes = dict.fromkeys(self.censored, 0.0) | dict.fromkeys(self.happened, 1.0)
        parts = (" or ".join(map(quote, texts)) for texts in (self.happened, self.censored))
        allowed = "{} where it came, {} where it has not".format(*parts)
        encoded = encode(table.column(self.event), text_coder(codes, missing))
        return check_cells(table, self.event, encoded, lambda v: v >= 0, allowed, what="event") > 0


AnyLabel: TypeAlias = Label | ClassLabel | NumberLabel | IntervalLabel | EventLabel


def label_column(table: Table, name: str) -> str:
    """Return the name under which the table holds the label; without names it is the first.

    Raises DataError where it is absent.
    """
    name = name if table.named else table.names[0]
    if name not in table.names:
        raise DataError(
            f"label column {quote(name)} is missing",
            where=f"{table.locate(0)}",
            hint=f"The columns are {quote_all(table.names)}",
        )
    return name


def check_varied(table: Table, label: AnyLabel, labels: Labels) -> None:
    """Raise DataError where a label is the same in every row: nothing is learnt or measured by it.

    `labels` are those of the rows of `table`. Who takes two-valued ones says so itself.
    """
    if isinstance(label, Label) or not len(labels) or (labels != labels[0]).any():
        return
    columns = [label_column(table, name) for name in label.columns]
    cells = " to ".join(quote(column_cell(table.column(name), 0)) for name in columns)
    raise DataError(
        f"the label is {cells} in every row",
        where=f"{table.locate(0)}, column {' and '.join(map(quote, columns))}",
        hint="Name the column to predict, or give rows with other labels",
    )


def _encode_classes(
    table: Table, name: str, coder: CellEncoder, allowed: str
) -> tuple[Labels, Table]:
    name = label_column(table, name)
    encoded = encode(table.column(name), coder)
    values = check_cells(table, name, encoded, lambda values: values >= 0, allowed)
    return values.astype(np.float32), table.without(name)


def _codes(classes: tuple[str, ...]) -> dict[str, float]:
    return {text: float(number) for number, text in enumerate(classes)}


def _upper_bounds(cells: Cells, missing: MissingValues) -> tuple[Floats, list[Misfit]]:
    """Return a column of upper bounds; one that is empty or infinite is infinity."""
    quick = None if isinstance(cells, list) else as_numbers(cells, missing)
    if quick is not None:
        return np.where(np.isnan(quick), np.inf, quick), []

    number = number_encoder(missing)

    def bound(cell: Cell) -> float:
        if str(category_text(cell)).lower() in _INFINITE:
            return np.inf
        value = number(cell)
        return np.inf if np.isnan(value) else value

    return encode(cells, bound)


def check_cells(
    table: Table,
    name: str,
    encoded: tuple[Floats, list[Misfit]],
    fits: Callable[[Floats], NDArray[np.bool_]],
    allowed: str,
    *,
    what: str = "label",
) -> Floats:
    """Return a column's numbers (n) if all of them fit.

    `allowed` says in words what fits, `what` what the column is. Raises
    DataError for the first cell that does not.
    """
    values, misfits = encoded
    words = [misfit.row for misfit in misfits]
    wrong = np.flatnonzero(~fits(values))
    if len(wrong) or words:
        row = min([*words, *map(int, wrong[:1])])
        empty = bool(np.isnan(values[row])) and row not in words
        leave_out = "Leave out the rows without a label. " if empty and what == "label" else ""
        cell = column_cell(table.column(name), row)
        raise DataError(
            f"the {what} is empty" if empty else f"the {what} is {quote(cell)}",
            where=f"{table.locate(row)}, column {quote(name)}",
            hint=f"{leave_out}Every {what} must be {allowed}",
        )
    return values
