"""Which rows are copies: of fine and coarse tables, upsampled, doubled, and labelled otherwise."""

import numpy as np
import pytest

from sagetree.bundle.copies import distinct_count, find_copies
from sagetree.bundle.training_rows import row_hashes

RANDOM = np.random.default_rng(0)
FINE = RANDOM.normal(size=(300, 4)).round(6).astype(np.float32)
COARSE = (RANDOM.random((2000, 3)) < 0.8).astype(np.float32)  # eight kinds of rows
LABELS = (FINE[:, 0] > 0).astype(np.float32)
OF_COARSE = (RANDOM.random(2000) < 0.2 + 0.6 * COARSE[:, 0]).astype(np.float32)


def copies(matrix: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    return find_copies(row_hashes(matrix, labels).features, labels, lambda rows: matrix[rows])


@pytest.mark.parametrize(
    "rows",
    [
        np.tile(np.arange(300), 10),
        np.tile(np.arange(300), 2),
        RANDOM.integers(0, 300, 300),  # drawn with replacement
        np.concatenate([np.arange(300), np.repeat(np.arange(7), 20)]),  # a few upsampled
        np.append(np.arange(300), 5),
        np.tile(np.arange(30), 20),
    ],
)
@pytest.mark.parametrize("columns", [1, 2, 4])
def test_rows_that_come_again_are_copies(rows: np.ndarray, columns: int) -> None:
    matrix, values = np.ascontiguousarray(FINE[:, :columns]), np.arange(300.0)
    _, numbers = np.unique(matrix, axis=0, return_inverse=True)
    expected = np.unique(numbers[rows], return_inverse=True)[1]
    for labels in (LABELS, values, np.stack([values, values + 1], axis=1)):
        found = copies(matrix[rows], labels[rows].astype(np.float32))
        assert found is not None
        assert distinct_count(found) == expected.max() + 1
        assert len(np.unique(np.stack([found, expected]), axis=1).T) == expected.max() + 1


def test_one_column_of_few_values_is_no_copying() -> None:
    """All that it can hold is there, many times, as it will be among new rows."""
    few = FINE[np.tile(np.arange(9), 50), :1]
    labels = np.tile(np.arange(9.0), 50).astype(np.float32)
    assert copies(few, labels) is None


def test_tables_without_equal_rows_have_none() -> None:
    assert copies(FINE, LABELS) is None
    assert copies(FINE[:1], LABELS[:1]) is None


@pytest.mark.parametrize("labels", [OF_COARSE, COARSE[:, 0], np.arange(2000.0), np.zeros(2000)])
def test_rows_of_few_coarse_columns_are_none(labels: np.ndarray) -> None:
    assert copies(COARSE, labels.astype(np.float32)) is None


def test_columns_that_depend_on_each_other_are_judged_by_the_labels() -> None:
    doubled = COARSE[:, [0, 1, 2, 0, 1, 2, 0, 1]]
    assert copies(doubled, OF_COARSE) is None
    assert copies(COARSE[:, :1], OF_COARSE) is None


def test_a_coarse_table_that_was_multiplied_has_copies_beside_equal_rows() -> None:
    coarse = RANDOM.integers(0, 6, (300, 6)).astype(np.float32)
    coarse[:30] = coarse[30:60]
    rows = np.tile(np.arange(300), 10)
    found = copies(coarse[rows], LABELS[rows])
    assert found is not None
    assert distinct_count(found) == len(np.unique(coarse, axis=0))
