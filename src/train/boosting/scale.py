"""The scale of weights and labels, against limits of XGBoost's that are the same for every scale.

A split must gain 1e-6 at least, and each of its sides must weigh min_child_weight: with
weights that sum to 1, or labels around 1e-5, no tree has any.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import floor, log10
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.machine.program import LOG
from sagetree.train.boosting.by_rows import mean_weight
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import total_rows
from sagetree.train.hyperparameters.presets import XGBOOST_BINS

# Of all the variance of a label XGBoost's least gain, 1e-6, is to be no more than this share.
_LEAST_GAIN, _FINEST_SHARE = 1e-6, 1e-4

# The square of a larger number, summed over rows, leaves float32.
_LARGEST = 1e15

# A gradient of pseudo-Huber's is at most the slope: this many of them are too far to go.
_MOST_SLOPES = 100

# Between these the mean of weights does little beside XGBoost's own defaults.
_USUAL_MEAN = (0.1, 10.0)

# The hessian of a row at most, which min_child_weight is measured against; 1 elsewhere.
_HESSIANS: Mapping[str, float] = {
    "binary:logistic": 0.25,
    "binary:logitraw": 0.25,
    "reg:logistic": 0.25,
    "multi:softprob": 0.5,
    "multi:softmax": 0.5,
}
_SUMS = frozenset({"count:poisson", "reg:tweedie"})


def tell_scale(plan: BoostingPlan, train: Examples) -> None:
    """Log what is done about the weights' scale, and warn of one that XGBoost cannot learn from."""
    weight, unit = train.roles.weight, plan.matrices.weight_unit
    if weight is not None:
        mean = mean_weight(weight, plan.group)
        if abs(unit - 1) > 1e-6:
            LOG.info("Weights are divided by their mean, %g: only their ratio counts", unit)
        elif not _USUAL_MEAN[0] <= mean <= _USUAL_MEAN[1]:
            LOG.warning(
                "WARNING: the mean weight is %g, and min_child_weight, lambda and gamma are meant "
                "for weights around 1. Divide the weights by it, or leave out preset=xgboost",
                mean,
            )
    if plan.has_leaves_of_hosts:
        LOG.warning(
            "Warning: with objective=%s a leaf is the mean of what each host finds in its rows: "
            "distribute them at random, about the same number to each",
            plan.objective.name,
        )
    for warning in _label_warnings(plan, train):
        LOG.warning("WARNING: %s", warning)


def tell_yielding(plan: BoostingPlan) -> None:
    """Log the defaults that the rows have lowered because they say little, or are wide."""
    given = plan.settings.params
    if plan.params.get("max_bin") != given.get("max_bin"):
        LOG.info(
            "Few rows have many columns: max_bin is %d in place of %d. Set max_bin to have another",
            plan.params["max_bin"],
            XGBOOST_BINS,
        )
    lower = [name for name in plan.settings.yielding if plan.params.get(name) != given.get(name)]
    if lower:
        LOG.info(
            "There are few rows of the rarer label: %s",
            " and ".join(f"{n} is {plan.params[n]:.3g} in place of {given[n]:g}" for n in lower),
        )


def tell_splits(plan: BoostingPlan, train: Examples, models: Sequence[bytes]) -> None:
    """Warn of models whose trees have no split, with the reason.

    All hosts of a group call it: the warning is about the rows of all.
    """
    if not any(map(_has_splits, models)):
        LOG.warning(
            "Warning: the model has learnt nothing: no tree has a split, so every row gets the "
            "same score. %s",
            _why(plan, train),
        )


def _has_splits(model: bytes) -> bool:
    booster = xgboost.Booster(model_file=bytearray(model))
    return bool(booster.get_score(importance_type="weight"))  # of gblinear: coefficients


def _label_warnings(plan: BoostingPlan, train: Examples) -> Iterator[str]:
    objective = plan.objective.name
    if objective not in ("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror"):
        return
    if plan.group.greatest(np.abs(train.labels).max(initial=0, keepdims=True))[0] > _LARGEST:
        yield f"the label goes beyond {_LARGEST:g}, and its squares beyond float32. Divide it"
        return
    deviation = float(np.sqrt(_variation(plan, train, np.ones(train.rows)) / _rows(plan, train)))
    slope = float(plan.params.get("huber_slope", 1.0))
    if _is_too_fine(plan, train):
        yield (
            f"the label's standard deviation is {deviation:.3g}, and XGBoost makes no split that "
            f"gains less than {_LEAST_GAIN:g}: it cannot tell such values apart. Multiply the "
            f"label by {10.0 ** -floor(log10(deviation)):.0e}, and divide the scores by it"
        )
    elif "huber" in objective and deviation > _MOST_SLOPES * slope:
        yield (
            f"the label's standard deviation is {deviation:.3g}, {deviation / slope:.3g} times "
            "huber_slope: steps of at most eta never get near it. Set huber_slope to the size of "
            "a usual error"
        )


def _is_too_fine(plan: BoostingPlan, train: Examples) -> bool:
    """Say whether the splits that XGBoost refuses would tell much of a label that varies."""
    return 0 < _variation(plan, train, _weights(plan, train)) < _LEAST_GAIN / _FINEST_SHARE


def _variation(plan: BoostingPlan, train: Examples, weights: NDArray[np.float64]) -> float:
    """Return the weighted sum of all hosts' squared deviations from the mean, as is learnt from."""
    labels = train.labels.astype(np.float64)
    values = np.log1p(labels) if "log" in plan.objective.name else labels
    mean = _total(plan, values) / _rows(plan, train)
    return _total(plan, weights * (values - mean) ** 2)


def _rows(plan: BoostingPlan, train: Examples) -> int:
    return total_rows(plan.group, train)


def _total(plan: BoostingPlan, values: NDArray[np.float64]) -> float:
    """Return the sum of the values (n) of all hosts' rows."""
    return float(plan.group.total(np.array([values.sum()]))[0])


def _weights(plan: BoostingPlan, train: Examples) -> NDArray[np.float64]:
    weight = train.roles.weight
    if weight is None:
        return np.ones(train.rows)
    return weight.astype(np.float64) / plan.matrices.weight_unit


def _why(plan: BoostingPlan, train: Examples) -> str:
    name, params = plan.objective.name, plan.params
    least = float(params.get("min_child_weight", 1))
    weights = _weights(plan, train)
    of_row: Any = train.labels if name in _SUMS else _HESSIANS.get(name, 1.0)
    total = _total(plan, weights * of_row)
    if total < 2 * least:
        return (
            f"Each side of a split needs a hessian of min_child_weight={least:g}, and all rows "
            f"have {total:.3g} together. Lower min_child_weight, or give more rows"
        )
    labels = plan.group.gather_rows(np.unique(train.labels, axis=0)[:2])
    if labels.ndim == 1 and len(np.unique(labels)) == 1:
        return "The label is the same in every row"
    if name.startswith("reg:squared") and _is_too_fine(plan, train):
        return "The label's values differ by too little. Multiply the label"
    return (
        "No column says more about the label than min_child_weight, lambda, alpha and gamma "
        "require of a split. Lower them, or add columns"
    )
