"""predictions.csv: what the models of an ensemble say together of rows none of them has seen.

Source of the file's format: the official container's output/data/predictions.csv.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.boosters.scoring import Scores, most_frequent
from sagetree.train.boosting.results import ValidationResult

PREDICTIONS_FILE = "predictions.csv"


def write_predictions(
    folder: Path, result: ValidationResult, objective: Objective, threshold: float | None
) -> None:
    """Write what was predicted of each row left out: train's rows first, then validation's.

    Of classes the columns are the label, the mean probability (of two classes
    that of the second, of more that of the one predicted; where there is none,
    the mean margin or the share of repeats that agree) and the class predicted
    most often; of numbers the label (two bounds if it has two) and the mean
    prediction of each output. There is no header.
    """
    labels = result.left_out.labels
    columns = [labels.reshape(len(labels), -1)]
    if objective.is_classification:
        columns += _of_classes(result.repeats, objective, threshold)
    else:
        columns.append(np.mean(np.stack(result.repeats), axis=0).reshape(len(labels), -1))
    np.savetxt(folder / PREDICTIONS_FILE, np.hstack(columns), fmt="%f", delimiter=",")


def _of_classes(
    repeats: Sequence[Scores], objective: Objective, threshold: float | None
) -> list[NDArray[np.float32]]:
    """Return the mean probability and the most frequent class, each (n, 1)."""
    called = [
        class_numbers(objective, scores) if threshold is None else scores >= np.float64(threshold)
        for scores in repeats
    ]
    votes = np.stack(called).astype(np.float32)[..., None]
    mode = most_frequent(votes)
    if objective.score == "class":
        shares = (votes == mode).mean(axis=0)
    else:
        sure = np.stack([s.max(axis=1) if s.ndim == 2 else s for s in repeats])
        shares = sure.mean(axis=0)[:, None]
    return [shares, mode]
