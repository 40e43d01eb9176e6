"""A checked table to the matrix of its features, some thousands of rows at a time."""

import numpy as np
from numpy.typing import NDArray

from sagetree.features.pipeline import FeaturePipeline
from sagetree.table import Table

# Rows transformed at once: as float64 columns they take some megabytes.
SLICE_ROWS = 64 * 1024


def feature_matrix(table: Table, features: FeaturePipeline) -> NDArray[np.float32]:
    """Return the features (n, m) of a table whose columns are the inputs, in order.

    Raises SchemaError if cells are not of their column's kind, naming each of the first
    rows that hold some.
    """
    if table.rows <= SLICE_ROWS:
        return features.transform(table).values
    matrix = np.empty((table.rows, len(features.names)), np.float32)
    for begin in range(0, table.rows, SLICE_ROWS):
        part = table.part(begin, min(begin + SLICE_ROWS, table.rows))
        matrix[begin : begin + part.rows] = features.transform(part).values
    matrix.flags.writeable = False
    return matrix
