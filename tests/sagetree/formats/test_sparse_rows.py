import numpy as np

from sagetree.formats.sparse_rows import SparseRows, join


def rows(weights=None, groups=None) -> SparseRows:
    return SparseRows(
        values=np.array([1.5, 2.5]),
        indices=np.array([1, 3]),
        starts=np.array([0, 0, 2]),
        width=4,
        labels=np.array([0.0, 1.0]),
        weights=weights,
        groups=groups,
    )


def test_a_cell_that_is_not_written_is_missing() -> None:
    np.testing.assert_array_equal(rows().matrix(0, 4), [[np.nan] * 4, [np.nan, 1.5, np.nan, 2.5]])


def test_a_part_of_the_columns() -> None:
    np.testing.assert_array_equal(rows().matrix(1, 2), [[np.nan] * 2, [1.5, np.nan]])
    assert rows().lowest == 1


def test_rows_of_two_parts_follow_each_other() -> None:
    both = join([rows(), rows(weights=np.array([2.0, 3.0]), groups=np.array([7, 7]))])
    np.testing.assert_array_equal(both.matrix(0, 4), np.vstack([rows().matrix(0, 4)] * 2))
    assert both.weights is not None
    assert both.weights.tolist() == [1, 1, 2, 3]
    assert both.groups is None
