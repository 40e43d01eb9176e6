"""A checked table to the matrix of its features, some thousands of rows at a time."""

import mmap
import tempfile
from collections.abc import Mapping
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.absent_cells import AbsentCells
from sagetree.errors import PlatformError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.files.spill import drop_spilled
from sagetree.machine.memory import free_memory
from sagetree.machine.program import LOG
from sagetree.machine.temporary import file_of
from sagetree.tables.table import Table

# Rows transformed at once: as float64 columns they take some megabytes.
SLICE_ROWS = 64 * 1024

# From here on the matrix, which is read front to back, leaves the memory to the trees.
IN_FILE_BYTES = 8 * 1024 * 1024

# What a value takes in memory while trees are grown: XGBoost's quantiles, row by
# row (four bytes where cells are missing) and column by column, and a row's own.
BYTES_PER_VALUE = 8


class Features(NamedTuple):
    """The features (n, m) of a table, and which of its cells give them nothing."""

    matrix: NDArray[np.float32]
    absent: AbsentCells


def feature_matrix(table: Table, features: FeaturePipeline, *, in_file: bool = False) -> Features:
    """Return the features of a table whose columns are the inputs, in order.

    With `in_file` they are in a file that vanishes with the array; large ones
    are too, where the disk has room. Raises SchemaError if cells are not of their
    column's kind, naming each of the first rows that hold some, PlatformError
    for a full disk.
    """
    shape = table.rows, len(features.names)
    if table.rows <= SLICE_ROWS and not in_file:
        made = features.transform(table)
        return Features(made.values, AbsentCells.count(table, made, features))
    absent = AbsentCells()
    matrix = _in_file(shape) if in_file else _anywhere(shape)
    for begin in range(0, table.rows, SLICE_ROWS):
        part = table.part(begin, min(begin + SLICE_ROWS, table.rows))
        made = features.transform(part)
        matrix[begin : begin + part.rows] = made.values
        absent = absent.joined(AbsentCells.count(part, made, features))
        drop_pages(matrix)
        drop_spilled()
    matrix.flags.writeable = False
    return Features(matrix, absent)


def out_of_memory(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return equal values of rows: large ones are in a file, where the disk has room."""
    if values.nbytes < IN_FILE_BYTES:
        return values
    found = _anywhere(values.shape)
    found[...] = values
    drop_pages(found)
    return found


def without_codes(matrix: NDArray[np.float32], codes: Mapping[int, int]) -> NDArray[np.float32]:
    """Return a matrix with NaN for one code of each of these columns; itself if it has none."""
    blocks = [slice(begin, begin + SLICE_ROWS) for begin in range(0, len(matrix), SLICE_ROWS)]
    if not any((matrix[b, place] == code).any() for b in blocks for place, code in codes.items()):
        return matrix
    found = _anywhere((len(matrix), matrix.shape[1]))
    for block in blocks:
        part = np.array(matrix[block])
        for place, code in codes.items():
            part[part[:, place] == code, place] = np.nan
        found[block] = part
        drop_pages(found)
    found.flags.writeable = False
    return found


def is_too_large(values: int) -> bool:
    """Say whether training on this many values needs more memory than is free."""
    needed, usable = values * BYTES_PER_VALUE, free_memory()
    if needed <= usable:
        return False
    LOG.warning(
        "Training from disk: it would need %d MB of memory, and %d MB are free",
        needed >> 20,
        usable >> 20,
    )
    return True


def _anywhere(shape: tuple[int, ...]) -> NDArray[np.float32]:
    if prod(shape) * 4 >= IN_FILE_BYTES:
        try:
            return _in_file(shape)
        except PlatformError:
            LOG.warning("%s has no room for the rows: they stay in memory", tempfile.gettempdir())
    return np.empty(shape, np.float32)


def _in_file(shape: tuple[int, ...]) -> NDArray[np.float32]:
    with file_of(prod(shape) * 4) as file:
        return np.memmap(file, np.float32, "r+", shape=shape)


def drop_pages(matrix: NDArray[np.float32]) -> None:
    """Let go of the memory in which a matrix on disk has been read or written."""
    mapped = getattr(matrix, "_mmap", None)
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)
