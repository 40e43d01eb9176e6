"""The rows an evaluation is of: their labels, by the model's own rules or by its objective's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.model import Model
from sagetree.errors import DataError, quote
from sagetree.tables.cells import MissingValues, category_text
from sagetree.tables.encoding import distinct_cells
from sagetree.tables.label import AnyLabel, ClassLabel, Label, Labels, NumberLabel
from sagetree.tables.table import Table


@dataclass(frozen=True)
class Cases:
    """Rows to score (a table without the label), their labels (n) or (n, 2), and their groups."""

    table: Table
    labels: Labels
    classes: tuple[str, ...]
    groups: NDArray[np.intp] | None

    @classmethod
    def of(cls, table: Table, model: Model) -> "Cases":
        """Split labelled rows. Raises DataError where label or group are not as the model needs."""
        label = model.schema.label or _plain_label(table.names[0], model)
        labels, rest = label.encode(table, MissingValues.of(model.features.missing_values))
        classes = label.classes if isinstance(label, Label | ClassLabel) else ()
        groups = _groups(rest, model) if model.objective.task == "ranking" else None
        return cls(rest, labels, classes, groups)


def _plain_label(name: str, model: Model) -> AnyLabel:
    """Return the label of a model that knows none: numbers, or classes by their number."""
    if model.objective.task == "binary":
        return Label(name=name, negative="0", positive="1")
    if model.objective.task == "multiclass":
        return ClassLabel(name=name, classes=tuple(map(str, range(_class_count(model)))))
    return NumberLabel(name=name)


def _class_count(model: Model) -> int:
    parameters = model.scorer.boosters[0].config()["learner_model_param"]
    return int(str(parameters["num_class"]))


def _groups(table: Table, model: Model) -> NDArray[np.intp] | None:
    """Return the number of each row's group, None for a model that knows no groups."""
    names = [column.name for column in model.schema.columns if column.kind == "group"]
    if not names:
        return None
    if names[0] not in table.names:
        raise DataError(
            f"there is no group column {quote(names[0])}",
            where=table.locate(0),
            hint="The model ranks rows within a group: say to which one each row belongs",
        )
    codes, distinct = distinct_cells(table.column(names[0]))
    texts = [category_text(cell) for cell in distinct]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return np.array([numbers[text] for text in texts], np.intp)[codes]


def quantiles_of(model: Model) -> Sequence[float]:
    """Return the quantiles a model predicts, in the order of its outputs; () if it does not."""
    objective = model.scorer.boosters[0].config()["objective"]
    parameters = objective.get("quantile_loss_param")
    if not isinstance(parameters, dict):
        return ()
    return tuple(map(float, json.loads(parameters["quantile_alpha"])))
