"""Which columns a model goes by: each one's share in the gain of its splits, and in its scores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.library import NativeBooster
from sagetree.features.pipeline import FeaturePipeline

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


def gain_by_column(boosters: Sequence[NativeBooster], features: FeaturePipeline) -> Shares:
    """Return each column's share in the gain of the splits of boosters that are not linear.

    What was made of one column, such as the parts of a date, counts together.
    """
    total = np.zeros(len(features.features))
    for booster in boosters:
        np.add.at(total, list(features.owners), booster.feature_scores("total_gain"))
    return shares_of(total)


def sum_abs_shap(contributions: NDArray[np.float32], features: FeaturePipeline) -> Shares:
    """Return the sum over rows of each column's absolute SHAP values, of all outputs.

    `contributions` are a scorer's: (n, m + 1) or (n, outputs, m + 1).
    """
    values = contributions_by_column(contributions, features.owners)
    outputs = np.abs(values[..., :-1], dtype=np.float64).reshape(-1, len(features.features))
    return np.asarray(outputs.sum(axis=0))


def ranked(
    features: FeaturePipeline, shap: Shares | None, gain: Shares | None
) -> dict[str, Importance]:
    """Return the importance of each column, the most important first, by SHAP where it is known."""
    names = [feature.column for feature in features.features]
    nothing = [None] * len(names)
    found = zip(names, *(nothing if s is None else s.tolist() for s in (shap, gain)), strict=True)
    named = [(name, Importance(*shares)) for name, *shares in found]
    return dict(sorted(named, key=lambda item: -_leading(item[1])))


def shares_of(total: Shares) -> Shares:
    """Return each part of a sum, all 0 where that is 0 or not finite."""
    whole = total.sum()
    return total / whole if 0 < whole < np.inf else np.zeros_like(total)


def _leading(importance: Importance) -> float:
    return next((share for share in importance if share is not None), 0.0)
