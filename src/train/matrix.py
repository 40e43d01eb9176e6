"""A checked table to the matrix of its features, some thousands of rows at a time."""

import mmap
import tempfile

import numpy as np
from numpy.typing import NDArray

from sagetree.features.pipeline import FeaturePipeline
from sagetree.memory import usable_memory
from sagetree.program import LOG
from sagetree.table import Table

# Rows transformed at once: as float64 columns they take some megabytes.
SLICE_ROWS = 64 * 1024

# What a value takes in memory while trees are grown: float32, and XGBoost's
# quantiles, row by row and column by column.
BYTES_PER_VALUE = 7


def feature_matrix(
    table: Table, features: FeaturePipeline, on_disk: bool | None = False
) -> NDArray[np.float32]:
    """Return the features (n, m) of a table whose columns are the inputs, in order.

    With `on_disk` they are in a file that vanishes with the array; None puts
    them there if the memory is too small. Raises SchemaError if cells are not
    of their column's kind, naming each of the first rows that hold some.
    """
    if on_disk is None:
        on_disk = _is_too_large(table.rows * len(features.names))
    if table.rows <= SLICE_ROWS and not on_disk:
        return features.transform(table).values
    shape = table.rows, len(features.names)
    matrix = _in_file(shape) if on_disk else np.empty(shape, np.float32)
    for begin in range(0, table.rows, SLICE_ROWS):
        part = table.part(begin, min(begin + SLICE_ROWS, table.rows))
        matrix[begin : begin + part.rows] = features.transform(part).values
        drop_pages(matrix)
    matrix.flags.writeable = False
    return matrix


def _is_too_large(values: int) -> bool:
    needed, usable = values * BYTES_PER_VALUE, usable_memory()
    if needed <= usable:
        return False
    LOG.warning(
        "Training from disk: it would take %d MB of memory, and %d MB are free",
        needed >> 20,
        usable >> 20,
    )
    return True


def _in_file(shape: tuple[int, int]) -> NDArray[np.float32]:
    with tempfile.TemporaryFile() as file:  # its pages live on in the mapping
        return np.memmap(file, np.float32, "w+", shape=shape)


def drop_pages(matrix: NDArray[np.float32]) -> None:
    """Let go of the memory in which a matrix on disk has been read or written."""
    mapped = getattr(matrix, "_mmap", None)
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)
