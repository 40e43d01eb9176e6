"""Hashes of the rows that hosts learn from: those that one host keeps of all rows."""

import numpy as np
import pytest

from sagetree.bundle.training_rows import MOST_HASHES, TrainingRows
from sagetree.train.examples.known import training_rows
from tests.train.hosts.threads import together


@pytest.mark.parametrize("rows", [1000, pytest.param(3 * MOST_HASHES, marks=pytest.mark.long)])
def test_hosts_keep_the_hashes_that_one_keeps(rows: int) -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, rows, dtype=np.uint64)
    hashes[: rows // 10] = hashes[rows // 10 : rows // 10 * 2]
    expected = TrainingRows.of(hashes)
    shares = [hashes[:0], hashes[: rows // 3], hashes[rows // 3 :]]
    for found in together(3, lambda group: training_rows(group, shares[group.rank])):
        assert (found.rows, found.bound, found.packed) == (
            expected.rows,
            expected.bound,
            expected.packed,
        )
        assert found.repeated == pytest.approx(expected.repeated, rel=0.01)
