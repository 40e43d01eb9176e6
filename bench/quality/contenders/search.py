"""XGBoost with the best of twenty random settings, by cross-validation on a fold's other rows."""

from typing import NamedTuple

import numpy as np
import xgboost
from sklearn.model_selection import KFold, StratifiedKFold

from bench.quality.contenders.columns import columns_of
from bench.quality.contenders.xgboost import fitted_scores, parameters
from bench.quality.table import REGRESSION, FloatArray, Fold, IntArray, Table

TRIALS = 20
INNER_FOLDS = 3
MOST_ROUNDS = 1000
PATIENCE = 30

METRICS = {"binary": "auc", "multiclass": "mlogloss", "regression": "rmse"}
MAXIMISED = ("auc",)


class Trial(NamedTuple):
    """A setting, its loss on held-out rows, and the round at which that was lowest."""

    given: dict[str, object]
    loss: float
    rounds: int


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by the best setting, fitted on all others."""
    columns = columns_of(table)
    others = fold.others(len(columns))
    pairs = []
    for inside, outside in _inner_folds(table, others):
        fitted = xgboost.QuantileDMatrix(
            columns.iloc[inside], table.labels[inside], enable_categorical=True, nthread=1
        )
        left_out = xgboost.QuantileDMatrix(
            columns.iloc[outside], table.labels[outside],
            enable_categorical=True, nthread=1, ref=fitted,
        )  # fmt: skip
        pairs.append((fitted, left_out))
    random = np.random.RandomState(1)
    trials = [_tried(table, _draw(random), pairs) for _ in range(TRIALS)]
    best = min(trials, key=lambda trial: trial.loss)
    return fitted_scores(table, columns, fold, best.given, rounds=best.rounds)


def _inner_folds(table: Table, rows: IntArray) -> list[tuple[IntArray, IntArray]]:
    kind = KFold if table.task == REGRESSION else StratifiedKFold
    splitter = kind(INNER_FOLDS, shuffle=True, random_state=0)
    parts = splitter.split(rows, table.labels[rows])
    return [(rows[inside], rows[outside]) for inside, outside in parts]


def _draw(random: np.random.RandomState) -> dict[str, object]:
    def by_magnitude(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    return {
        "max_depth": int(random.randint(1, 9)),
        "eta": by_magnitude(0.02, 0.2),
        "min_child_weight": by_magnitude(0.1, 30),
        "subsample": float(random.uniform(0.5, 1)),
        "colsample_bytree": float(random.uniform(0.3, 1)),
        "reg_lambda": by_magnitude(0.1, 50),
    }


def _tried(
    table: Table,
    given: dict[str, object],
    pairs: list[tuple[xgboost.QuantileDMatrix, xgboost.QuantileDMatrix]],
) -> Trial:
    metric = METRICS[table.task]
    models = [
        xgboost.train(
            {**parameters(table), **given, "eval_metric": metric},
            fitted,
            MOST_ROUNDS,
            evals=[(left_out, "left_out")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        for fitted, left_out in pairs
    ]
    found = float(np.mean([model.best_score for model in models]))
    rounds = int(np.mean([model.best_iteration + 1 for model in models]))
    return Trial(given, -found if metric in MAXIMISED else found, rounds)
