"""How many quantiles a feature is cut by: of wide tables with few rows not one for each row.

A node's histogram has a bin for each quantile of each feature, whatever rows are in the
node. Of 15 000 features and 150 rows nearly all of a round is spent on bins that hold one
row or none.
"""

from collections.abc import Mapping
from typing import Any

from sagetree.train.hyperparameters.presets import (
    LEAST_BINS,
    ROWS_A_BIN,
    WIDE_FEATURES,
    XGBOOST_BINS,
)
from sagetree.train.settings.settings import Boosting


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
    """Return max_bin for a wide table of few rows (all hosts'), where nobody has set it."""
    own = max(LEAST_BINS, rows // ROWS_A_BIN)
    is_wide = features > WIDE_FEATURES and own < XGBOOST_BINS
    is_open = settings.eases_bins and max_bin(params) is not None
    return {"max_bin": own} if is_wide and is_open else {}
