"""Columns that say how training takes a row: its weight, margin, group, time and event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DataError, SchemaError, Violation, quote
from sagetree.tables.cells import Cell, MissingValues, category_text, to_moment
from sagetree.tables.encoding import Floats, distinct_cells, encode, encode_numbers, shape_encoder
from sagetree.tables.label import Labels, check_cells
from sagetree.tables.schema import Kind, Schema
from sagetree.tables.table import Cells, Table

# Beside a number, what is smaller by this factor does not count in float32's sums.
FLOAT32_STEP = 2.0**-24

# Whose cost a part of the rule is.
_EACH: Mapping[str, str] = MappingProxyType(
    {"miss": "a positive row that is missed", "alarm": "a false alarm"}
)

# A group's name to its number.
Groups: TypeAlias = Mapping[str, int]


@dataclass(frozen=True)
class RowRoles:
    """What is known of rows beside features and label; None where nothing is.

    `weight` (n) says how much each counts, `base_margin` (n), or (n, k) for k
    outputs, where each starts from, `groups` (n) which of them belong together,
    `times` (n) in seconds or any other unit which come first. `miss` (n) is what it costs
    not to call a positive row, `alarm` (n) to call a negative one; other rows have 0.
    `facets` (n, f) says which facets a row is in, `facet_groups` (n, f) its group there;
    `emphasis` (n) how many times as much it counts in training as it does elsewhere.
    """

    weight: NDArray[np.float32] | None = None
    base_margin: NDArray[np.float32] | None = None
    groups: NDArray[np.intp] | None = None
    times: NDArray[np.float64] | None = None
    miss: NDArray[np.float64] | None = None
    alarm: NDArray[np.float64] | None = None
    facets: NDArray[np.bool_] | None = None
    facet_groups: NDArray[np.intp] | None = None
    emphasis: NDArray[np.float32] | None = None

    @property
    def learning_weight(self) -> NDArray[np.float32] | None:
        """How much each row counts to what is learnt (n), None where all count as one."""
        if self.emphasis is None:
            return self.weight
        return self.emphasis if self.weight is None else self.weight * self.emphasis

    def take(self, rows: NDArray[np.intp]) -> "RowRoles":
        """Return the roles of some rows."""
        values = {name: value[rows] for name, value in vars(self).items() if value is not None}
        return RowRoles(**values)

    def joined(self, other: "RowRoles") -> "RowRoles":
        """Return the roles of these rows and those after them; both know the same."""
        pairs = {name: (value, getattr(other, name)) for name, value in vars(self).items()}
        return RowRoles(
            **{name: np.concatenate(pair) for name, pair in pairs.items() if pair[0] is not None}
        )


NO_ROLES = RowRoles()


@dataclass(frozen=True)
class RoleColumns:
    """Which columns have a role, by their names.

    Those of the amounts `miss` and `alarm` may be features beside.
    """

    weight: str | None = None
    base_margin: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    event: str | None = None
    miss: str | None = None
    alarm: str | None = None

    def of(self, table: Table) -> "RoleColumns":
        """Return these, and those that the table's own format sets apart."""
        return replace(
            self,
            weight=self.weight or table.roles.get("weight"),
            group=self.group or table.roles.get("group"),
        )

    @property
    def kinds(self) -> dict[str, Kind]:
        """Each column with a role, and the role."""
        kinds: dict[str, Kind] = dict.fromkeys(self.base_margin, "base_margin")
        single: tuple[tuple[str | None, Kind], ...] = (
            (self.weight, "weight"),
            (self.group, "group"),
            (self.time, "time"),
            (self.event, "event"),
        )
        return kinds | {name: kind for name, kind in single if name is not None}

    @property
    def amounts(self) -> dict[str, str]:
        """The columns of amounts, by `miss` and `alarm`."""
        both = {"miss": self.miss, "alarm": self.alarm}
        return {part: name for part, name in both.items() if name is not None}

    def without(self, table: Table) -> Table:
        """Return the table less these columns."""
        for name in self.kinds:
            table = table.without(name)
        return table

    def read(self, table: Table, missing: MissingValues, known: Groups) -> RowRoles:
        """Return what the columns say about each row; the event belongs to the label.

        `known` are groups that have their number already; others get the next
        ones. Raises DataError for a cell that is empty or no such value.
        """
        margins = [
            check_cells(
                table,
                name,
                encode_numbers(table.column(name), missing),
                lambda values: ~np.isnan(values),
                "a number",
                what="base margin",
            )
            for name in self.base_margin
        ]
        return RowRoles(
            weight=_weights(table, self.weight, missing) if self.weight else None,
            base_margin=_stacked(margins) if margins else None,
            groups=_groups(table, self.group, missing, known) if self.group else None,
            times=_times(table, self.time, missing) if self.time else None,
        )


def read_amounts(
    table: Table, roles: RoleColumns, schema: Schema, missing: MissingValues, labels: Labels
) -> dict[str, Floats]:
    """Return what each row costs if it is called wrong (n), by `miss` and `alarm`.

    A miss is of rows with label 1, an alarm of the others; cells of rows that it is not of
    may hold anything. Raises DataError where the column is missing, or a cell is not an amount.
    """
    return {
        part: _amounts(table, part, name, schema, missing, labels == (part == "miss"))
        for part, name in roles.amounts.items()
    }


def _amounts(
    table: Table,
    part: str,
    name: str,
    schema: Schema,
    missing: MissingValues,
    counts: NDArray[np.bool_],
) -> Floats:
    if name not in table.names:
        raise DataError(
            f"column {quote(name)} is missing",
            where=table.locate(0),
            hint=f"The decision's rule needs it for the cost of {_EACH[part]}: add the column",
        )
    written = next((c.written for c in schema.columns if c.name == name), None)
    values, misfits = encode_numbers(table.column(name), missing, shape_encoder(written))
    checked = check_cells(
        table,
        name,
        (values, [misfit for misfit in misfits if counts[misfit.row]]),
        lambda values: ~counts | (values >= 0),
        f"a number from 0 on in the row of {_EACH[part]}",
        what="amount",
    )
    return np.where(counts, checked, 0.0)


def _stacked(columns: Sequence[Floats]) -> NDArray[np.float32]:
    values = np.stack(columns, axis=1).astype(np.float32)
    return values[:, 0] if len(columns) == 1 else values


def request_base_margin(
    table: Table, schema: Schema, missing: MissingValues
) -> NDArray[np.float32] | None:
    """Return where the rows of a request start: (n), or (n, k) for k outputs; None: all from 0.

    A margin that a row does not hold is 0. Raises SchemaError naming each cell
    that is not a number.
    """
    columns = schema.base_margin_columns(table)
    if all(cells is None for cells in columns):
        return None
    violations: list[Violation] = []
    margins: list[Floats] = []
    for name, cells in zip(schema.base_margins, columns, strict=True):
        if cells is None:
            margins.append(np.zeros(table.rows))
            continue
        values, misfits = encode_numbers(cells, missing)
        margins.append(np.nan_to_num(values))
        violations += [
            Violation(name, misfit.reason, misfit.row, table.locate(misfit.row))
            for misfit in misfits
        ]
    if violations:
        raise SchemaError(violations, hint="Send a number, or leave the base margin out for 0")
    return _stacked(margins)


def _weights(table: Table, name: str, missing: MissingValues) -> NDArray[np.float32]:
    weights = check_cells(
        table,
        name,
        encode_numbers(table.column(name), missing),
        lambda values: values >= 0,
        "a number from 0",
        what="weight",
    )
    return weights.astype(np.float32)


def check_weighted(roles: RowRoles, columns: RoleColumns) -> None:
    """Raise DataError where no row has a weight above 0, or one that the others vanish beside."""
    if roles.weight is None:
        return
    where = f"column {quote(columns.weight)}"
    if not roles.weight.any():
        raise DataError(
            "the weight is 0 in every row",
            where=where,
            hint="A row of weight 0 does not count: give some rows a weight above 0",
        )
    greatest = float(roles.weight.max())
    others = float(roles.weight.sum(dtype=np.float64)) - greatest
    count = np.count_nonzero(roles.weight) - 1
    if count and others < greatest * FLOAT32_STEP:
        raise DataError(
            f"one row has the weight {greatest:g}, beside which the other {count} do not count",
            where=where,
            hint="Correct it: all other weights together are too small for float32",
        )


def _times(table: Table, name: str, missing: MissingValues) -> Floats:
    cells = table.column(name)
    encoded = encode_numbers(cells, missing)
    if encoded[1]:
        encoded = encode(cells, to_moment)
    return check_cells(
        table,
        name,
        encoded,
        lambda values: ~np.isnan(values),
        "a number, or a date written as 2026-01-31 or 2026-01-31T13:45:00",
        what="time",
    )


def number_groups(cells: Cells, missing: MissingValues, known: Groups) -> dict[str, int]:
    """Return the number of each group's name; those not `known` get the next ones, as they come."""
    numbers = dict(known)
    distinct = cells if isinstance(cells, list) else distinct_cells(cells)[1]
    for text in map(category_text, distinct):
        if text is not None and text not in missing.texts:
            numbers.setdefault(text, len(numbers))
    return numbers


def _groups(table: Table, name: str, missing: MissingValues, known: Groups) -> NDArray[np.intp]:
    numbers = number_groups(table.column(name), missing, known)

    def number(cell: Cell) -> float:
        return numbers.get(category_text(cell) or "", np.nan)

    values = check_cells(
        table,
        name,
        encode(table.column(name), number),
        lambda values: ~np.isnan(values),
        "the name or number of a group",
        what="group",
    )
    return values.astype(np.intp)
