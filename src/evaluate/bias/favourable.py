"""Which value of a label is good for a person, and which predictions say it."""

import numpy as np

from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.boosters.scoring import Scores
from sagetree.errors import SettingsError, quote, quote_all
from sagetree.evaluate.bias.counts import Flags
from sagetree.evaluate.metrics.rows import is_positive
from sagetree.tables.cells import category_text
from sagetree.tables.label import AnyLabel, ClassLabel, Label, Labels


def find_favourable(label: AnyLabel | None, given: str | None, setting: str) -> int:
    """Return the number of the label's value that is good for a person; of two the negative one.

    `given` is what the user names in `setting`. Raises SettingsError for a label without
    classes, and for a value that is not one of them.
    """
    if not isinstance(label, Label | ClassLabel):
        raise SettingsError(
            "facets need a label of two or more classes, and "
            f"{quote(label.name) if label else 'the label'} is not one",
            hint="Leave facets out",
        )
    if given is None:
        if isinstance(label, Label):
            return 0
        raise SettingsError(
            f"the label {quote(label.name)} has {len(label.classes)} classes, and none is set as "
            "the one that is good for a person",
            hint=f"Set {setting} to one of {quote_all(label.classes, 10)}",
        )
    text = category_text(given)
    if text not in label.classes:
        raise SettingsError(
            f"{setting} is {quote(given)}, which is not a value of the label {quote(label.name)}",
            hint=f"Its values are {quote_all(label.classes, 10)}",
        )
    return label.classes.index(text)


def favourable_labels(labels: Labels, favourable: int) -> Flags:
    """Say which labels (n) are good for a person."""
    return np.asarray(labels == favourable)


def favourable_predictions(
    objective: Objective, scores: Scores, threshold: float | None, favourable: int
) -> Flags:
    """Say which rows are predicted what is good for a person; two classes go by the threshold."""
    if objective.task == "multiclass":
        return np.asarray(class_numbers(objective, scores) == favourable)
    assert threshold is not None  # noqa: S101 - two classes are called by one
    return np.asarray(is_positive(scores, threshold) == bool(favourable))
