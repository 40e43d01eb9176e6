"""A table's columns as peers take them: numbers, categories by number, and parts of dates."""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from bench.quality.table import REGRESSION, FloatArray, IntArray, Table

_DATE = r"^\d{4}-\d\d-\d\d"


def columns_of(table: Table) -> pd.DataFrame:
    """Return all rows: text that no two rows share is left out, as it tells nothing."""
    text = table.frame.drop(columns=table.target)
    found: list[pd.Series] = []
    for name in text:
        column = text[name]
        numbers = pd.to_numeric(column, errors="coerce")
        if (numbers.isna() == column.isna()).all():
            found.append(numbers.astype(float))
        elif column.nunique() == len(column):
            continue
        elif column.dropna().str.match(_DATE).all():
            found += _parts_of_dates(column)
        else:
            categories = column.astype("category")
            found.append(categories.cat.rename_categories(range(len(categories.cat.categories))))
    # By number, since LightGBM and XGBoost each forbid some characters in a name.
    return pd.concat({f"x{n}": column for n, column in enumerate(found)}, axis=1)


def _parts_of_dates(column: pd.Series) -> list[pd.Series]:
    dates = pd.to_datetime(column, utc=True, format="mixed")
    seconds = (dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    parts = (dates.dt.hour, dates.dt.dayofweek, dates.dt.month, dates.dt.day)
    return [seconds, *(part.astype(float) for part in parts)]


def categories_of(columns: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold categories."""
    return columns.select_dtypes("category").columns.tolist()


def with_words(columns: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with categories as text, in which a missing one is a word as well."""
    words = {
        name: columns[name].cat.codes.astype(str).astype(object) for name in categories_of(columns)
    }
    return columns.assign(**words)


def hold_out(table: Table, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows to fit on and the tenth by which early stopping goes."""
    kinds = None if table.task == REGRESSION else table.labels[rows]
    fitted, left_out = train_test_split(rows, test_size=0.1, random_state=0, stratify=kinds)
    return np.asarray(fitted), np.asarray(left_out)


def of_classes(probabilities: FloatArray) -> FloatArray:
    """Return the probability of the positive class of two, or all of them of several."""
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
