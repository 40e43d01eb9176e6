"""Which columns the settings give a role to, and what ranking asks of them."""

from collections.abc import Mapping

import numpy as np

from sagetree.errors import DataError, SettingsError, did_you_mean, quote, quote_all
from sagetree.tables.label import AnyLabel
from sagetree.tables.roles import RoleColumns, RowRoles
from sagetree.tables.schema import Kind
from sagetree.tables.table import Table
from sagetree.train.settings.columns import Columns

# The setting that names a column -> its role.
_SETTINGS: Mapping[str, Kind] = {
    "weight_column": "weight",
    "base_margin_column": "base_margin",
    "group_column": "group",
    "time_column": "time",
    "event_column": "event",
}


def find_roles(table: Table, columns: Columns) -> RoleColumns:
    """Return the columns of the training table that the settings give a role to."""
    second = table.names[1] if columns.csv_weights and len(table.names) > 1 else None
    return RoleColumns(
        weight=second or columns.weight,
        base_margin=columns.base_margin,
        group=columns.group,
        time=columns.time,
        event=columns.event,
        **columns.amounts,
    )


def check_roles(table: Table, roles: RoleColumns, label: AnyLabel, channel: str) -> None:
    """Raise SettingsError for a column that has a role and is not there, or is the label."""
    of_kind = {kind: setting for setting, kind in _SETTINGS.items()}
    named = [(of_kind[kind], name) for name, kind in roles.of(table).kinds.items()]
    named += [(f"{part} of decision", name) for part, name in roles.amounts.items()]
    for setting, name in named:
        if name in label.columns:
            raise SettingsError(
                f"{setting} is {quote(name)}, which is the label",
                where=f"channel {channel}",
                hint="Name another column",
            )
        if name not in table.names:
            raise SettingsError(
                f"{setting} is {quote(name)}, which is not a column"
                f"{did_you_mean(name, table.names)}",
                where=f"channel {channel}",
                hint=f"The columns are {quote_all(table.names)}",
            )


def check_queries(table: Table, name: str, roles: RowRoles) -> None:
    """Check what ranking needs: rows of a query stand together and weigh the same.

    Raises DataError naming the first row that does not.
    """
    groups = roles.groups
    assert groups is not None  # noqa: S101 - ranking has a group column
    starts = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1])[: len(groups)]
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
