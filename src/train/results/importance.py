"""The importance of columns as a job reports it, of some of its rows, in bounded time."""

from collections.abc import Iterator, Sequence

import numpy as np

from sagetree.boosters.scoring import Scorer
from sagetree.evaluate.importance import (
    Importance,
    Shares,
    gain_by_column,
    ranked,
    shares_of,
    sum_abs_shap,
)
from sagetree.features.pipeline import FeaturePipeline
from sagetree.train.examples.examples import Examples, Matrix

# This many rows, times a model's splits, bound the time: a fifth of a second for trees that are not
# deep. Fewer rows than the least say too little.
MOST_WORK = 1_000_000
LEAST_ROWS, MOST_ROWS = 100, 1000

# Contributions of some rows at a time take this many numbers at most.
MOST_CELLS = 4_000_000

# From this many splits on our own SHAP values are faster, though it reads every tree first.
MANY_SPLITS = 5000


def measure_importance(
    models: Sequence[bytes], features: FeaturePipeline, rows: Examples
) -> dict[str, Importance]:
    """Return the importance of each column, the most important first.

    `models` answer together; SHAP values are of some of `rows`. What was made of one column,
    such as the parts of a date, counts together.
    """
    scorer = Scorer.load(*models, shap="xgboost")
    splits, gain = MOST_WORK // MOST_ROWS, None
    if not scorer.linear:
        splits = int(sum(b.feature_scores("weight").sum() for b in scorer.boosters))
        gain = gain_by_column(scorer.boosters, features)
    if splits >= MANY_SPLITS:
        scorer = Scorer.load(*models)
    shap = _mean_abs_shap(scorer, features, rows, splits) if scorer.explains else None
    return ranked(features, shap, gain)


def _mean_abs_shap(
    scorer: Scorer, features: FeaturePipeline, rows: Examples, splits: int
) -> Shares:
    most = int(np.clip(MOST_WORK // max(1, splits), LEAST_ROWS, MOST_ROWS))
    total = np.zeros(len(features.features))
    for part in _parts(rows.some(most), scorer.outputs):
        total += sum_abs_shap(scorer.contributions(part), features)
    return shares_of(total)


def _parts(rows: Matrix, outputs: int) -> Iterator[Matrix]:
    step = max(1, MOST_CELLS // ((rows.shape[1] + 1) * outputs))
    return (rows[begin : begin + step] for begin in range(0, len(rows), step))
