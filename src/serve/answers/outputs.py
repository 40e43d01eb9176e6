"""What an answer can hold for a row.

The keys of the official container mean what they mean there, with two
exceptions: `raw_scores` of binary:logitraw are the margins of both labels, and
those of multi:softmax are one for each class; there they make no sense.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import RequestError, quote
from sagetree.predictions.keys import DEFAULT_KEYS, Output
from sagetree.predictions.reasons import explain
from sagetree.predictions.scored_rows import ScoredRows, identifier_names, predicted_labels
from sagetree.serve.answers.encoders import (
    AnswerColumn,
    JsonText,
    Predictions,
    Value,
    json_keys,
    json_numbers,
)
from sagetree.tables.cells import Cell
from sagetree.tables.table import cell_list


def _score(rows: ScoredRows) -> AnswerColumn:
    return rows.scores


def _labels(rows: ScoredRows) -> AnswerColumn:
    return [list(rows.classes)] * rows.table.rows


def _winner(rows: ScoredRows) -> AnswerColumn:
    """Return the number that speaks for the predicted class, in binary for the positive one."""
    scores = rows.margins if rows.model.objective.name == "multi:softmax" else rows.scores
    return np.max(scores, axis=1) if scores.ndim == 2 else scores


def _all(rows: ScoredRows) -> AnswerColumn:
    """Return a number for each class (n, classes)."""
    objective = rows.model.objective
    if objective.name == "multi:softmax":
        return rows.margins
    if rows.scores.ndim == 2:
        return rows.scores
    positive = rows.scores.astype(np.float64)
    negative = -positive if objective.score == "margin" else 1.0 - positive
    return np.stack([negative, positive], axis=1)


def _threshold(rows: ScoredRows) -> AnswerColumn:
    return np.full(rows.table.rows, rows.model.threshold)


def _contributions(rows: ScoredRows, top: int | None) -> AnswerColumn:
    keys = json_keys(rows.table.names)
    values = rows.contributions
    if values.ndim == 2:
        return [_parts(keys, row, top) for row in values]
    outputs = ([_parts(keys, output, top) for output in row] for row in values)
    return [JsonText(f"[{', '.join(parts)}]") for parts in outputs]


def _parts(keys: Sequence[str], values: NDArray[np.float32], top: int | None) -> JsonText:
    """Return base value and columns; with `top` the strongest ones, and the sum of the others."""
    if top is None:
        *columns, base_value = json_numbers(values)
        return JsonText(_explained(base_value, map(add, keys, columns)))
    order = np.argsort(-np.abs(values[:-1]), kind="stable")
    others = values[order[top:]].sum(dtype=np.float64)
    *columns, base_value, rest = json_numbers(np.array([*values[order[:top]], values[-1], others]))
    chosen = (keys[place] for place in order[:top].tolist())
    return JsonText(_explained(base_value, map(add, chosen, columns), f', "others": {rest}'))


def _explained(base_value: str, columns: Iterable[str], others: str = "") -> str:
    return f'{{"base_value": {base_value}, "columns": {{{", ".join(columns)}}}{others}}}'


def _reasons(rows: ScoredRows) -> AnswerColumn:
    return explain(rows.model, rows.table, rows.matrix, rows.scores, rows.contributions)


def _model(rows: ScoredRows) -> AnswerColumn:
    return [{"name": rows.name, "sha256": rows.model.sha256}] * rows.table.rows


COLUMNS: Mapping[str, Callable[[ScoredRows], AnswerColumn]] = MappingProxyType(
    {
        "predicted_label": predicted_labels,
        "labels": _labels,
        "probability": _winner,
        "probabilities": _all,
        "raw_score": _winner,
        "raw_scores": _all,
        "predicted_score": _score,
        "score": _score,
        "threshold": _threshold,
        "reasons": _reasons,
        "model": _model,
    }
)


def predictions_of(rows: ScoredRows, output: Output) -> Predictions:
    """Return the asked columns; the model must be able to give them (`available_keys`).

    Raises RequestError for identifiers that the request does not hold.
    """
    if output.keys == DEFAULT_KEYS:
        return {"score": rows.scores}
    columns: dict[str, AnswerColumn] = {}
    for key in output.keys:
        if key == "identifiers":
            columns |= _identifiers(rows)
        elif key == "contributions":
            columns[key] = _contributions(rows, output.top)
        else:
            columns[key] = COLUMNS[key](rows)
    return columns


def _identifiers(rows: ScoredRows) -> dict[str, AnswerColumn]:
    """Return the columns that identify the rows, under their own names."""
    schema, request = rows.model.schema, rows.request
    names = request.names
    if not request.named and len(names) == len(schema.all_names):
        names = schema.all_names
    found: dict[str, AnswerColumn] = {}
    for name in identifier_names(rows.model):
        if name not in names:
            raise RequestError(
                f"column {quote(name)}, which identifiers asks for, is missing from the rows",
                where="the body",
                hint=f"Send the columns {', '.join(map(quote, schema.all_names[:50]))}",
            )
        found[name] = list(map(_plain, cell_list(request.columns[names.index(name)])))
    return found


def _plain(cell: Cell) -> Value:
    return cell if cell is None or isinstance(cell, (str, int, float)) else cell.isoformat()
