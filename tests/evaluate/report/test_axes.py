"""Axes have round numbers between their ends, whatever these are."""

import numpy as np
import pytest

from sagetree.evaluate.report.page.axes import numbers, shares, words


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-3, 4, ["-2", "0", "2", "4"]),
        (0.61, 0.84, ["0.65", "0.7", "0.75", "0.8"]),
        (0, 1e7, ["0", "2e+06", "4e+06", "6e+06", "8e+06", "1e+07"]),
        (1000, 1001, ["1000", "1000.2", "1000.4", "1000.6", "1000.8", "1001"]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[str]):
    assert [word for _, word in numbers("x", low=low, high=high).ticks] == expected


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0], [0.0], [np.inf, 1.0], [np.nan]])
def test_an_axis_has_two_ends(values: list[float]):
    axis = numbers("x", values)
    assert np.isfinite([axis.low, axis.high]).all()
    assert axis.low < axis.high


def test_shares_and_words():
    assert [word for _, word in shares("s").ticks] == [
        "0 %",
        "20 %",
        "40 %",
        "60 %",
        "80 %",
        "100 %",
    ]
    axis = words("w", ["a", "b"], is_down=True)
    assert (axis.low, axis.high, axis.ticks) == (1.5, -0.5, ((0.0, "a"), (1.0, "b")))
