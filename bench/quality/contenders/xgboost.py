"""XGBoost with its defaults: 100 rounds of depth 6."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xgboost

from bench.quality.contenders.columns import columns_of
from bench.quality.table import MULTICLASS, OBJECTIVES, FloatArray, Fold, IntArray, Table


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    return fitted_scores(table, columns_of(table), fold, {}, rounds=100)


def fitted_scores(
    table: Table, columns: pd.DataFrame, fold: Fold, given: Mapping[str, object], *, rounds: int
) -> FloatArray:
    """Return the same with some parameters given."""
    data = matrix(table, columns, fold.others(len(columns)))
    model = xgboost.train({**parameters(table), **given}, data, rounds)
    return np.asarray(model.predict(matrix(table, columns, fold.rows)), dtype=np.float64)


def parameters(table: Table) -> dict[str, object]:
    """Return what a fit needs in any case."""
    needed = {"objective": OBJECTIVES[table.task], "nthread": 1, "seed": 0}
    return {**needed, "num_class": len(table.classes)} if table.task == MULTICLASS else needed


def matrix(table: Table, columns: pd.DataFrame, rows: IntArray) -> xgboost.DMatrix:
    """Return some rows and their labels as XGBoost takes them."""
    return xgboost.DMatrix(
        columns.iloc[rows], table.labels[rows], enable_categorical=True, nthread=1
    )
