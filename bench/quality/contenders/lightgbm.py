"""LightGBM with its defaults; a tenth of the rows says when to stop."""

import lightgbm
import numpy as np

from bench.quality.contenders.columns import columns_of, hold_out, of_classes
from bench.quality.table import REGRESSION, FloatArray, Fold, Table


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    columns = columns_of(table)
    fitted, left_out = hold_out(table, fold.others(len(columns)))
    of_numbers = table.task == REGRESSION
    kind = lightgbm.LGBMRegressor if of_numbers else lightgbm.LGBMClassifier
    model = kind(n_estimators=1000, n_jobs=1, verbose=-1, random_state=0)
    model.fit(
        columns.iloc[fitted],
        table.labels[fitted],
        eval_set=[(columns.iloc[left_out], table.labels[left_out])],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    rows = columns.iloc[fold.rows]
    return np.asarray(model.predict(rows) if of_numbers else of_classes(model.predict_proba(rows)))
