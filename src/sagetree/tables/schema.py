"""The columns a model was trained on, and the check of any table against them."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, assert_never

from sagetree.errors import SchemaError, Violation
from sagetree.tables.cells import DateOrder, NumberShape
from sagetree.tables.forms import forms_of
from sagetree.tables.index_names import is_index_name
from sagetree.tables.label import AnyLabel
from sagetree.tables.stored_record import StoredRecord
from sagetree.tables.table import Cells, Table, column_cell, pick

Kind = Literal[
    "number", "boolean", "category", "mixed", "ordinal", "datetime", "identifier", "constant",
    "dropped", "weight", "base_margin", "group", "time", "event",
]  # fmt: skip

# Columns that say how training takes a row, not what the row is.
ROLES: frozenset[Kind] = frozenset({"weight", "base_margin", "group", "time", "event"})


class Shift(StoredRecord):
    """A number x is given to the model as (x - offset) / scale, which float32 keeps apart."""

    offset: float
    scale: float


class Column(StoredRecord):
    """One column of the training table; counts are of its rows.

    `categories` of a mixed column are its words. `low` and `high` bound its numbers;
    `forms` are what the texts of a column that was left out look like
    (`sagetree.tables.forms`). Bundles may not say.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    categories: tuple[str, ...] = ()
    shift: Shift | None = None
    written: NumberShape | None = None
    date_order: DateOrder = "iso"
    low: float | None = None
    high: float | None = None
    forms: tuple[str, ...] = ()

    @cached_property
    def category_forms(self) -> tuple[str, ...]:
        """What its categories look like."""
        return forms_of(self.categories)

    @property
    def is_input(self) -> bool:
        """Whether the model needs this column; requests may hold the others or not."""
        match self.kind:
            case "number" | "boolean" | "category" | "mixed" | "ordinal" | "datetime":
                return True
            case "identifier" | "constant" | "dropped":
                return False
            case "weight" | "base_margin" | "group" | "time" | "event":
                return False
            case _:
                assert_never(self.kind)


class Schema(StoredRecord):
    """All columns of the training table but the label, in its order.

    `named` says whether training knew names; if not, columns are f0, f1, ...
    `first_index` is the number that libsvm and recordio-protobuf give the first
    column. `rows` are those of the columns' counts, 0 in bundles that do not say.
    `base_margins` are the columns that say where a row's score starts, one for
    each output; without them, as in bundles that do not list them, all rows start
    from the model's own base_score.
    """

    columns: tuple[Column, ...]
    label: AnyLabel | None
    named: bool
    first_index: int = 0
    rows: int = 0
    base_margins: tuple[str, ...] = ()

    @cached_property
    def all_names(self) -> tuple[str, ...]:
        """Every column's name but the label's."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def trained_names(self) -> frozenset[str]:
        """The same names, to be searched."""
        return frozenset(self.all_names)

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """The names of the columns the model needs, in its order."""
        return tuple(column.name for column in self.columns if column.is_input)

    @cached_property
    def numbered_names(self) -> tuple[str, ...]:
        """The names of the columns that libsvm and recordio-protobuf number.

        A weight or group that these formats set apart stands beside them.
        """
        if self.named:
            return self.all_names
        return tuple(c.name for c in self.columns if c.kind not in ROLES or _NUMBERED(c.name))

    def is_header(self, cells: Sequence[str]) -> bool:
        """Say whether a first row holds the trained names, in any order.

        A row whose cells are mostly trained names is a faulty header, not data:
        taken as one, its columns are named in the error. As wide as the model's
        rows, a short one may be data: categories may be called like columns. The names
        in another case are a faulty header, too.
        """
        known = self._known_names
        if known.isdisjoint(map(str.strip, cells)):  # rows of data, at a glance
            return self._is_in_another_case(cells)
        names = header_names(cells)
        hits = sum(name in known for name in names)
        told = [name for name in names if name in known or not is_index_name(name)]
        if hits == len(told) == len(set(told)) and set(self.input_names) <= set(told):
            return True
        as_data = len(names) in (len(self.input_names), len(self.all_names))
        if hits * 2 > len(names) and (len(names) >= FAULTY_HEADER_CELLS or not as_data):
            return True
        return self._is_in_another_case(cells)

    def _is_in_another_case(self, cells: Sequence[str]) -> bool:
        """Say whether a first row holds all trained names but for their case, and no category."""
        known = self._folded_names
        if cells[-1].strip().casefold() not in known:  # the first one may name an index
            return False
        told = [name for name in header_names(cells) if not is_index_name(name)]
        folded = {name.casefold() for name in told}
        needed = {name.casefold() for name in self.input_names}
        if not needed <= folded <= known or len(folded) < len(told):
            return False
        return not any(folded & {*map(str.casefold, c.categories)} for c in self.columns)

    def arrange(self, table: Table) -> Table:
        """Return the model's input columns of `table`, in the model's order.

        A table with names is matched by them. One without must have exactly the
        input columns, or exactly all trained columns, in order. An index that pandas
        wrote along is left out, whether training saw one or not. Raises SchemaError
        naming the file, and each column that is missing, unknown or the label.
        """
        if not table.named:
            return self._arrange_by_position(table)
        if table.names == self.input_names:
            return table
        found = {name: place for place, name in enumerate(table.names)}
        misfits = [
            *((name, "is missing") for name in self.input_names if name not in found),
            *self._unknown(table.names),
        ]
        if misfits:
            violations = [Violation(name, what, where=table.file) for name, what in misfits]
            raise SchemaError(violations, hint=f"The model needs {listing(self.input_names)}")
        return self._inputs(table, [found[name] for name in self.input_names])

    def base_margin_columns(self, table: Table) -> "list[Cells | None]":
        """Return the cells of each base margin in a table that fits, None for one it lacks."""
        names = table.names
        if not table.named:
            names = self.all_names if len(table.columns) == len(self.all_names) else ()
        return [
            table.columns[names.index(name)] if name in names else None
            for name in self.base_margins
        ]

    def _unknown(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return each name that is none of the trained ones, and what it is."""
        return [
            (name, LABEL_IN_REQUEST if name in self._label_names else "is unknown")
            for name in names
            if name not in self.trained_names and not is_index_name(name)
        ]

    def _arrange_by_position(self, table: Table) -> Table:
        if len(table.columns) == len(self.input_names):
            return Table(self.input_names, table.columns, table.rows, True, table.sources)
        if len(table.columns) == len(self.all_names):
            return self._inputs(table, self._input_places)
        inputs, every = len(self.input_names), len(self.all_names)
        needed = f"{inputs} columns" if inputs == every else f"{inputs} or {every} columns"
        raise SchemaError(
            [
                Violation(
                    "",
                    f"there are {len(table.columns)} columns, and the model has {needed}",
                    where=table.locate(0),
                )
            ],
            hint=self._positions_hint(table),
        )

    def _positions_hint(self, table: Table) -> str:
        hint = (
            f"Without a header row the columns must be, in this order, {listing(self.input_names)}"
        )
        if len(self.input_names) < len(self.all_names):
            hint += f"; or, with those left out of training, {listing(self.all_names)}"
        if len(table.columns) and column_cell(table.columns[-1], 0) in ("", None):
            hint += ". The last cell is empty: no comma ends a row"
        return hint

    def _inputs(self, table: Table, places: Sequence[int]) -> Table:
        columns = pick(table.columns, places)
        return Table(self.input_names, columns, table.rows, True, table.sources)

    @cached_property
    def _input_places(self) -> Sequence[int]:
        return [place for place, column in enumerate(self.columns) if column.is_input]

    @cached_property
    def _known_names(self) -> frozenset[str]:
        return frozenset({*self.all_names, *self._label_names})

    @cached_property
    def _folded_names(self) -> frozenset[str]:
        return frozenset(map(str.casefold, self._known_names))

    @property
    def _label_names(self) -> tuple[str, ...]:
        return self.label.columns if self.label else ()


# What columns without a name are called.
_NUMBERED = re.compile(r"f\d+").fullmatch

# With fewer cells, a row of categories that happen to be column names is thinkable.
FAULTY_HEADER_CELLS = 3

LABEL_IN_REQUEST = "is the label: leave it out of the request"


def header_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return a header row's names, stripped; an empty one gets pandas' name for it.

    >>> header_names(["", " fraud"])
    ('Unnamed: 0', 'fraud')
    """
    return tuple(cell.strip() or f"Unnamed: {index}" for index, cell in enumerate(cells))


def listing(names: Sequence[str]) -> str:
    """Return all names, as a list fit for a message of limited length."""
    shown = ", ".join(names[:NAMES_SHOWN])
    return shown + (f", ... ({len(names)} in all)" if len(names) > NAMES_SHOWN else "")


# A failure reason has 1024 characters: 50 names of usual length fit.
NAMES_SHOWN = 50
