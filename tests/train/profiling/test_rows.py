"""Copies among rows, and rows that contradict each other, against pandas."""

import numpy as np
import pandas as pd

from sagetree.bundle.training_rows import row_hashes
from sagetree.train.profiling.rows import Duplicates, duplicates


def test_copies_and_contradictions_are_counted_as_pandas_does() -> None:
    random = np.random.default_rng(1)
    features = random.integers(0, 4, (300, 3)).astype(np.float32)
    features[random.random((300, 3)) < 0.1] = np.nan
    labels = random.integers(0, 2, 300).astype(np.float32)
    frame = pd.DataFrame(features)
    kinds = frame.fillna(-1).assign(y=labels).groupby([0, 1, 2]).y.transform("nunique")
    found = duplicates(row_hashes(features, labels).features, labels)
    assert found == Duplicates(int(frame.duplicated().sum()), int((kinds > 1).sum()))
    assert found.repeated
    assert found.contradicting
    assert duplicates(np.arange(3, dtype=np.uint64), None) == Duplicates(0, None)
