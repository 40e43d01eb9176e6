"""Channels of a training job to tables, labels and a schema."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pyarrow as pa

from sagetree.cells import MissingValues, category_text
from sagetree.csv_text import CsvText
from sagetree.errors import DataError, SettingsError, quote
from sagetree.label import Label, Labels
from sagetree.paths import OptMl
from sagetree.reading import looks_like_header, read_table
from sagetree.schema import Column, Schema
from sagetree.table import Table, distinct_cells
from train.kinds import infer_columns
from train.settings import TRAIN, Columns, TrainSettings

LABEL_NAME = "label"

# Names pandas gives to row numbers: equal in two files, they say nothing.
_ROW_NUMBERS = ("Unnamed: ", "__index_level_", "index")


@dataclass(frozen=True)
class Channel:
    """One channel's rows: the table without its label, and the labels (n, 0 or 1)."""

    name: str
    table: Table
    labels: Labels


def read_channel(opt_ml: OptMl, name: str, settings: TrainSettings) -> Table:
    """Return all rows of a channel; without a header columns are called label, f0, f1, ...

    Raises DataError naming file and line.
    """

    def is_header(text: CsvText) -> bool:
        return looks_like_header(text) if settings.header is None else settings.header

    table = read_table(opt_ml.data / name, is_header, settings.formats[name])
    if table.named:
        return table
    features = (f"f{index}" for index in range(len(table.names) - 1))
    return replace(table, names=(LABEL_NAME, *features))


def split_training_table(table: Table, columns: Columns) -> tuple[Channel, Schema]:
    """Return the training channel's rows and labels, and the schema they make.

    Raises SettingsError for a target or label that is not there, DataError for
    labels that are empty or not of two values.
    """
    label = _find_label(table, columns)
    missing = MissingValues.of(columns.missing_values)
    labels, rest = label.encode(table, missing)
    if not rest.names:
        raise DataError(
            "there is no column beside the label",
            where=table.locate(0),
            hint="Put features beside it",
        )
    kinds = infer_columns(rest, columns)
    return Channel(TRAIN, rest, labels), Schema(columns=kinds, label=label, named=table.named)


def _find_label(table: Table, columns: Columns) -> Label:
    name = columns.target or table.names[0]
    if columns.target and not table.named:
        raise SettingsError(
            f"target is {quote(name)}, but the files of the channel have no header",
            hint="Add one, or leave target out and put the label into the first column",
        )
    if name not in table.names:
        raise SettingsError(
            f"target is {quote(name)}, which is no column",
            hint=f"The columns are {', '.join(map(quote, table.names))}",
        )
    values = _label_values(table, name, columns)
    positive = _positive(values, columns, name)
    negative = next(value for value in values if value != positive)
    return Label(name=name, negative=negative, positive=positive)


def _label_values(table: Table, name: str, columns: Columns) -> list[str]:
    """Return the two spellings of the label, the lesser first."""
    missing = MissingValues.of(columns.missing_values)
    codes, cells = distinct_cells(table.column(name))
    texts = [category_text(cell) for cell in cells]
    first_row = {
        text: int(np.argmax(codes == code)) for code, text in reversed([*enumerate(texts)])
    }
    values = sorted(
        (text for text, cell in zip(texts, cells, strict=True) if cell is not None and text),
        key=_order,
    )
    values = [value for value in dict.fromkeys(values) if value not in missing.texts]
    where = f"column {quote(name)}"
    hint = f"Name the label column with target; it is {quote(name)} now"
    if len(values) > 2:
        third = sorted(first_row[value] for value in values)[2]
        shown = ", ".join(map(quote, values[:3]))
        more = ", ..." if len(values) > 3 else ""
        raise DataError(
            f"the label has {len(values)} values ({shown}{more}) where two are needed",
            where=f"{table.locate(third)}, {where}",
            hint=hint,
        )
    if len(values) < 2:
        found = f"is {quote(values[0])} in every row" if values else "is empty in every row"
        raise DataError(f"the label {found}; two values are needed", where=where, hint=hint)
    return values


def _order(text: str) -> tuple[bool, float, str]:
    """Order numbers as numbers, before words."""
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text


def _positive(values: list[str], columns: Columns, name: str) -> str:
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


def split_validation_table(
    table: Table, name: str, schema: Schema, columns: Columns, train: Channel
) -> Channel:
    """Return a further channel's rows and labels.

    Raises DataError for labels unlike training's, a single class, and for keys
    that training holds too.
    """
    label = schema.label
    if not isinstance(label, Label):
        raise DataError("the schema has no label", where=name)
    if table.named != schema.named:
        which = "train" if schema.named else name
        raise DataError(
            f"of train and {name} only {which} has a header",
            hint="Give the files of both channels a header, or none; or set header",
        )
    labels, rest = label.encode(table, MissingValues.of(columns.missing_values))
    if len(set(labels.tolist())) < 2:
        value = label.positive if labels[0] else label.negative
        raise DataError(
            f"the label is {quote(value)} in every row",
            where=f"channel {name}",
            hint="The channel needs rows of both kinds; split with stratification",
        )
    _check_keys(train.table, rest, schema, name)
    return Channel(name, rest, labels)


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
