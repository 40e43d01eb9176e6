"""What an answer can hold for a row, and which of it a model can give."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sagetree.features.pipeline import FeatureMatrix
from sagetree.label import Label
from sagetree.model import Model
from sagetree.scoring import Scores, contributions_by_column
from sagetree.table import Table
from serve.encoders import Predictions, Value
from serve.reasons import explain

# Its score is a probability and its margin the log of the odds.
LOGISTIC = "binary:logistic"


@dataclass(frozen=True)
class ScoredRows:
    """Rows and their scores; `table` holds the model's columns in its order."""

    model: Model
    table: Table
    matrix: FeatureMatrix
    scores: Scores

    @cached_property
    def contributions(self) -> NDArray[np.float32]:
        """SHAP values of the user's columns, the base value last (n, columns + 1)."""
        values = self.model.scorer.contributions(self.matrix.values)
        return contributions_by_column(values, self.model.features.owners)


def _scores(rows: ScoredRows) -> Sequence[Value]:
    scores: list[Value] = rows.scores.tolist()
    return scores


def _thresholds(rows: ScoredRows) -> Sequence[Value]:
    return [_threshold(rows.model)] * rows.table.rows


def _predicted_labels(rows: ScoredRows) -> Sequence[Value]:
    label, threshold = rows.model.schema.label, _threshold(rows.model)
    assert isinstance(label, Label)  # noqa: S101 - available_keys() looked
    negative, positive = _spellings(label)
    return [positive if score >= threshold else negative for score in rows.scores.tolist()]


def _threshold(model: Model) -> float:
    assert model.decision is not None  # noqa: S101 - available_keys() looked
    return model.decision.threshold


def _spellings(label: Label) -> tuple[Value, Value]:
    """Return the two labels as trained; whole numbers as such, as the official container does."""
    texts = (label.negative, label.positive)
    try:
        numbers = int(label.negative), int(label.positive)
    except ValueError:
        return texts
    return numbers if tuple(map(str, numbers)) == texts else texts


def _contributions(rows: ScoredRows) -> Sequence[Value]:
    names = rows.table.names
    return [
        {"base_value": values[-1], "columns": dict(zip(names, values[:-1], strict=True))}
        for values in rows.contributions.tolist()
    ]


def _reasons(rows: ScoredRows) -> Sequence[Value]:
    return explain(rows.model, rows.table, rows.matrix, rows.contributions[:, :-1])


COLUMNS: Mapping[str, Callable[[ScoredRows], Sequence[Value]]] = MappingProxyType(
    {
        "predicted_label": _predicted_labels,
        "probability": _scores,
        "score": _scores,
        "threshold": _thresholds,
        "contributions": _contributions,
        "reasons": _reasons,
    }
)


def predictions_of(rows: ScoredRows, keys: Sequence[str]) -> Predictions:
    """Return the asked columns; the model must be able to give them (`available_keys`)."""
    return {key: COLUMNS[key](rows) for key in keys}


def available_keys(model: Model) -> tuple[str, ...]:
    """Return the keys the model can give.

    A threshold needs a decision, which only training here makes; odds need the
    logistic objective, contributions of a single output.
    """
    logistic = model.scorer.objective == LOGISTIC
    decided = model.decision is not None and isinstance(model.schema.label, Label)
    given = {
        "predicted_label": decided,
        "probability": logistic,
        "score": True,
        "threshold": decided,
        "contributions": model.scorer.outputs == 1,
        "reasons": logistic,
    }
    return tuple(key for key in COLUMNS if given[key])
