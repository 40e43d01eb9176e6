"""Columns in few bytes: what the model would tell apart stays apart."""

import numpy as np
import pyarrow as pa
import pytest

from sagetree.files.shrink import ShrinkingColumn
from sagetree.tables.cells import MissingValues


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ([[0.1, 250.25]], pa.float32()),
        ([[1e6, 1e6 + 0.001]], pa.float64()),
        ([[1e6, 1e6 + 0.5]], pa.float32()),  # which float32 holds
        ([[1e6, 1e6 + 0.001], [None, None], [2e6]], pa.float64()),
        ([[2.0**24, 2.0**24 + 1], [0.5]], pa.float64()),
        ([[100.0, 7.0], [0.5]], pa.float32()),
        ([[-1e9 - 0.001, -1e9]], pa.float64()),
    ],
)
def test_numbers_close_together_stay_exact(
    parts: list[list[float | None]], kind: pa.DataType
) -> None:
    column = ShrinkingColumn(MissingValues.of(()), as_text=False)
    for part in parts:
        column.add(pa.chunked_array([pa.array(part, pa.float64())]))
    found = column.finish()
    assert found.type == kind
    values = np.array([value for part in parts for value in part], float)
    if kind == pa.float64():
        np.testing.assert_array_equal(found.to_numpy(), values)
