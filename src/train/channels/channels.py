"""Channels of a training job to tables, labels and a schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from sagetree.errors import DataError, SettingsError, quote
from sagetree.files.gathering import Shrink
from sagetree.files.reading import Reading, looks_like_header, read_files
from sagetree.files.sparse_files import Indices
from sagetree.formats.csv_text import CsvText
from sagetree.machine.paths import OptMl
from sagetree.tables.cells import MissingValues, category_text
from sagetree.tables.encoding import distinct_cells
from sagetree.tables.label import AnyLabel, Label, Labels
from sagetree.tables.schema import ROLES, Column, Schema
from sagetree.tables.table import Table
from sagetree.train.columns.kinds import infer_columns
from sagetree.train.columns.labels import Goal, find_label
from sagetree.train.columns.roles import RoleColumns, Vocabulary, check_queries, read_roles
from sagetree.train.examples.examples import RowRoles
from sagetree.train.settings.settings import TRAIN, Columns, TrainSettings

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


def read_channel(
    opt_ml: OptMl, name: str, settings: TrainSettings, schema: Schema | None = None
) -> Table:
    """Return all rows of a channel; without a header columns are called label, f0, f1, ...

    With csv_weights the second one is called weight. Columns that `schema` knows
    are read as training's were. Raises DataError naming file and line.
    """

    def is_header(text: CsvText) -> bool:
        return looks_like_header(text) if settings.header is None else settings.header

    columns = settings.columns
    shrink = Shrink(
        names=lambda count: _names(count, columns),
        kept=lambda names: _roles(names, columns),
        text=_texts_of(columns, schema),
        missing=MissingValues.of(columns.missing_values),
    )
    indices = _indices(schema) if schema and not schema.named else None
    reading = Reading(is_header, settings.formats[name], settings.delimiter, indices, shrink)
    return read_files(opt_ml.data / name, reading)


def _names(count: int, columns: Columns) -> tuple[str, ...]:
    first = (LABEL_NAME, WEIGHT_NAME) if columns.csv_weights else (LABEL_NAME,)
    features = (f"f{index}" for index in range(count - len(first)))
    return (*first, *features)[:count]


def _roles(names: Sequence[str], columns: Columns) -> set[str]:
    """Return the columns that are no features: their cells are kept as they are."""
    single = (
        columns.target or names[0],
        columns.label_lower_bound,
        columns.label_upper_bound,
        columns.weight,
        columns.group,
        columns.time,
    )
    weight = names[1:2] if columns.csv_weights else ()
    return {name for name in (*single, *columns.base_margin, *weight) if name is not None}


def _texts_of(columns: Columns, schema: Schema | None) -> frozenset[str]:
    """Return the columns whose cells are words: by the user's word, or training's."""
    declared = {name for name, kind in columns.kinds.items() if kind != "number"}
    known = schema.columns if schema else ()
    return frozenset(declared | {c.name for c in known if c.kind in _TEXT_KINDS})


# Kinds whose cells may be spelled with digits and be no numbers: 007.
_TEXT_KINDS = frozenset({"category", "ordinal", "boolean", "datetime"})


def _indices(schema: Schema) -> Indices:
    """Return the columns that a libsvm or recordio file of training's has."""
    features = [column for column in schema.columns if column.kind not in ROLES]
    return Indices(schema.first_index, len(features))


def split_training_table(table: Table, columns: Columns, goal: Goal) -> tuple[Channel, Schema]:
    """Return the training channel's rows and labels, and the schema they make.

    Raises SettingsError for a column that is named and not there, DataError
    for labels that are empty or that the objective cannot learn.
    """
    label = find_label(table, columns, goal)
    roles = RoleColumns.find(table, columns, label, TRAIN)
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
    first_index = 0 if table.first_index is None else table.first_index
    schema = Schema(columns=ordered, label=label, named=table.named, first_index=first_index)
    return channel, schema


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
    roles = RoleColumns.find(table, columns, label, name)
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


def inputs_of(channel: Channel, schema: Schema) -> Table:
    """Return the model's input columns of a channel, in the model's order.

    Files without names give their columns the names of training's, so that
    they too are found by name: one may have weights where others have none.
    Raises SchemaError naming each column that is missing or unknown.
    """
    table = channel.table
    if not set(schema.input_names) <= set(table.names):
        return schema.arrange(table)
    for name in set(table.roles.values()) - set(schema.all_names):
        table = table.without(name)
    return schema.arrange(table._replace(named=True))


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
