"""Channels of a training job to tables, and what a further one must have in common with train."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, assert_never, cast

import pyarrow as pa

from sagetree.errors import DataError
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.files.gathering import Shrink
from sagetree.files.header import HeaderRule, header_rule
from sagetree.files.reading import Reading, read_files
from sagetree.files.sparse_files import Indices
from sagetree.files.spill import Spill
from sagetree.formats.charsets import UTF_8
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.cells import MissingValues, category_text
from sagetree.tables.encoding import distinct_cells
from sagetree.tables.index_names import first_column, is_index_name
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Cells, Table
from sagetree.train.columns.roles import check_roles
from sagetree.train.settings.columns import Columns
from sagetree.train.settings.settings import TrainSettings

LABEL_NAME = "label"
WEIGHT_NAME = "weight"


class Other(NamedTuple):
    """What other hosts have found: columns of words, and which columns sparse rows have."""

    texts: frozenset[str] = frozenset()
    indices: Indices | None = None


def read_channel(
    opt_ml: OptMl,
    name: str,
    settings: TrainSettings,
    schema: Schema | None = None,
    other: Other | None = None,
) -> Table:
    """Return all rows of a channel; without a header columns are called label, f0, f1, ...

    With csv_weights the second one is called weight. Columns that `schema` knows
    are read as training's were. Beside `other` hosts there need be no row. Raises
    DataError naming file and line.
    """
    columns, found = settings.columns, other or Other()
    shrink = Shrink(
        names=lambda count: _names(count, columns),
        kept=lambda names: _roles(names, columns),
        text=_texts_of(columns, schema) | found.texts,
        missing=MissingValues.of(columns.missing_values),
        keeps_text=columns.decimal == "comma",  # of 1.299, which is not a number with a point
        spill=Spill.of(settings.boosting.external_memory),
    )
    indices = found.indices
    if schema and not schema.named:  # the columns that a libsvm or recordio file of training's has
        indices = Indices(schema.first_index, len(schema.numbered_names))
    is_header = _header_rule(settings, schema, name)
    format, charset = settings.formats[name], settings.charsets.get(name, UTF_8)  # noqa: A001
    reading = Reading(
        is_header, format, settings.delimiter, indices, shrink, charset, other is not None
    )
    return read_files(opt_ml.data / name, reading)


def _header_rule(settings: TrainSettings, schema: Schema | None, channel: str) -> HeaderRule:
    told = settings.header
    if told is not None:
        return lambda _: told
    trained = schema.is_header if schema else None

    def tell(sentence: str) -> None:
        LOG.warning("%s: %s. If it is not, set header=true or header=false", channel, sentence)

    return header_rule(settings.columns.named, trained, tell)


def _names(count: int, columns: Columns) -> tuple[str, ...]:
    first = (LABEL_NAME, WEIGHT_NAME) if columns.csv_weights else (LABEL_NAME,)
    features = (f"f{index}" for index in range(count - len(first)))
    return (*first, *features)[:count]


def _roles(names: Sequence[str], columns: Columns) -> set[str]:
    """Return the columns that are not features: their cells are kept as they are."""
    label = () if columns.target else (first_column(names),)
    weight = names[1:2] if columns.csv_weights else ()
    return {*columns.of_roles, *label, *weight}


def _texts_of(columns: Columns, schema: Schema | None) -> frozenset[str]:
    """Return the columns whose cells are words: by the user's word, or training's."""
    declared = {name for name, kind in columns.kinds.items() if kind != "number"}
    known = schema.columns if schema else ()
    return frozenset(declared | {c.name for c in known if _is_of_texts(c) or c.written})


def _is_of_texts(column: Column) -> bool:
    """Say whether cells of a column may be spelled with digits and be no numbers: 007."""
    match column.kind:
        case "category" | "mixed" | "ordinal" | "boolean" | "datetime":
            return True
        case "number" | "identifier" | "constant" | "dropped":
            return False
        case "weight" | "base_margin" | "group" | "time" | "event":
            return False
        case _:
            assert_never(column.kind)


def check_channel(table: Table, plan: TablePlan, channel: str) -> None:
    """Raise where a further channel cannot be read by the plan of train's table.

    DataError if only one of them has names, SettingsError for a column with a role
    that is not there.
    """
    if table.named != plan.schema.named:
        which = "train" if plan.schema.named else channel
        raise DataError(
            f"only {which} has a header, of train and {channel}",
            hint="Give the files of both channels a header, or none; or set header",
        )
    check_roles(table, plan.roles, plan.label, channel)


def keys_of(rows: LabelledRows, schema: Schema, count: int) -> Mapping[str, Cells]:
    """Return the columns that name rows, less those that only number them, `count` in all."""
    table = rows.table
    return {
        column.name: table.column(column.name)
        for column in schema.columns
        if column.kind == "identifier"
        and column.name in table.names
        and not _numbers_rows(column, table, count)
    }


def _numbers_rows(column: Column, table: Table, count: int) -> bool:
    """Say whether an identifier is an index that may be equal in two files and say nothing."""
    if is_index_name(column.name) or column.name.startswith("index"):
        return True
    return column.name in table.index_columns and column.distinct < count


def key_texts(column: Cells) -> list[str]:
    """Return the distinct keys of a column."""
    _, cells = distinct_cells(cast("pa.ChunkedArray", column))
    return [text for text in map(category_text, cells) if text is not None]
