"""The columns of a training as a person reads them: the table that a job shows at its start."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import quote
from sagetree.tables.label import ClassLabel, EventLabel, IntervalLabel, Label, Labels, NumberLabel
from sagetree.tables.schema import Column, Schema

# Longer lists of categories are cut in the table; the bundle holds them whole.
CATEGORIES_WIDTH = 60

# A table of thousands of columns must not bury the first metric: the rest by kind.
COLUMNS_SHOWN = 40

# What training does with columns that are not features.
NOTES = {
    "identifier": "left out: it only identifies rows",
    "constant": "left out: it has the same value everywhere",
    "dropped": "left out: drop_columns",
    "weight": "no feature: how much a row counts",
    "base_margin": "no feature: where a row starts from",
    "group": "no feature: which rows belong together",
    "time": "no feature: which rows come first",
    "event": "no feature: whether the label is the time of an event",
}


def schema_table(schema: Schema, labels: Labels, rows: int | None = None) -> str:
    """Return the label's share and the columns, as a training job shows them at its start.

    `labels` may be those of some of the `rows`: what is counted of them is then about right.
    """
    rows = len(labels) if rows is None else rows
    return f"{_label_line(schema, labels, rows)}\n\n{columns_table(schema)}\n"


def columns_table(schema: Schema) -> str:
    """Return the columns as a plain table: one line for each of the first, one for the rest."""
    rows = [("column", "kind", "missing", "distinct", "categories")]
    rows += [_row(column) for column in schema.columns[:COLUMNS_SHOWN]]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = (
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[4]])
        for row in rows
    )
    return "\n".join([*(line.rstrip() for line in lines), *_rest(schema)])


def _rest(schema: Schema) -> list[str]:
    kinds = Counter(column.kind for column in schema.columns[COLUMNS_SHOWN:])
    if not kinds:
        return []
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return [f"and {kinds.total()} more columns: {said}"]


def shortened(names: Sequence[str]) -> str:
    """Return names as a list that a person reads, and how many more there are."""
    more = [f"and {len(names) - COLUMNS_SHOWN} more"] if len(names) > COLUMNS_SHOWN else []
    return ", ".join([*names[:COLUMNS_SHOWN], *more])


def _label_line(schema: Schema, labels: Labels, rows: int) -> str:
    def count(chosen: NDArray[np.bool_]) -> int:
        return round(int(np.count_nonzero(chosen)) * rows / len(labels))

    match schema.label:
        case Label(name=name, negative=negative, positive=positive):
            positives = count(labels > 0)
            said = f"{name}: {positives} are {positive!r} ({positives / rows:.2%}), "
            said += f"the rest {negative!r}"
        case ClassLabel(name=name, classes=classes):
            counts = np.bincount(labels.astype(np.intp), minlength=len(classes))
            shares = (
                f"{quote(c)} {n / len(labels):.2%}" for c, n in zip(classes, counts, strict=True)
            )
            said = f"{name}: {_shorten(', '.join(shares))}"
        case NumberLabel(name=name):
            said = f"{name}: {labels.min():g} to {labels.max():g}, mean {labels.mean():g}"
        case IntervalLabel(name=name):
            exact = count(labels[:, 0] == labels[:, 1])
            open_ended = count(np.isinf(labels[:, 1]))
            said = f"{name}: {exact} known exactly, {open_ended} without an upper bound"
        case EventLabel(name=name, event=event):
            censored = count(np.isinf(labels[:, 1]) if labels.ndim == 2 else labels < 0)
            times = np.abs(labels[:, 0] if labels.ndim == 2 else labels)
            said = f"{name}: {times.min():g} to {times.max():g}, {rows - censored} events, "
            said += f"{censored} censored by {quote(event)}"
        case None:
            return ""
    counted = "" if rows == len(labels) else f", found in {len(labels)} of them"
    return f"{rows} rows; label {said}{counted}"


def _row(column: Column) -> tuple[str, str, str, str, str]:
    detail = NOTES.get(column.kind) or _shorten(", ".join(column.categories))
    return column.name, column.kind, str(column.missing), str(column.distinct), detail


def _shorten(text: str) -> str:
    return text if len(text) <= CATEGORIES_WIDTH else text[: CATEGORIES_WIDTH - 3] + "..."
