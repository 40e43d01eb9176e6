"""Which columns a model goes by: each one's share in the gain of its splits, and in its scores."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scorer, contributions_by_column
from sagetree.features.pipeline import FeaturePipeline
from sagetree.train.examples.examples import Examples, Matrix

# So many rows, times a model's splits, bound the time: a fifth of a second for trees that are not
# deep. Fewer rows than the least say too little.
MOST_WORK = 1_000_000
LEAST_ROWS, MOST_ROWS = 100, 1000

# Contributions of some rows at a time take so many numbers at most.
MOST_CELLS = 4_000_000

# From so many splits on our own SHAP values are faster, though it reads every tree first.
MANY_SPLITS = 5000

Shares = NDArray[np.float64]


class Importance(NamedTuple):
    """A column's shares, which over all columns sum to 1 (to 0 in a model without a split).

    `mean_abs_shap` is of the mean absolute SHAP value over rows, summed over outputs,
    `gain` of the gain of all splits. Leaves of several values may have no SHAP values,
    and a linear model has no gain: they are None.
    """

    mean_abs_shap: float | None
    gain: float | None

    def measured(self) -> dict[str, float]:
        """Return the shares that there are, by name."""
        return {name: share for name, share in self._asdict().items() if share is not None}


def measure_importance(
    models: Sequence[bytes], features: FeaturePipeline, rows: Examples
) -> dict[str, Importance]:
    """Return the importance of each column, the most important first.

    `models` answer together; SHAP values are of some of `rows`. What was made of one column,
    such as the parts of a date, counts together.
    """
    scorer = Scorer.load(*models, shap="xgboost")
    splits, gain = (MOST_WORK // MOST_ROWS, None) if scorer.linear else _gain(models, features)
    if splits >= MANY_SPLITS:
        scorer = Scorer.load(*models)
    shap = _mean_abs_shap(scorer, features, rows, splits) if scorer.explains else None
    names = [feature.column for feature in features.features]
    nothing = [None] * len(names)
    found = zip(names, *(nothing if s is None else s.tolist() for s in (shap, gain)), strict=True)
    named = [(name, Importance(*shares)) for name, *shares in found]
    return dict(sorted(named, key=lambda item: -_leading(item[1])))


def _leading(importance: Importance) -> float:
    return next(share for share in importance if share is not None)


def _gain(models: Sequence[bytes], features: FeaturePipeline) -> tuple[int, Shares]:
    """Return the number of all splits, and each column's share in their gain."""
    splits, total = 0.0, np.zeros(len(features.features))
    for model in models:
        booster = xgboost.Booster(model_file=bytearray(model))
        splits += np.sum([*booster.get_score(importance_type="weight").values()])
        names = booster.feature_names or [f"f{n}" for n in range(booster.num_features())]
        found = booster.get_score(importance_type="total_gain")
        for name, owner in zip(names, features.owners, strict=True):
            total[owner] += np.sum(found.get(name, 0.0))
    return int(splits), _shares(total)


def _mean_abs_shap(
    scorer: Scorer, features: FeaturePipeline, rows: Examples, splits: int
) -> Shares:
    most = int(np.clip(MOST_WORK // max(1, splits), LEAST_ROWS, MOST_ROWS))
    total = np.zeros(len(features.features))
    for part in _parts(rows.some(most), scorer.outputs):
        values = contributions_by_column(scorer.contributions(part), features.owners)
        outputs = np.abs(values[..., :-1], dtype=np.float64).reshape(-1, len(total))
        total += outputs.sum(axis=0)
    return _shares(total)


def _parts(rows: Matrix, outputs: int) -> Iterator[Matrix]:
    step = max(1, MOST_CELLS // ((rows.shape[1] + 1) * outputs))
    return (rows[begin : begin + step] for begin in range(0, len(rows), step))


def _shares(total: Shares) -> Shares:
    whole = total.sum()
    return total / whole if 0 < whole < np.inf else np.zeros_like(total)
