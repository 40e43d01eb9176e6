"""Channels of a training job to tables, labels and a schema."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pyarrow as pa

from sagetree.cells import MissingValues, category_text
from sagetree.csv_text import CsvText
from sagetree.errors import DataError, SettingsError, quote
from sagetree.label import AnyLabel, Label, Labels
from sagetree.paths import OptMl
from sagetree.reading import looks_like_header, read_table
from sagetree.schema import Column, Schema
from sagetree.table import Table, distinct_cells
from train.examples import RowRoles
from train.kinds import infer_columns
from train.labels import Goal, find_label
from train.roles import RoleColumns, Vocabulary, check_queries, read_roles
from train.settings import TRAIN, Columns, TrainSettings

LABEL_NAME = "label"
WEIGHT_NAME = "weight"

# Names pandas gives to row numbers: equal in two files, they say nothing.
_ROW_NUMBERS = ("Unnamed: ", "__index_level_", "index")


@dataclass(frozen=True)
class Channel:
    """One channel's rows: the table without the label, the labels (n) or (n, 2), the roles.

    `groups` has the number of each group's name.
    """

    name: str
    table: Table
    labels: Labels
    roles: RowRoles
    groups: Vocabulary


def read_channel(opt_ml: OptMl, name: str, settings: TrainSettings) -> Table:
    """Return all rows of a channel; without a header columns are called label, f0, f1, ...

    With csv_weights the second one is called weight. Raises DataError naming
    file and line.
    """

    def is_header(text: CsvText) -> bool:
        return looks_like_header(text) if settings.header is None else settings.header

    table = read_table(opt_ml.data / name, is_header, settings.formats[name])
    if table.named:
        return table
    first = (LABEL_NAME, WEIGHT_NAME) if settings.columns.csv_weights else (LABEL_NAME,)
    features = (f"f{index}" for index in range(len(table.names) - len(first)))
    return replace(table, names=(*first, *features)[: len(table.names)])


def split_training_table(table: Table, columns: Columns, goal: Goal) -> tuple[Channel, Schema]:
    """Return the training channel's rows and labels, and the schema they make.

    Raises SettingsError for a column that is named and not there, DataError
    for labels that are empty or that the objective cannot learn.
    """
    label = find_label(table, columns, goal)
    roles = RoleColumns.find(table, columns, TRAIN)
    if goal.is_ranking and roles.group is None:
        raise SettingsError(
            f"objective {goal.objective.name} ranks the rows of a group, and no group is named",
            hint="Set group_column to the column that says to which query a row belongs",
        )
    channel = _split(TRAIN, table, label, roles, columns, goal, {})
    features = roles.without(channel.table)
    if not features.names:
        raise DataError(
            "there is no column beside the label",
            where=table.locate(0),
            hint="Put features beside it",
        )
    found = {column.name: column for column in infer_columns(features, columns)}
    for name, kind in roles.kinds.items():
        found[name] = Column(name=name, kind=kind, missing=0, distinct=0)
    ordered = tuple(found[name] for name in channel.table.names)
    return channel, Schema(columns=ordered, label=label, named=table.named)


def split_validation_table(
    table: Table, name: str, schema: Schema, columns: Columns, goal: Goal, train: Channel
) -> Channel:
    """Return a further channel's rows and labels.

    Raises DataError for labels unlike training's, a single class, and for keys
    that training holds too.
    """
    label = schema.label
    if label is None:
        raise DataError("the schema has no label", where=name)
    if table.named != schema.named:
        which = "train" if schema.named else name
        raise DataError(
            f"of train and {name} only {which} has a header",
            hint="Give the files of both channels a header, or none; or set header",
        )
    roles = RoleColumns.find(table, columns, name)
    channel = _split(name, table, label, roles, columns, goal, train.groups)
    if isinstance(label, Label) and len(np.unique(channel.labels)) < 2:
        value = label.positive if channel.labels[0] else label.negative
        raise DataError(
            f"the label is {quote(value)} in every row",
            where=f"channel {name}",
            hint="The channel needs rows of both kinds; split with stratification",
        )
    _check_keys(train.table, channel.table, schema, name)
    return channel


def _split(
    name: str,
    table: Table,
    label: AnyLabel,
    role_columns: RoleColumns,
    columns: Columns,
    goal: Goal,
    groups: Vocabulary,
) -> Channel:
    missing = MissingValues.of(columns.missing_values)
    labels, rest = label.encode(table, missing)
    roles, groups = read_roles(rest, role_columns, missing, groups)
    if goal.is_ranking and role_columns.group is not None:
        check_queries(rest, role_columns.group, roles)
    return Channel(name, rest, labels, roles, groups)


def _check_keys(train: Table, other: Table, schema: Schema, name: str) -> None:
    for column in schema.columns:
        if not _is_key(column, other):
            continue
        known = set(_texts(train, column.name))
        shared = [text for text in _texts(other, column.name) if text in known]
        if shared:
            raise DataError(
                f"{len(set(shared))} keys are in train and in {name}, such as {quote(shared[0])}",
                where=f"column {quote(column.name)}",
                hint="Split by key (sagetree prepare does), or list the column in drop_columns "
                "if it only numbers the rows",
            )


def _is_key(column: Column, other: Table) -> bool:
    numbering = column.name.startswith(_ROW_NUMBERS)
    return column.kind == "identifier" and not numbering and column.name in other.names


def _texts(table: Table, name: str) -> list[str]:
    _, cells = distinct_cells(cast("pa.ChunkedArray", table.column(name)))
    return [text for text in map(category_text, cells) if text is not None]
