"""XGBoost's parameters that the rows decide where nobody has set them: leaves, threads, bins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.machine.cores import usable_cores
from sagetree.train.examples.examples import Examples
from sagetree.train.hosts.group import Group
from sagetree.train.hyperparameters.presets import (
    LEAST_BINS,
    ROWS_A_BIN,
    WIDE_FEATURES,
    XGBOOST_BINS,
    at_most_of,
)
from sagetree.train.settings.settings import Boosting

# With fewer cells a round is so short that threads wait for each other longer
# than they work: one of them is up to five times faster (5000 rows, 30 columns).
THREADED_CELLS = 1_000_000


def yielding(
    settings: Boosting, train: Examples, params: Mapping[str, Any], group: Group
) -> dict[str, float]:
    """Return the defaults that are lower than the preset's because the rows say little."""
    weight = train.roles.learning_weight
    weights = np.ones(train.rows) if weight is None else weight / mean_weight(weight, group)
    own = float(weights @ train.labels), float(weights @ (1 - train.labels))
    positive, negative = group.total(np.array(own)).tolist()
    positive *= float(params.get("scale_pos_weight", 1))
    most = at_most_of(positive * negative / (positive + negative))
    names = (name for name in settings.yielding if name in params)
    return {name: min(params[name], most[name]) for name in names}


def threads_of(train: Examples, group: Group) -> int:
    """Return the threads that a round of these rows is made by."""
    cells = int(group.greatest(np.array([train.rows * train.width]))[0])
    return usable_cores() if cells >= THREADED_CELLS else 1


def boosters_at_once(params: Mapping[str, Any], train: Examples, group: Group) -> int:
    """Return of how many boosters (the folds') rounds are made at a time, on a core each.

    Where a round has one thread, other cores have nothing else to do; who sets nthread has
    said how many may be used. What hosts have found is exchanged in one thread alone, and
    boosters would wait for each other on a GPU.
    """
    is_open = "nthread" not in params and group.size == 1 and params.get("device", "cpu") == "cpu"
    return usable_cores() if is_open and threads_of(train, group) == 1 else 1


def mean_weight(weight: NDArray[np.float32], group: Group) -> float:
    """Return the mean of the weights above 0: a row without weight counts no more than no row.

    `weight` (n) are those of this host's rows, the mean is of all hosts'.
    """
    counted = weight[weight > 0]
    total, rows = group.total(np.array([counted.sum(dtype=np.float64), len(counted)]))
    return float(total / rows)


def max_bin(params: Mapping[str, Any]) -> int | None:
    """Return the number of quantiles, None where trees are not grown by histograms."""
    by_histogram = params.get("tree_method", "auto") in ("auto", "hist", "gpu_hist")
    of_trees = params.get("booster", "gbtree") in ("gbtree", "dart")
    others = {"updater", "process_type"} & params.keys()
    is_cut = by_histogram and of_trees and not others
    return int(params.get("max_bin", XGBOOST_BINS)) if is_cut else None


def bins_of_wide(
    settings: Boosting, params: Mapping[str, Any], rows: int, features: int
) -> Mapping[str, int]:
    """Return max_bin for a wide table of few rows (all hosts'), where nobody has set it.

    A node's histogram has a bin for each quantile of each feature, whatever rows are in the
    node. Of 15 000 features and 150 rows nearly all of a round is spent on bins that hold one
    row or none.
    """
    own = max(LEAST_BINS, rows // ROWS_A_BIN)
    is_wide = features > WIDE_FEATURES and own < XGBOOST_BINS
    is_open = settings.eases_bins and max_bin(params) is not None
    return {"max_bin": own} if is_wide and is_open else {}
