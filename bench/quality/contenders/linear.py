"""Logistic regression on scaled and one-hot columns; ridge regression for labels of numbers."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bench.quality.contenders.columns import categories_of, columns_of, of_classes, with_words
from bench.quality.table import REGRESSION, FloatArray, Fold, Table


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    columns = columns_of(table)
    categories = categories_of(columns)
    numbers = [name for name in columns if name not in categories]
    columns = with_words(columns)
    of_numbers = table.task == REGRESSION
    filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    encoded = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), categories), (filled, numbers)
    )
    last = (
        RidgeCV(np.logspace(-2, 3, 12)) if of_numbers else LogisticRegression(C=0.1, max_iter=1000)
    )
    model = make_pipeline(encoded, last)
    others = fold.others(len(columns))
    model.fit(columns.iloc[others], table.labels[others])
    rows = columns.iloc[fold.rows]
    return np.asarray(model.predict(rows) if of_numbers else of_classes(model.predict_proba(rows)))
