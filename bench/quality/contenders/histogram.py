"""scikit-learn's HistGradientBoosting with its defaults."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from bench.quality.contenders.columns import categories_of, columns_of, of_classes
from bench.quality.table import REGRESSION, FloatArray, Fold, Table

# It takes 255 categories; the most frequent stay, others are one of their own.
MOST_CATEGORIES = 250


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    columns = _with_few_categories(columns_of(table))
    others = fold.others(len(columns))
    of_numbers = table.task == REGRESSION
    kind = HistGradientBoostingRegressor if of_numbers else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=0)
    model.fit(columns.iloc[others], table.labels[others])
    rows = columns.iloc[fold.rows]
    return np.asarray(model.predict(rows) if of_numbers else of_classes(model.predict_proba(rows)))


def _with_few_categories(columns: pd.DataFrame) -> pd.DataFrame:
    few = {}
    for name in categories_of(columns):
        codes = columns[name].cat.codes
        if codes.nunique() > MOST_CATEGORIES:
            frequent = codes.value_counts().index[:MOST_CATEGORIES]
            few[name] = codes.where(codes.isin(frequent), -2).astype("category")
    return columns.assign(**few)
