"""Rows and their scores, and what follows from both: labels, contributions, identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.objectives import class_numbers
from sagetree.boosters.scoring import Scores
from sagetree.bundle.model import Model
from sagetree.features.pipeline import FeatureMatrix
from sagetree.predictions.keys import KEYS
from sagetree.predictions.reasons import gives_reasons
from sagetree.tables.label import ClassLabel, Label
from sagetree.tables.table import Table

# A class as answers spell it.
ClassName: TypeAlias = int | str

# The official container's threshold, for models that bring none.
HALF = 0.5


@dataclass(frozen=True)
class ScoredRows:
    """Rows and their scores.

    `request` holds the rows as they came, `table` the model's columns of them
    in its order; `name` is what the model is called here, `base_margin` what the
    rows themselves start from, if they do.
    """

    model: Model
    request: Table
    table: Table
    matrix: FeatureMatrix
    scores: Scores
    name: str = ""
    base_margin: Scores | None = None

    @cached_property
    def contributions(self) -> NDArray[np.float32]:
        """SHAP values of the user's columns, the base value last: (n, columns + 1).

        With several outputs they are of shape (n, outputs, columns + 1).
        """
        values = self.model.scorer.contributions(self.matrix.values, self.base_margin)
        return contributions_by_column(values, self.model.features.owners)

    @property
    def margins(self) -> Scores:
        """The predictions before the objective's transformation, shaped as the scores."""
        return self.model.scorer.margin(self.matrix.values, self.base_margin)

    @cached_property
    def classes(self) -> tuple[ClassName, ...]:
        """The spelling of each class; whole numbers as such, as the official container does."""
        label = self.model.schema.label
        if not isinstance(label, (Label, ClassLabel)):
            return tuple(range(max(self.model.scorer.outputs, 2)))
        try:
            numbers = tuple(map(int, label.classes))
        except ValueError:
            return label.classes
        return numbers if tuple(map(str, numbers)) == label.classes else label.classes


def predicted_labels(rows: ScoredRows) -> Sequence[ClassName] | Scores:
    """Return the class that each row is predicted to be of (n); the model must know classes."""
    scores, objective, threshold = rows.scores, rows.model.objective, rows.model.threshold
    if threshold is not None:
        numbers = (scores.astype(np.float64) >= threshold).astype(np.intp)
    elif objective.has_threshold:
        numbers = (scores > HALF).astype(np.intp)
    elif objective.score == "class" and rows.model.schema.label is None:
        return scores  # 1.0, as the official container has it
    else:
        numbers = class_numbers(objective, scores)
    classes = rows.classes
    return [classes[number] for number in numbers.tolist()]


def identifier_names(model: Model) -> tuple[str, ...]:
    """Return the columns that identify rows; none if an answer could not name them."""
    names = [column.name for column in model.schema.columns if column.kind == "identifier"]
    return () if set(names) & set(KEYS) else tuple(names)


def available_keys(model: Model) -> tuple[str, ...]:
    """Return the keys the model can give, by what its scores mean.

    A threshold is one that training here chose, or that the server sets.
    """
    objective = model.objective
    # several labels at once are not classes, one to a row: their scores say all
    classes = objective.is_classification and (
        objective.task == "multiclass" or model.scorer.outputs == 1
    )
    probable = objective.score in ("probability", "probabilities") and classes
    given: dict[str, Any] = {
        **dict.fromkeys(("predicted_label", "labels", "raw_score", "raw_scores"), classes),
        **dict.fromkeys(("probability", "probabilities"), probable),
        "predicted_score": not classes,
        "threshold": model.threshold is not None,
        "contributions": model.scorer.explains,
        "reasons": gives_reasons(model),
        "identifiers": bool(identifier_names(model)),
    }
    return tuple(key for key in KEYS if given.get(key, True))
