"""What a training job tells a person: the schema at its start, the model at its end."""

import numpy as np

from evaluate.metrics import Evaluation
from sagetree.bundle import Decision
from sagetree.label import Label, Labels
from sagetree.paths import OptMl
from sagetree.schema import Column, Schema
from train.boosting import Rounds

# Longer lists of categories are cut in the table; the bundle holds them whole.
CATEGORIES_WIDTH = 60

_NOTES = {
    "identifier": "left out: it only names rows",
    "constant": "left out: one value everywhere",
    "dropped": "left out: drop_columns",
}


def schema_table(schema: Schema, labels: Labels) -> str:
    """Return the label's share and the columns, as a training job shows them at its start."""
    return f"{_label_line(schema, labels)}\n\n{columns_table(schema)}\n"


def columns_table(schema: Schema) -> str:
    """Return the columns as a plain table, one line each."""
    rows = [("column", "kind", "missing", "distinct", "categories")]
    rows += [_row(column) for column in schema.columns]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = (
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[4]])
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _label_line(schema: Schema, labels: Labels) -> str:
    positives = int(np.sum(labels))
    if not isinstance(schema.label, Label):
        return ""
    return (
        f"{len(labels)} rows; label {schema.label.name}: {positives} are "
        f"{schema.label.positive!r} ({positives / len(labels):.2%}), the rest "
        f"{schema.label.negative!r}"
    )


def _row(column: Column) -> tuple[str, str, str, str, str]:
    detail = _NOTES.get(column.kind) or _shorten(", ".join(column.categories))
    return column.name, column.kind, str(column.missing), str(column.distinct), detail


def _shorten(text: str) -> str:
    return text if len(text) <= CATEGORIES_WIDTH else text[: CATEGORIES_WIDTH - 3] + "..."


def summary(rounds: Rounds, evaluation: Evaluation, decision: Decision, opt_ml: OptMl) -> str:
    """Return the result of a job as a paragraph."""
    low, high = evaluation.auc_interval
    return (
        f"\nModel of {rounds.best} rounds. On {rounds.rows}: "
        f"AUC {evaluation.auc:.4f} (95 % interval {low:.4f} to {high:.4f}).\n"
        f"Rows scoring at least {decision.threshold:.4g} are called positive: of these "
        f"{decision.precision:.1%} are right, and {decision.recall:.1%} of all positives "
        f"are found.\n"
        f"The model reloads and repeats its scores bit for bit; it lies in {opt_ml.model}"
    )
