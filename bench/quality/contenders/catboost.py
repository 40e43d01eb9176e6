"""CatBoost with its defaults; a tenth of the rows says when to stop."""

import catboost
import numpy as np

from bench.quality.contenders.columns import (
    categories_of,
    columns_of,
    hold_out,
    of_classes,
    with_words,
)
from bench.quality.table import REGRESSION, FloatArray, Fold, Table


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    columns = columns_of(table)
    categories = categories_of(columns)
    columns = with_words(columns)
    fitted, left_out = hold_out(table, fold.others(len(columns)))
    of_numbers = table.task == REGRESSION
    kind = catboost.CatBoostRegressor if of_numbers else catboost.CatBoostClassifier
    model = kind(
        iterations=1000,
        early_stopping_rounds=50,
        cat_features=categories,
        thread_count=1,
        random_seed=0,
        verbose=0,
        allow_writing_files=False,
    )
    labels = table.labels if of_numbers else table.labels.astype(int)
    model.fit(
        columns.iloc[fitted],
        labels[fitted],
        eval_set=(columns.iloc[left_out], labels[left_out]),
    )
    rows = columns.iloc[fold.rows]
    return np.asarray(model.predict(rows) if of_numbers else of_classes(model.predict_proba(rows)))
