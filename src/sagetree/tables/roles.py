"""Columns that say how training takes a row: its weight, margin, group and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DataError, SettingsError, quote
from sagetree.tables.cells import MissingValues, category_text, to_moment
from sagetree.tables.encoding import Floats, encode, encode_numbers
from sagetree.tables.label import AnyLabel, check_cells
from sagetree.tables.schema import Kind
from sagetree.tables.table import Table
from sagetree.train.examples.examples import RowRoles, Rows
from sagetree.train.settings.settings import Columns

# The setting that names a column -> its role.
_SETTINGS: Mapping[str, Kind] = {
    "weight_column": "weight",
    "base_margin_column": "base_margin",
    "group_column": "group",
    "time_column": "time",
}

Vocabulary: TypeAlias = Mapping[str, int]


@dataclass(frozen=True)
class RoleColumns:
    """Which columns have a role, in a table of known names."""

    weight: str | None = None
    base_margin: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None

    @classmethod
    def find(cls, table: Table, columns: Columns, label: AnyLabel, channel: str) -> "RoleColumns":
        """Return the columns the settings name.

        Raises SettingsError for one that is not there, or is the label.
        """
        weight = table.names[1] if columns.csv_weights and len(table.names) > 1 else columns.weight
        found = cls(
            weight or table.roles.get("weight"),
            columns.base_margin,
            columns.group or table.roles.get("group"),
            columns.time,
        )
        for name, kind in found.kinds.items():
            setting = next(setting for setting, role in _SETTINGS.items() if role == kind)
            if name in label.columns:
                raise SettingsError(
                    f"{setting} is {quote(name)}, which is the label",
                    where=f"channel {channel}",
                    hint="Name another column",
                )
            if name not in table.names:
                raise SettingsError(
                    f"{setting} is {quote(name)}, which is no column",
                    where=f"channel {channel}",
                    hint=f"The columns are {', '.join(map(quote, table.names))}",
                )
        return found

    @property
    def kinds(self) -> dict[str, Kind]:
        """Each column with a role, and the role."""
        kinds: dict[str, Kind] = dict.fromkeys(self.base_margin, "base_margin")
        single: tuple[tuple[str | None, Kind], ...] = (
            (self.weight, "weight"),
            (self.group, "group"),
            (self.time, "time"),
        )
        return kinds | {name: kind for name, kind in single if name is not None}

    def without(self, table: Table) -> Table:
        """Return the table less these columns."""
        for name in self.kinds:
            table = table.without(name)
        return table


def read_roles(
    table: Table, columns: RoleColumns, missing: MissingValues, known: Vocabulary
) -> tuple[RowRoles, Vocabulary]:
    """Return what the columns say of each row, and the number of each group's name.

    `known` are groups that have their number already. Raises DataError for a
    cell that is empty or no such value.
    """
    groups, vocabulary = None, known
    if columns.group is not None:
        groups, vocabulary = _groups(table, columns.group, missing, known)
    margins = [
        check_cells(
            table,
            name,
            encode_numbers(table.column(name), missing),
            lambda values: ~np.isnan(values),
            "a number",
            what="base margin",
        )
        for name in columns.base_margin
    ]
    roles = RowRoles(
        weight=_weights(table, columns.weight, missing) if columns.weight else None,
        base_margin=_stacked(margins) if margins else None,
        groups=groups,
        times=_times(table, columns.time, missing) if columns.time else None,
    )
    return roles, vocabulary


def _stacked(columns: Sequence[Floats]) -> NDArray[np.float32]:
    values = np.stack(columns, axis=1).astype(np.float32)
    return values[:, 0] if len(columns) == 1 else values


def _weights(table: Table, name: str, missing: MissingValues) -> NDArray[np.float32]:
    weights = check_cells(
        table,
        name,
        encode_numbers(table.column(name), missing),
        lambda values: values >= 0,
        "a number from 0",
        what="weight",
    )
    if not weights.any():
        raise DataError(
            "the weight is 0 in every row",
            where=f"column {quote(name)}",
            hint="A row of weight 0 does not count; give some rows a weight above it",
        )
    return weights.astype(np.float32)


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


def _groups(
    table: Table, name: str, missing: MissingValues, known: Vocabulary
) -> tuple[Rows, Vocabulary]:
    """Return the number of each row's group, in the order in which they come."""
    vocabulary = dict(known)

    def number(cell: object) -> float:
        text = category_text(cell)  # type: ignore[arg-type]
        if text is None or text in missing.texts:
            return np.nan
        return vocabulary.setdefault(text, len(vocabulary))

    values = check_cells(
        table,
        name,
        encode(table.column(name), number),
        lambda values: ~np.isnan(values),
        "the name or number of a group",
        what="group",
    )
    return values.astype(np.intp), vocabulary


def check_queries(table: Table, name: str, roles: RowRoles) -> None:
    """Check what ranking needs: rows of a query stand together and weigh the same.

    Raises DataError naming the first row that does not.
    """
    groups = roles.groups
    assert groups is not None  # noqa: S101 - ranking has a group column
    starts = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1])
    _, first = np.unique(groups[starts], return_index=True)
    if len(first) < len(starts):
        row = int(starts[np.setdiff1d(np.arange(len(starts)), first)[0]])
        raise DataError(
            "the rows of its group are not all together",
            where=f"{table.locate(row)}, column {quote(name)}",
            hint=f"Sort the rows by {quote(name)}",
        )
    if roles.weight is not None:
        of_query = np.repeat(roles.weight[starts], np.diff([*starts, len(groups)]))
        wrong = np.flatnonzero(roles.weight != of_query)
        if len(wrong):
            raise DataError(
                "the weight is not that of the row before it in its group",
                where=table.locate(int(wrong[0])),
                hint="Ranking weighs whole groups: give all rows of one the same weight",
            )
